"""The simulated model as an author of text worlds and of plays in them.

Its mistakes have the one cause that all its mistakes have: it overlooks a sentence of the rules that it is
given (noisy_reader.py), and then does what people do who have not read it.
"""
