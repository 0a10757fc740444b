-- Messages exactly as sent: fixed blocks, then history (its own blocks, or derived from the episode's turns as records.history_entries does), then
-- what was asked. `sha256(system || chr(10) || chr(10) || user)[:24]` equals `calls.request`.
WITH places AS (
    SELECT run, unit, ordinal, fixed || COALESCE(history, []) || [ask] AS hashes, len(fixed) AS heads,
           history IS NULL AND history_count > 0 AS derived, history_start, history_count
    FROM _calls
), texts AS (
    SELECT p.run, p.unit, p.ordinal,
           string_agg(b.text, '' ORDER BY p.place) FILTER (p.place <= p.heads) AS head,
           string_agg(b.text, '' ORDER BY p.place) FILTER (p.place > p.heads) AS tail
    FROM (SELECT run, unit, ordinal, heads, unnest(hashes) AS hash, generate_subscripts(hashes, 1) AS place FROM places) p
    JOIN _blocks b ON b.run = p.run AND b.hash = p.hash
    GROUP BY p.run, p.unit, p.ordinal
), told AS (
    SELECT run, episode,
           flatten(list([CASE kind WHEN 'thought' THEN 'Think: ' ELSE 'Action: ' END || said || chr(10),
                         'Observation: ' || observation || chr(10)] ORDER BY turn)) AS entries
    FROM _turns GROUP BY run, episode
)
SELECT c.run, c.trial, c.unit, c.ordinal, c.purpose, s.text AS system,
       COALESCE(t.head, '')
       || CASE WHEN p.derived THEN array_to_string(told.entries[p.history_start + 1 : p.history_start + p.history_count], '') ELSE '' END
       || t.tail AS "user",
       c.request
FROM _calls c
JOIN places p ON p.run = c.run AND p.unit = c.unit AND p.ordinal = c.ordinal
JOIN texts t ON t.run = c.run AND t.unit = c.unit AND t.ordinal = c.ordinal
JOIN _blocks s ON s.run = c.run AND s.hash = c.system
LEFT JOIN told ON told.run = c.run AND told.episode = c.unit
