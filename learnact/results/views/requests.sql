-- A learner's requests to models, each a unit of work.
SELECT * REPLACE (CASE WHEN finished > 0 THEN make_timestamp(CAST(finished * 1e6 AS BIGINT)) END AS finished) FROM _requests
