"""TextWorld: generated text adventures of three kinds (docs/textworld.md).

Modules for every process: `domain`, `tasks`, `plans`, `package`. Modules for engine processes and for the
making of games only: `engine`, `view`, `reasons`, `environment`, `making`, which import `textworld` (MIT) and
`jericho` (GPL-2.0).
"""
