"""Household tasks, in which the places of objects must be found out by going there.

Sentences are overlooked in the same way (noisy_reader.py).
"""
