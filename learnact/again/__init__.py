"""What is done with a finished run: the whole of it again (replay), or on from one of its turns (fork)."""
