"""Ray: a runner that spreads units of work over a cluster's workers, and what brings the cluster up. The only package that imports ray."""
