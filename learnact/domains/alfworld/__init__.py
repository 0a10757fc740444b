"""ALFWorld's six household task types on the real engine (docs/alfworld.md).

Modules for every process: `task_types`, `language`, `game_files`, `houses`, `domain`, which import neither
`alfworld` nor `textworld`. Modules for the engine process only: `engine`, `grammar`, `translation`,
`environment`, which import them (parts of these packages are under the GPL).
"""
