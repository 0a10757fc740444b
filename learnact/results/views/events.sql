-- What happened to a run, in order.
SELECT run, name, event, make_timestamp(CAST(recorded * 1e6 AS BIGINT)) AS recorded, host, pid, versions, job,
       resolved, seq
FROM stored.events ORDER BY run, seq
