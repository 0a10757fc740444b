-- One row per turn of a finished episode.
SELECT * FROM stored.turns
