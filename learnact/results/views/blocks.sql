-- Texts that many rows share, by the first 24 hex digits of their SHA-256.
SELECT * FROM _blocks
