"""Numbers with their certainty: intervals, differences, tests, power, ranks. Pure computation.

    intervals      a mean or share over tasks, with its interval
    components     where the variance of a mean comes from: tasks, libraries, both
    differences    two methods, paired by task and by repeat; a mean over a method's libraries
    significance   p-values by permutation, McNemar's, and Holm's correction
    spread         how much conditions differ, without sampling noise
    power          what a design can show
    amounts        turns, tokens, dollars; when a cost is paid back
    ranking        rank correlation, regret

docs/statistics.md has the formulas in words, and what the intervals cover by simulation.
"""
