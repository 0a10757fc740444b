-- Turns of finished episodes.
SELECT * FROM _turns
