-- One row per reply of a synthesis: whether it was accepted, else which rule it broke.
-- simulated: the model is the simulated one: says nothing about language models
SELECT c.* EXCLUDE (seq), coalesce(r.simulated, false) AS simulated
FROM (
    SELECT * FROM stored.reply_checks
    QUALIFY row_number() OVER (PARTITION BY run, trial, example, stage, attempt ORDER BY seq DESC) = 1
) c
LEFT JOIN requests r ON r.run = c.run AND r.key = c.request
