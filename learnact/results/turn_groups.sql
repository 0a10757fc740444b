-- What the turns of test episodes come to, in groups, for three views (`topic`). Counts of parts add up,
-- since an episode lies in one part with all its turns. {turns} and {episodes} are tables.
WITH noted AS (
    SELECT run, episode, 'action_usage' AS topic, '' AS kind, callee, true AS learned, '' AS why, ok,
           len(steps) AS steps, error IS NOT NULL AS failed
    FROM {turns} WHERE learned
    UNION ALL
    SELECT run, episode, 'failures', kind, callee, learned,
           coalesce(error.type, nullif(cause, ''), left(observation, 60)), ok, 0, false
    FROM {turns} WHERE NOT ok AND kind <> 'thought'
    UNION ALL
    SELECT run, episode, 'unreadable', kind, '', false, coalesce(cause, ''), ok, 0, false
    FROM {turns} WHERE kind = 'unreadable'
), by_episode AS (
    SELECT run, episode, topic, kind, callee, learned, why, count(*) AS turns, count(*) FILTER (ok) AS ok,
           sum(steps) AS steps, count(*) FILTER (failed) AS errors
    FROM noted GROUP BY ALL
)
SELECT e.run, n.topic, e.domain, e.method, e.model, e.learner_model, e.simulated, n.kind, n.callee, n.learned,
       n.why, sum(n.turns)::BIGINT AS turns, sum(n.ok)::BIGINT AS ok, sum(n.steps)::BIGINT AS steps,
       sum(n.errors)::BIGINT AS errors, count(*) AS episodes, count(*) FILTER (e.success) AS solved,
       min(e.key) FILTER (NOT e.success) AS unsolved_example, min(e.key) AS example
FROM by_episode n JOIN {episodes} e ON e.run = n.run AND e.key = n.episode
WHERE e.phase = 'test'
GROUP BY e.run, n.topic, e.domain, e.method, e.model, e.learner_model, e.simulated, n.kind, n.callee,
         n.learned, n.why
