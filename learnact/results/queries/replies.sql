-- Replies of agents in tests: unreadable ones by cause, readable ones by what was left out and by form.
SELECT e.domain, e.method, e.model, e.simulated, t.kind, t.cause,
       array_to_string(t.ignored, ', ') AS left_out, t.form, count(*) AS replies,
       left(any_value(t.raw), 60) AS example
FROM turns t JOIN episodes e ON e.run = t.run AND e.key = t.episode
WHERE e.phase = 'test' AND e.model <> ''
GROUP BY e.domain, e.method, e.model, e.simulated, t.kind, t.cause, left_out, t.form
ORDER BY e.domain, e.method, e.model, replies DESC, t.kind, t.cause, left_out, t.form
