-- One row per run.
-- run: id of the run
-- name: the job's name
-- state: the last event
-- started: first event
-- last: last event
-- sessions: how often it was started or continued
-- host: machine of the last session
-- versions: versions of the last session, as in `events`
-- job: the job as given, as JSON; secrets hidden
-- resolved: the job with everything filled in, as JSON; secrets hidden
SELECT run, arg_max(name, seq) AS name, arg_max(event, seq) AS state,
       make_timestamp(CAST(min(recorded) * 1e6 AS BIGINT)) AS started,
       make_timestamp(CAST(max(recorded) * 1e6 AS BIGINT)) AS last,
       count(*) FILTER (event IN ('started', 'resumed')) AS sessions,
       arg_max(host, seq) AS host, arg_max(versions, seq) FILTER (versions IS NOT NULL) AS versions,
       arg_max(job, seq) FILTER (job IS NOT NULL) AS job,
       arg_max(resolved, seq) FILTER (resolved IS NOT NULL) AS resolved
FROM stored.events GROUP BY run
