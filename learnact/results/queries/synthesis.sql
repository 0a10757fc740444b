-- Replies of a synthesis by what was found in them: accepted, or the rule that was broken first.
SELECT
    c.stage,
    coalesce(nullif(c.rule, ''), 'accepted') AS rule,
    count(*) AS replies,
    round(100 * count(*) / sum(count(*)) OVER (PARTITION BY c.stage), 1) AS share,
    count(DISTINCT c.example) AS examples,
    bool_or(c.simulated) AS simulated
FROM reply_checks c
GROUP BY c.stage, c.rule
ORDER BY c.stage, replies DESC, rule
