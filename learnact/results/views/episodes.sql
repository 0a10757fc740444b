-- One row per finished episode. An episode that failed outside of the agent (provider, sandbox, environment,
-- harness) is in `attempts` instead.
SELECT * REPLACE (CASE WHEN finished > 0 THEN make_timestamp(CAST(finished * 1e6 AS BIGINT)) END AS finished)
FROM stored.episodes
