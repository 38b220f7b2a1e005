"""Words only: frozen settings of cohort, policy, capacity, trial and study, and their loading."""
