-- The candidates of each trial in order, with scores, parents, and why they were made.
SELECT t.method, t.domain, t.simulated, left(c.trial, 8) AS trial, iteration, candidate, origin,
       left(c.library, 8) AS library, left(parent, 8) AS parent, round(score, 3) AS score,
       round(success, 2) AS success, round(step_correctness, 2) AS step_correctness,
       round(call_ratio, 2) AS call_ratio, played_turns, played_tokens, selected, excluded, failed_call,
       c.reason, uncreated, equal_to
FROM candidates c JOIN trials t USING (run, trial) ORDER BY t.method, t.domain, c.trial, iteration, candidate
