"""Games against an opponent, on OpenSpiel's engine (docs/games.md)."""
