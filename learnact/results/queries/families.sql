-- Success and progress of each method by family of environments: the planning domains are one family, and so
-- are domains whose names begin alike (babyai-goto, babyai-open). Means over the family's test episodes.
WITH tested AS (
    SELECT CASE WHEN domain IN ('gripper', 'blockworld', 'barman', 'tyreworld') THEN 'planning'
                ELSE split_part(domain, '-', 1) END AS family,
           method, model, simulated, domain, success, progress
    FROM episodes
    WHERE phase = 'test'
)
SELECT
    family,
    method,
    model,
    bool_or(simulated) AS simulated,
    count(DISTINCT domain) AS domains,
    count(*) AS episodes,
    round(100 * avg(success::INT), 1) AS success,
    round(100 * avg(progress), 1) AS progress
FROM tested
GROUP BY family, method, model
ORDER BY family, method, model;
