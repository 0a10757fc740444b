-- Updates against notes, proposed, created, selected (the paper's Table 4).
SELECT t.method, t.domain, t.simulated, origin, count(*) AS proposed,
       count(*) FILTER (uncreated = '') AS created,
       count(*) FILTER (selected) AS selected
FROM candidates c JOIN trials t USING (run, trial)
WHERE origin IN ('update', 'note') GROUP BY ALL ORDER BY ALL
