-- The account of every difference between two methods, in pairs of test episodes of the same domain, agent
-- model, task and repeat. Reads `report_episodes` (data.py), `report_turns` (turn_kinds.sql),
-- `report_comparisons` (method, minus, place) and `report_trials` (trial, runs, shown_less). Makes
-- `report_compared` (one row for each comparison, pair of models and domain) and `report_pairs` (their
-- pairs).

-- Where the turns of an episode went: turns = valid + failed + invalid + idle. `saved`: steps of valid turns
-- beyond one a turn. `turn_limit`: as the trial says; where that leaves it to the domain, the most turns that
-- any episode took there, because an episode that does not end by itself takes all turns that it may have.
CREATE OR REPLACE TEMP TABLE report_played AS
WITH limits AS (
    SELECT trial, max(CAST(options ->> '$.test_budget.turns' AS INT)) AS told FROM trials GROUP BY trial
), used AS (
    SELECT
        run, episode, list(move ORDER BY turn) AS moves, list(DISTINCT callee) AS callees,
        count(*) FILTER (kind IN ('learned call', 'primitive action')) AS valid,
        count(*) FILTER (kind = 'failed call') AS failed,
        count(*) FILTER (kind = 'invalid action') AS invalid,
        count(*) FILTER (kind IN ('thought', 'unreadable')) AS idle,
        coalesce(sum(steps - 1) FILTER (kind IN ('learned call', 'primitive action')), 0) AS saved,
        list(concat_ws(': ', callee, nullif(why, '')) ORDER BY turn)
            FILTER (kind IN ('failed call', 'invalid action')) AS failures
    FROM report_turns GROUP BY run, episode
)
SELECT
    e.run, e.key, e.trial, e.method, e.domain, e.place, e.agent_model, e.learner_model,
    e.task_hash, e.test_repeat,
    e.success, e.simulated, e.library, t.runs, t.shown_less,
    u.* EXCLUDE (run, episode), coalesce(l.told, max(e.turns) OVER (PARTITION BY e.place)) AS turn_limit
FROM report_episodes e JOIN report_trials t USING (trial) JOIN limits l USING (trial)
JOIN used u ON u.run = e.run AND u.episode = e.key
WHERE e.phase = 'test';

-- Where the lineages of two trials parted: the winners of the iterations, then the first iteration after
-- which the two held different libraries. A trial that stopped keeps what it has.
CREATE OR REPLACE TEMP TABLE report_winners AS
SELECT
    trial, iteration, library, candidate,
    if(iteration = min(iteration) OVER (PARTITION BY trial), 0, iteration) AS held_from,
    CASE origin
        WHEN 'create' THEN if(candidate > 0, 'later proposal', 'first proposal')
        WHEN 'incumbent' THEN 'kept' ELSE origin
    END AS step
FROM candidates WHERE selected
QUALIFY row_number() OVER (PARTITION BY trial, iteration ORDER BY run) = 1;

-- One row for each pair of episodes. Partners of the same run come first, if there are any.
CREATE OR REPLACE TEMP TABLE report_partners AS
SELECT
    c.method, c.minus, f AS first, s AS second,
    CASE WHEN f.success THEN if(s.success, 'both', 'won')
         ELSE if(s.success, 'lost', 'neither') END AS outcome,
    if(f.success, f, s) AS winner, if(f.success, s, f) AS loser
FROM report_comparisons c
JOIN report_played f ON f.method = c.method
JOIN report_played s ON s.method = c.minus AND s.place = f.place AND s.agent_model = f.agent_model
    AND s.task_hash = f.task_hash AND s.test_repeat = f.test_repeat
    AND ('' IN (f.learner_model, s.learner_model) OR f.learner_model = s.learner_model)
QUALIFY list_has_any(f.runs, s.runs)
    OR NOT bool_or(list_has_any(f.runs, s.runs)) OVER (PARTITION BY c.method, c.minus, f.key);

CREATE OR REPLACE TEMP TABLE report_parted AS
WITH lasts AS (
    SELECT trial, max(iteration) AS last FROM report_winners GROUP BY trial
), trial_pairs AS (
    SELECT one, two, a.last AS one_last, b.last AS two_last
    FROM (SELECT DISTINCT first.trial AS one, second.trial AS two FROM report_partners)
    LEFT JOIN lasts a ON a.trial = one LEFT JOIN lasts b ON b.trial = two
), iterations AS (
    SELECT one, two, unnest(range(1 + greatest(one_last, two_last))) AS iteration
    FROM trial_pairs WHERE one_last IS NOT NULL AND two_last IS NOT NULL
), held AS (
    SELECT
        i.one, i.two, i.iteration, if(a.iteration = i.iteration, a.step, 'stopped') AS one_step,
        if(b.iteration = i.iteration, b.step, 'stopped') AS two_step,
        a.candidate <> b.candidate AS other_candidate
    FROM iterations i
    ASOF JOIN report_winners a ON a.trial = i.one AND i.iteration >= a.held_from
    ASOF JOIN report_winners b ON b.trial = i.two AND i.iteration >= b.held_from
    WHERE a.library <> b.library
    QUALIFY row_number() OVER (PARTITION BY i.one, i.two ORDER BY i.iteration) = 1
)
SELECT
    p.one, p.two,
    CASE WHEN h.iteration IS NULL THEN '-' WHEN h.iteration = 0 THEN 'create'
         ELSE 'iteration ' || h.iteration END AS parted_at,
    CASE WHEN h.one_step IS NOT NULL THEN h.one_step
         WHEN one_last IS NOT NULL AND two_last IS NOT NULL THEN '-'
         ELSE if(one_last IS NULL, 'no library', 'learned') END AS first_step,
    CASE WHEN h.one_step = 'later proposal' AND h.two_step = 'later proposal' AND other_candidate
             THEN 'another later one'
         WHEN h.two_step IS NOT NULL THEN h.two_step
         WHEN one_last IS NOT NULL AND two_last IS NOT NULL THEN '-'
         ELSE if(two_last IS NULL, 'no library', 'learned') END AS second_step
FROM trial_pairs p LEFT JOIN held h USING (one, two);

-- Which actions differ between two libraries (in code, description or notes, or because one has not got
-- them), and whether the code does.
CREATE OR REPLACE TEMP TABLE report_changed AS
WITH known AS (SELECT DISTINCT ON (library) * FROM libraries ORDER BY library),
coded AS (
    SELECT library, list_sort(list_transform(actions, lambda a: a.source)) AS sources, preamble FROM known
), named AS (SELECT library, a.name, a FROM (SELECT library, unnest(actions) AS a FROM known)),
library_pairs AS (SELECT DISTINCT first.library AS one, second.library AS two FROM report_partners),
names AS (
    SELECT one, two, name FROM library_pairs JOIN named ON named.library = one
    UNION SELECT one, two, name FROM library_pairs JOIN named ON named.library = two
), differing AS (
    SELECT n.one, n.two, list(n.name) AS actions
    FROM names n LEFT JOIN named a ON a.library = n.one AND a.name = n.name
    LEFT JOIN named b ON b.library = n.two AND b.name = n.name
    WHERE (a.a.source, a.a.description, a.a.notes) IS DISTINCT FROM (b.a.source, b.a.description, b.a.notes)
    GROUP BY n.one, n.two
)
SELECT one, two, coalesce(actions, []) AS actions,
    x.sources IS NOT DISTINCT FROM y.sources AND x.preamble IS NOT DISTINCT FROM y.preamble AS same_code
FROM library_pairs LEFT JOIN differing USING (one, two)
LEFT JOIN coded x ON x.library = one LEFT JOIN coded y ON y.library = two;

-- The cause of a pair that one method alone solved: the kind of turn that the loser spent and the winner did
-- not need. The causes exclude each other; ties go to the first. It says where the turns went, not what would
-- have happened otherwise.
CREATE OR REPLACE TEMP TABLE report_caused AS
WITH more AS (
    SELECT
        *, loser.failed - winner.failed AS failed, loser.invalid - winner.invalid AS invalid,
        loser.idle - winner.idle AS idle, loser.valid - winner.valid AS valid,
        winner.saved - loser.saved AS unsaved,
        loser.valid + loser.saved - winner.valid - winner.saved AS detour,
        list_position(
            list_transform(list_zip(first.moves, second.moves), lambda z: z[1] IS DISTINCT FROM z[2]), true
        ) AS parted_turn
    FROM report_partners
)
SELECT
    m.method, m.minus, first, second, outcome, nullif(parted_turn, 0) AS parted_turn,
    nullif(parted_turn, 0) IS NULL AS same_play, d.parted_at, d.first_step, d.second_step,
    CASE WHEN outcome NOT IN ('won', 'lost') THEN NULL
         WHEN len(loser.moves) < loser.turn_limit THEN 'ended early'
         WHEN failed > 0 AND failed >= greatest(invalid, idle, valid) THEN 'failed calls'
         WHEN invalid > 0 AND invalid >= greatest(idle, valid) THEN 'invalid actions'
         WHEN idle > 0 AND idle >= valid THEN 'no action'
         WHEN unsaved > greatest(0, detour) THEN 'fewer steps a turn'
         ELSE 'detours' END AS cause,
    CASE WHEN first.library = '' AND second.library = '' THEN 'no library'
         WHEN '' IN (first.library, second.library) THEN 'one has none'
         WHEN first.library = second.library
             THEN if(first.shown_less = second.shown_less, 'same', 'same, shown otherwise')
         ELSE if(c.same_code, 'other words', 'other code') END AS libraries,
    list_has_any(c.actions, list_concat(first.callees, second.callees)) AS calls_changed,
    coalesce(first.moves[nullif(parted_turn, 0)].kind, 'end') || ' | '
        || coalesce(second.moves[nullif(parted_turn, 0)].kind, 'end') AS moves_there,
    coalesce(loser.failures, []) AS failures
FROM more m JOIN report_parted d ON d.one = first.trial AND d.two = second.trial
JOIN report_changed c ON c.one = first.library AND c.two = second.library;

-- Rows of the tables: each domain of the first method, and all of them together where there are several.
CREATE OR REPLACE TEMP TABLE report_firsts AS
WITH firsts AS (
    SELECT c.method, c.minus, c.place AS comparison, p.agent_model, p.learner_model, p.domain, p.place, p.key
    FROM report_comparisons c JOIN report_played p ON p.method = c.method
)
SELECT * FROM firsts
UNION ALL
SELECT * REPLACE ('all' AS domain) FROM firsts
WINDOW models AS (PARTITION BY method, minus, agent_model, learner_model)
QUALIFY min(domain) OVER models <> max(domain) OVER models;

-- The pairs of each row. Every task weighs the same: a share of pairs is the sum of their weights.
CREATE OR REPLACE TEMP TABLE report_pairs AS
WITH paired AS (
    SELECT f.comparison, f.agent_model, f.learner_model, f.domain, c.*
    FROM report_firsts f JOIN report_caused c
      ON c.method = f.method AND c.minus = f.minus AND c.first.key = f.key
), tasks AS (
    SELECT method, minus, agent_model, learner_model, domain, count(DISTINCT first.task_hash) AS tasks
    FROM paired GROUP BY ALL
)
SELECT p.*, 1 / count(*) OVER (
           PARTITION BY p.method, p.minus, p.agent_model, p.learner_model, p.domain, p.first.task_hash
       ) / tasks AS weight
FROM paired p JOIN tasks USING (method, minus, agent_model, learner_model, domain);

-- `unpaired`: finished episodes of either method without a finished partner. `repeats_differ`: how often two
-- repeats of the second method on the same task differ in outcome.
CREATE OR REPLACE TEMP TABLE report_compared AS
WITH candidates AS (
    SELECT DISTINCT f.method, f.minus, f.agent_model, f.learner_model, f.domain, s.key
    FROM report_firsts f JOIN report_played s
      ON s.method = f.minus AND s.place = f.place AND s.agent_model = f.agent_model
      AND ('' IN (f.learner_model, s.learner_model) OR f.learner_model = s.learner_model)
), sides AS (
    SELECT method, minus, agent_model, learner_model, domain, key FROM report_firsts
    UNION ALL SELECT * FROM candidates
), alone AS (
    SELECT method, minus, agent_model, learner_model, domain, count(*) AS unpaired
    FROM sides ANTI JOIN (
        SELECT method, minus, agent_model, learner_model, domain, unnest([first.key, second.key]) AS key
        FROM report_pairs
    ) USING (method, minus, agent_model, learner_model, domain, key)
    GROUP BY ALL
), outcomes AS (
    SELECT method, minus, agent_model, learner_model, domain, task_hash, count(*) AS n,
           count(*) FILTER (success) AS solved
    FROM (SELECT DISTINCT method, minus, agent_model, learner_model, domain, second.task_hash AS task_hash,
                 second.key AS key, second.success AS success FROM report_pairs)
    GROUP BY ALL HAVING n > 1
), chance AS (
    SELECT method, minus, agent_model, learner_model, domain,
           avg(solved * (n - solved) / (n * (n - 1) / 2)) AS repeats_differ
    FROM outcomes GROUP BY ALL
)
SELECT
    comparison, method, minus, agent_model, learner_model, domain, count(*) AS pairs,
    coalesce(any_value(unpaired), 0) AS unpaired,
    coalesce(sum(weight) FILTER (same_play), 0) AS same_play, any_value(repeats_differ) AS repeats_differ,
    bool_or(first.simulated OR second.simulated) AS simulated,
    list(first.task_hash ORDER BY first.key, second.key) AS tasks,
    list(first.trial ORDER BY first.key, second.key) AS first_trials,
    list(first.success ORDER BY first.key, second.key) AS first_success,
    list(second.trial ORDER BY first.key, second.key) AS second_trials,
    list(second.success ORDER BY first.key, second.key) AS second_success,
    list(outcome || ', ' || coalesce(cause, '') ORDER BY first.key, second.key) AS items
FROM report_pairs
LEFT JOIN alone USING (method, minus, agent_model, learner_model, domain)
LEFT JOIN chance USING (method, minus, agent_model, learner_model, domain)
GROUP BY comparison, method, minus, agent_model, learner_model, domain;
