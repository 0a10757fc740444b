-- One row a run: the job as given and as resolved, versions, sessions, and the last thing that happened to it.
SELECT run, arg_max(name, seq) AS name, arg_max(event, seq) AS state,
       make_timestamp(CAST(min(recorded) * 1e6 AS BIGINT)) AS started,
       make_timestamp(CAST(max(recorded) * 1e6 AS BIGINT)) AS last,
       count(*) FILTER (event IN ('started', 'resumed')) AS sessions,
       arg_max(host, seq) AS host, arg_max(versions, seq) FILTER (versions IS NOT NULL) AS versions,
       arg_max(job, seq) FILTER (job IS NOT NULL) AS job,
       arg_max(resolved, seq) FILTER (resolved IS NOT NULL) AS resolved
FROM _events GROUP BY run
