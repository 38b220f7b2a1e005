"""The clinic: parameters with provenance, cohort, fates, rules that see a chart, events and histories."""
