-- Failed tries, attributed to one boundary.
SELECT * REPLACE (make_timestamp(CAST(recorded * 1e6 AS BIGINT)) AS recorded) FROM _attempts
