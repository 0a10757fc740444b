"""ALFWorld's six household task types on the real engine (docs/alfworld.md).

Two sides. In every process: `kinds`, `language`, `games`, `houses`, `domain`, which import neither `alfworld`
nor `textworld`. In the engine process only: `engine`, `grammar`, `translation`, `environment`, which do
(parts of these packages are GPL).
"""
