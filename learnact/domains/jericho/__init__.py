"""Text adventures from game files of the user's, and one free cave game (docs/jericho.md).

Modules for every process: `domain`, `tasks`, `plans`, `package`. Modules for engine processes only: `engine`,
`cave`, `environment`, which import `jericho` (GPL-2.0) and `adventure` (Apache-2.0).
"""
