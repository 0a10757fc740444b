-- Learned actions by the library that a trial ended with: calls in tests, calls that worked, episodes, and
-- the trial's test success. An agent may be given a part of it in each test (Voyager).
WITH tested AS (
    SELECT e.*, coalesce(nullif(t.library, ''), e.library) AS whole,
           round(100 * avg(e.success::INT) OVER (PARTITION BY e.run, e.trial), 1) AS tests_solved
    FROM episodes e JOIN trials t USING (run, trial) WHERE e.phase = 'test'
)
SELECT e.domain, e.learn_repeat, e.method, e.simulated, left(e.whole, 6) AS library, e.tests_solved,
       u.callee, count(*) AS calls, count(*) FILTER (u.ok) AS ok, count(DISTINCT e.key) AS episodes
FROM tested e JOIN turns u ON u.run = e.run AND u.episode = e.key WHERE u.learned GROUP BY ALL ORDER BY ALL
