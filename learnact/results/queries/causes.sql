-- LearnAct minus every other method of the run (its own variants, too), in pairs of the same task and repeat: where the turns of the one that lost
-- went, which the winner did not need. `won`: LearnAct alone solved the task; `lost`: the other alone did. The sum of won minus that of lost is the
-- difference in success. The same account as `learnact table causes`, over all domains; `example` is for `learnact show RUN KEY KEY`.
WITH spent AS (
    SELECT
        e.method, e.model, e.domain, e.domain_options, e.task_hash, e.test_repeat, e.key, e.success, e.turns,
        CAST(any_value(t.options) ->> '$.test_budget.turns' AS INT) AS told,
        count(*) FILTER (u.kind = 'action' AND u.ok) AS valid,
        count(*) FILTER (u.kind = 'action' AND u.learned AND NOT u.ok) AS failed,
        count(*) FILTER (u.kind = 'action' AND NOT u.learned AND NOT u.ok) AS invalid,
        count(*) FILTER (u.kind <> 'action') AS idle,
        coalesce(sum(len(u.steps) - 1) FILTER (u.kind = 'action' AND u.ok), 0) AS saved
    FROM episodes e JOIN trials t USING (run, trial) JOIN turns u ON u.run = e.run AND u.episode = e.key
    WHERE e.phase = 'test' GROUP BY ALL
), budgeted AS (  -- where the job leaves the budget to the domain: the most turns that were taken there
    SELECT *, coalesce(told, max(turns) OVER (PARTITION BY domain, domain_options)) AS allowed FROM spent
), pairs AS (
    SELECT
        o.method AS minus, a.success AS won, a.task_hash, left(a.key, 8) || ' ' || left(o.key, 8) AS example, a.success <> o.success AS differ,
        CASE WHEN a.success THEN a ELSE o END AS winner, CASE WHEN a.success THEN o ELSE a END AS loser
    FROM budgeted a JOIN budgeted o USING (model, domain_options, task_hash, test_repeat)
    WHERE a.method = 'learnact' AND o.method <> 'learnact'
), more AS (
    SELECT
        *, loser.failed - winner.failed AS failed, loser.invalid - winner.invalid AS invalid, loser.idle - winner.idle AS idle,
        loser.valid - winner.valid AS valid, winner.saved - loser.saved AS unsaved,
        loser.valid + loser.saved - winner.valid - winner.saved AS detour
    FROM pairs
), caused AS (
    SELECT
        *, CASE
            WHEN NOT differ THEN 'no difference'
            WHEN loser.turns < loser.allowed THEN 'ended early'
            WHEN failed > 0 AND failed >= greatest(invalid, idle, valid) THEN 'failed calls'
            WHEN invalid > 0 AND invalid >= greatest(idle, valid) THEN 'invalid actions'
            WHEN idle > 0 AND idle >= valid THEN 'no action'
            WHEN unsaved > greatest(0, detour) THEN 'fewer steps a turn'
            ELSE 'detours'
        END AS cause
    FROM more
)
SELECT
    minus, cause,
    count(*) FILTER (differ AND won) AS won,
    count(*) FILTER (differ AND NOT won) AS lost,
    count(*) AS pairs,
    round(100 * (count(*) FILTER (differ AND won) - count(*) FILTER (differ AND NOT won)) / sum(count(*)) OVER (PARTITION BY minus), 1) AS points,
    min(example) AS example
FROM caused GROUP BY minus, cause ORDER BY minus, cause;
