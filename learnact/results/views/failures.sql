-- Turns of test episodes that failed, by what was called and why.
-- model: the agent's model
-- simulated: some of it comes from a simulated model: says nothing about language models
-- kind: `action` or `unreadable`
-- callee: the function that was called
-- learned: whether it was a learned action
-- why: the exception, why the reply could not be read, or the first words of what was observed
-- turns: how many
-- episodes: test episodes with such a turn
-- unsolved: those of them that did not solve their task
-- example: key of one of these episodes, an unsolved one where there is any
SELECT run, domain, method, model, learner_model, bool_or(simulated) AS simulated, kind, callee, learned, why,
       sum(turns)::BIGINT AS turns, sum(episodes)::BIGINT AS episodes,
       sum(episodes - solved)::BIGINT AS unsolved, coalesce(min(unsolved_example), min(example)) AS example
FROM stored.all_turn_groups WHERE topic = 'failures'
GROUP BY run, domain, method, model, learner_model, kind, callee, learned, why
