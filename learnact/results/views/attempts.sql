-- Failed tries of episodes and requests, each with the boundary at which it failed. They are tried again and
-- never scored.
SELECT * REPLACE (make_timestamp(CAST(recorded * 1e6 AS BIGINT)) AS recorded) FROM stored.attempts
