"""ScienceWorld: thirty kinds of elementary science tasks in a simulated house (docs/scienceworld.md).

Modules for every process: `domain`, `tasks`, `plans`, `package`, `surface`. Modules for engine processes
only: `engine`, `java`, `known_walk`, `environment`, which talk to a Java virtual machine.
"""
