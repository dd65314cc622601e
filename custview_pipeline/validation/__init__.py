"""Which rows are accepted, which are refused, and why."""
