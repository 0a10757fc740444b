-- Finished episodes.
SELECT * REPLACE (CASE WHEN finished > 0 THEN make_timestamp(CAST(finished * 1e6 AS BIGINT)) END AS finished) FROM _episodes
