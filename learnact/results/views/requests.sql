-- One row per request of a learner to a model: a unit of work like an episode.
SELECT * REPLACE (CASE WHEN finished > 0 THEN make_timestamp(CAST(finished * 1e6 AS BIGINT)) END AS finished)
FROM stored.requests
