"""Studies: many replications of a scenario, and what they add up to."""
