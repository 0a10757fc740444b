"""The sandbox: learned code runs in processes of its own that the kernel confines (docs/sandbox.md)."""
