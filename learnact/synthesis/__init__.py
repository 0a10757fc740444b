"""Synthesis of refinement-tuning data (AgentRefine, arXiv 2501.01702; docs/synthesis.md).

personas -> scripts -> trajectories of a player and a game master -> verification -> training data

job           the job file
reading       JSON in replies, read as far as it goes
scripts       scripts: reading, and the rules that they are checked by
trajectories  trajectories: reading, and their rules
patterns      patterns that a model wrote, matched in the sandbox
verification  one reply checked: what is accepted, what is kept, what is wrong
generation    one example: what is asked, and asked again
driver        a run: examples until enough are verified; resumes, keeps to limits
"""
