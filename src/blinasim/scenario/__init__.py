"""Words only: frozen settings of cohort, policy, trial and study, and their loading."""
