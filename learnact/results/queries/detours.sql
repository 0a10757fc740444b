-- Solved test episodes with the most primitive steps against the known plan.
SELECT domain, method, simulated, task, turns, primitive_steps, reference,
       round(primitive_steps / reference, 2) AS detour, key
FROM episodes WHERE phase = 'test' AND success AND reference > 0 ORDER BY detour DESC, key LIMIT 40
