-- The turns of all episodes as far as comparisons go. Two turns are the same move if their `move` is equal.
CREATE OR REPLACE TEMP VIEW report_turns AS
SELECT run, episode, turn, kind, callee, steps, why,
       {kind: kind, what: what, callee: callee, steps: steps, seen: observation, why: why} AS move
FROM (
    SELECT
        run, episode, turn, callee, len(steps) AS steps, observation, if(call = '', said, call) AS what,
        CASE
            WHEN kind <> 'action' THEN if(kind = 'thought', 'thought', 'unreadable')
            WHEN learned THEN if(ok, 'learned call', 'failed call')
            ELSE if(ok, 'primitive action', 'invalid action')
        END AS kind,
        CASE  -- what made it fail: the error, or the primitive action that was not possible
            WHEN ok THEN ''
            WHEN error.type IS NOT NULL THEN error.type
            ELSE coalesce(regexp_extract(list_filter(steps, lambda s: NOT s.ok)[1].command, '^[^( ]*')
                          || ' not possible', '')
        END AS why
    FROM turns
);
