-- What happened to a run: started, resumed, drained, finished.
SELECT run, name, event, make_timestamp(CAST(recorded * 1e6 AS BIGINT)) AS at, host, pid, versions, job, resolved, seq
FROM _events ORDER BY run, seq
