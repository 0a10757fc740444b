-- Exceptions in learned code, with the line.
SELECT e.domain, e.phase, e.simulated, t.callee, t.error.type AS error, t.error.message AS message,
       t.error.source AS source, count(*) AS times
FROM turns t JOIN episodes e ON e.run = t.run AND e.key = t.episode
WHERE t.error IS NOT NULL GROUP BY ALL ORDER BY times DESC, e.domain, message LIMIT 40
