"""The statistics room: estimators of our own, for thousands of simulated trials at a time.

The room knows nothing of patients, drugs or scenarios: plain arrays go in, plain arrays or small frozen
dataclasses of arrays come out. Import from the modules, nothing is re-exported here:

- `survival` -- Kaplan-Meier for a batch of trials, arrays of shape (R, n): medians and their limits, survival
  on a day, restricted mean survival time, median follow-up;
- `tables` -- the same estimators from counts per whole day, which add up exactly over any number of trials;
- `competing` -- Aalen-Johansen cumulative incidence, in both forms;
- `logrank` -- log-rank tests of two groups for a batch of trials, weighted and stratified;
- `counting`, `cox` -- rows (start, stop], survival of groups that patients enter and leave, Cox models;
- `exposure`, `clone_weight` -- what a treatment does that patients begin on the way;
- `performance` -- bias, errors and coverage of an estimator over trials;
- `max_combo` -- the largest of several weighted log-rank statistics;
- `hazard_ratio` -- Cox's hazard ratio of two groups for a batch of trials;
- `differences` -- differences of restricted means, and of survival on a day;
- `group_sequential`, `error_spending`, `conditional_power` -- boundaries of interim looks, and what they do;
- `sequential_recursion` -- the integration from look to look that these boundaries rest on;
- `single_arm` -- exact binomial tests, Simon's two stages, predictive probability;
- `sample_size` -- events for a log-rank test;
- `illness_death` -- closed forms to judge by;
- `intervals` -- exact binomial limits, predictive intervals, Monte Carlo standard errors;
- `ratio`, `pairs` -- a ratio of means, and variances of means over pairs of trials, with their errors;
- `conditional_mean`, `information` -- what part of an outcome goes with some inputs, and what knowing them is worth;
- `pareto` -- whether a few importance weights carry all the others;
- `weights` -- weights that make a sample agree with published margins;
- `curves` -- what batch and table share: the step functions, their bands, areas and quantiles.

Two conventions hold throughout. Time is counted in whole days. On one day events come before censorings: a
patient censored on day t is at risk for the events of day t.
"""
