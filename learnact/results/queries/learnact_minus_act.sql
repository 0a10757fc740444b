-- LearnAct minus Act, paired by task and repeat: where the difference comes from, in shares of the pairs.
-- won_by_turns: LearnAct alone solved the task, with more primitive steps than Act may have turns (a learned
-- action packs several steps into a turn).
-- won_by_decisions: LearnAct alone solved it within as many primitive steps as Act had turns: fewer
-- decisions, fewer mistakes (or luck).
-- lost_with_failed_calls: Act alone solved it, and one or more of LearnAct's calls of learned actions failed.
-- lost_otherwise: Act alone solved it, without such a call.
-- difference = won_by_turns + won_by_decisions - lost_with_failed_calls - lost_otherwise.
WITH tested AS (
    SELECT domain, task_hash, test_repeat, method, success, primitive_steps, learned_calls, learned_calls_ok,
           turns
    FROM episodes
    WHERE phase = 'test' AND method IN ('act', 'learnact')
), budget AS (
    SELECT domain, max(turns) AS turns FROM tested WHERE method = 'act' GROUP BY domain
), pairs AS (
    SELECT
        l.domain,
        a.success AS act,
        l.success AS learnact,
        l.primitive_steps > budget.turns AS more_steps,
        l.learned_calls_ok < l.learned_calls AS failed_calls
    FROM tested l
    JOIN tested a USING (domain, task_hash, test_repeat)
    JOIN budget USING (domain)
    WHERE l.method = 'learnact' AND a.method = 'act'
)
SELECT
    coalesce(domain, 'all') AS domain,
    count(*) AS pairs,
    round(avg(act::INT), 3) AS act,
    round(avg(learnact::INT), 3) AS learnact,
    round(avg(learnact::INT) - avg(act::INT), 3) AS difference,
    round(avg((learnact AND NOT act AND more_steps)::INT), 3) AS won_by_turns,
    round(avg((learnact AND NOT act AND NOT more_steps)::INT), 3) AS won_by_decisions,
    round(avg((act AND NOT learnact AND failed_calls)::INT), 3) AS lost_with_failed_calls,
    round(avg((act AND NOT learnact AND NOT failed_calls)::INT), 3) AS lost_otherwise
FROM pairs
GROUP BY ROLLUP (domain)
ORDER BY (domain = 'all'), domain;
