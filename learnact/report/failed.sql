-- Failed episodes with one cause each, from where their turns went, and what went wrong most often.
WITH failed AS (
    SELECT DISTINCT ON (e.key) e.run, e.trial, e.key, e.turns,
           CAST(b.text ->> '$.budget.turns' AS INT) AS budget
    FROM {episodes} e LEFT JOIN blocks b ON b.run = e.run AND b.hash = e.setup
    WHERE NOT e.success AND {which}
), moves AS (
    SELECT t.episode, t.turn, t.kind, t.learned, t.ok, if(t.call = '', t.said, t.call) AS move,
           CASE WHEN t.kind = 'unreadable' THEN 'a reply without a readable action'
                WHEN t.ok OR t.kind = 'thought' THEN ''
                WHEN t.error IS NOT NULL THEN t.callee || ': ' || t.error.type
                WHEN t.learned THEN t.callee || ': ' || coalesce(
                    regexp_extract(list_filter(t.steps, lambda s: NOT s.ok)[1].command, '^[^( ]*'), '')
                    || ' was not possible'
                WHEN t.callee = '' THEN 'an action that does not exist'
                ELSE t.callee || ' was not possible' END AS wrong
    FROM {turns} t JOIN failed f ON f.run = t.run AND f.trial = t.trial AND f.key = t.episode
), counted AS (
    SELECT episode, count(*) FILTER (kind = 'unreadable') AS unreadable,
           count(*) FILTER (kind = 'action' AND NOT ok AND learned) AS failed_calls,
           count(*) FILTER (kind = 'action' AND NOT ok AND NOT learned) AS invalid,
           count(*) FILTER (kind = 'action') AS actions,
           count(DISTINCT move) FILTER (kind = 'action') AS distinct_moves
    FROM moves GROUP BY episode
), often AS (
    SELECT episode, arg_max(wrong, (number, wrong)) AS wrong, max(number) AS times
    FROM (SELECT episode, wrong, count(*) AS number FROM moves WHERE wrong <> '' GROUP BY ALL)
    GROUP BY episode
)
SELECT f.key AS episode,
       CASE WHEN c.unreadable > 0 AND c.unreadable >= greatest(c.failed_calls, c.invalid)
                 AND 2 * c.unreadable >= c.actions THEN 'unreadable replies'
            WHEN c.failed_calls > 0 AND c.failed_calls >= c.invalid
                 AND 4 * c.failed_calls >= c.actions THEN 'failed calls of learned actions'
            WHEN c.invalid > 0 AND 4 * c.invalid >= c.actions THEN 'invalid actions'
            WHEN f.budget IS NOT NULL AND f.turns < f.budget THEN 'ended early'
            WHEN c.actions > 0 AND 2 * c.distinct_moves <= c.actions THEN 'repeated moves'
            ELSE 'turns used up' END AS cause,
       coalesce(o.wrong, '') AS wrong, coalesce(o.times, 0) AS times, f.turns, f.budget, c.unreadable,
       c.failed_calls, c.invalid, c.actions, c.distinct_moves
FROM failed f LEFT JOIN counted c ON c.episode = f.key LEFT JOIN often o ON o.episode = f.key
ORDER BY f.key
