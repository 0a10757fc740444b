"""The reader of household tasks: what is where must be found out by going there. The imperfection is the
same (attention.py)."""
