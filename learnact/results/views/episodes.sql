-- One row per finished episode. An episode that failed outside of the agent (provider, sandbox, environment,
-- harness) is in `attempts` instead. Older runs kept checks as training episodes; here they are checks.
SELECT * REPLACE (
    CASE WHEN finished > 0 THEN make_timestamp(CAST(finished * 1e6 AS BIGINT)) END AS finished,
    CASE WHEN phase = 'learn' AND agent = 'program' THEN 'check' ELSE phase END AS phase
)
FROM stored.episodes
