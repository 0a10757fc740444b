-- The prompt and the reply of the first call of an unsolved test episode.
SELECT p.unit, e.simulated, p.system, p.user, c.reply
FROM prompts p JOIN calls c ON c.run = p.run AND c.unit = p.unit AND c.ordinal = p.ordinal
JOIN (SELECT run, key, simulated FROM episodes) e ON e.run = p.run AND e.key = p.unit
WHERE p.ordinal = 0
  AND p.unit = (SELECT key FROM episodes WHERE phase = 'test' ORDER BY success, progress, key LIMIT 1)
