"""BabyAI: a grid world seen in part, with missions in words (minigrid's levels)."""
