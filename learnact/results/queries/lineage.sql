-- What won each iteration of each trial, in one line: origin, number, library, score and training success.
SELECT t.domain, t.learn_repeat, t.method, t.simulated,
       string_agg(c.iteration || ': ' || c.origin || ' ' || c.candidate || ' = ' || left(c.library, 6)
                  || coalesce(' (' || round(c.score, 2) || ', success ' || round(c.success, 2) || ')', ''),
                  ', ' ORDER BY c.iteration) AS winners
FROM candidates c JOIN trials t USING (run, trial) WHERE c.selected
GROUP BY t.domain, t.learn_repeat, t.method, t.simulated, t.run, t.trial ORDER BY ALL
