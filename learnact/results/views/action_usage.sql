-- Learned actions in tests: how often each was called, how often that worked, what it did.
-- model: the agent's model
-- simulated: some of it comes from a simulated model: says nothing about language models
-- callee: the learned action
-- calls: calls of it
-- ok: share of these that were valid as a whole
-- steps: primitive steps per call
-- errors: calls that ended with an exception
-- episodes: test episodes with a call of it
-- solved: share of these episodes that solved their task
SELECT run, domain, method, model, learner_model, bool_or(simulated) AS simulated, callee,
       sum(turns)::BIGINT AS calls, sum(ok) / sum(turns) AS ok, sum(steps) / sum(turns) AS steps,
       sum(errors)::BIGINT AS errors, sum(episodes)::BIGINT AS episodes, sum(solved) / sum(episodes) AS solved
FROM stored.all_turn_groups WHERE topic = 'action_usage'
GROUP BY run, domain, method, model, learner_model, callee
