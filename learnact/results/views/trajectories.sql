-- One row per example of a synthesis (learnact synthesize): its script and its last verified turns.
SELECT * FROM stored.trajectories
