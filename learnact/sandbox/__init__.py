"""The sandbox: learned code runs in separate processes that the kernel confines (docs/sandbox.md)."""
