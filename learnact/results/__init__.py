"""Schema, writer, reader and statistics of what a run leaves. The writer is `store.RunStore`; people read
through `reader.connect`.
"""
