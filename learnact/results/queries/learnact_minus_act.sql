-- LearnAct minus Act, paired by task, seed and agent model: where the difference comes from, in shares of the
-- pairs.
-- won_by_turns: LearnAct alone solved the task, with more primitive steps than Act may have turns (a learned
-- action packs several steps into a turn).
-- won_by_decisions: LearnAct alone solved it within as many primitive steps as Act had turns: fewer
-- decisions, fewer mistakes (or luck).
-- lost_with_failed_calls: Act alone solved it, and one or more of LearnAct's calls of learned actions failed.
-- lost_otherwise: Act alone solved it, without such a call.
-- difference = won_by_turns + won_by_decisions - lost_with_failed_calls - lost_otherwise.
WITH tested AS (
    SELECT e.domain, coalesce(e.domain_options, '{}') AS domain_options, e.task_hash, e.seed, e.model,
           e.method, e.simulated, e.success, e.primitive_steps, e.learned_calls, e.learned_calls_ok,
           CAST(b.text ->> '$.budget.turns' AS INT) AS budget
    FROM episodes e LEFT JOIN blocks b ON b.run = e.run AND b.hash = e.setup
    WHERE e.phase = 'test' AND e.method IN ('act', 'learnact')
), pairs AS (
    SELECT
        l.domain,
        l.simulated OR a.simulated AS simulated,
        a.success AS act,
        l.success AS learnact,
        coalesce(l.primitive_steps > a.budget, false) AS more_steps,
        l.learned_calls_ok < l.learned_calls AS failed_calls
    FROM tested l
    JOIN tested a USING (domain, domain_options, task_hash, seed, model)
    WHERE l.method = 'learnact' AND a.method = 'act'
)
SELECT
    coalesce(domain, 'all') AS domain,
    bool_or(simulated) AS simulated,
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
