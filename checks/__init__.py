"""The vendor's operations checklist as a pack: one module a row, with checklist.yaml, clauses.yaml and thresholds.yaml."""
