-- Messages exactly as sent, rebuilt from `calls`. Ask for one unit at a time where there are many.
-- unit: key of the episode or request
-- ordinal: number of the call in its unit, from 0
-- system: the system message
-- user: the user message; where tools were offered, the messages after it follow, one JSON list a line
-- tools: the tools that were offered, as JSON, or null
-- grammar: what the reply may be, as JSON, or null
-- request: `sha256(system || chr(10) || chr(10) || user)[:24]`, computed when it was sent; tools and grammar,
--     each after two line ends, follow the user message where there are some
WITH lists AS (
    SELECT DISTINCT run, unit, hashes
    FROM (
        SELECT run, unit, fixed AS hashes FROM stored.calls
        UNION ALL
        SELECT run, unit, history FROM stored.calls WHERE history IS NOT NULL
    )
), joined AS (
    SELECT p.run, p.unit, p.hashes, string_agg(b.text, '' ORDER BY p.place) AS text
    FROM (
        SELECT run, unit, hashes, unnest(hashes) AS hash, generate_subscripts(hashes, 1) AS place FROM lists
    ) p
    JOIN stored.blocks b ON b.run = p.run AND b.hash = p.hash
    GROUP BY p.run, p.unit, p.hashes
), turns_as_entries AS (  -- as records.history_entries makes them
    SELECT run, episode,
           flatten(list([
               CASE WHEN thought <> '' THEN 'Think: ' || thought || chr(10) ELSE '' END
               || CASE WHEN kind = 'action' AND call = ''
                       THEN 'Program:' || chr(10) || '```python' || chr(10) || said || chr(10) || '```'
                       WHEN kind = 'thought' THEN 'Think: ' || said
                       ELSE 'Action: ' || said END
               || chr(10),
               'Observation: ' || observation || chr(10)
           ] ORDER BY turn)) AS entries
    FROM stored.turns GROUP BY run, episode
)
SELECT c.run, c.trial, c.unit, c.ordinal, c.purpose, s.text AS system,
       COALESCE(head.text, '')
       || CASE WHEN c.history IS NOT NULL THEN COALESCE(own.text, '')
               WHEN c.history_count > 0
               THEN array_to_string(t.entries[c.history_start + 1 : c.history_start + c.history_count], '')
               ELSE '' END
       || a.text AS user,
       tools.text AS tools, grammar.text AS grammar,
       c.request
FROM stored.calls c
JOIN stored.blocks s ON s.run = c.run AND s.hash = c.system
JOIN stored.blocks a ON a.run = c.run AND a.hash = c.ask
LEFT JOIN stored.blocks tools ON tools.run = c.run AND tools.hash = c.tools
LEFT JOIN stored.blocks grammar ON grammar.run = c.run AND grammar.hash = c.grammar
LEFT JOIN joined head ON head.run = c.run AND head.unit = c.unit AND head.hashes = c.fixed
LEFT JOIN joined own ON own.run = c.run AND own.unit = c.unit AND own.hashes = c.history
LEFT JOIN turns_as_entries t ON t.run = c.run AND t.episode = c.unit
