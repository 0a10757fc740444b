"""The Ray runner: spreads units of work over the workers of a cluster. The only package that imports ray."""
