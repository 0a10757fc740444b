-- Texts that many rows share, under the first 24 hex digits of their SHA-256.
SELECT * FROM stored.blocks
