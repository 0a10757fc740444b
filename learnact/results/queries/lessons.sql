-- What learners wrote down in words: Reflexion's lessons, notes on learned actions.
SELECT method, domain, simulated, trial, kind, about, text FROM (
    SELECT t.method, t.domain, t.simulated, left(l.trial, 8) AS trial, 'lesson' AS kind, '' AS about,
           unnest(l.lessons) AS text
    FROM libraries l JOIN trials t USING (run, trial)
    UNION
    SELECT t.method, t.domain, t.simulated, left(a.trial, 8), 'note', a.name, unnest(a.notes)
    FROM actions a JOIN trials t USING (run, trial)
) ORDER BY ALL
