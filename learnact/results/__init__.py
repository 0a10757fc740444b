"""Schema, writer, reader and statistics of what a run leaves."""
