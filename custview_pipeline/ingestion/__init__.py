"""Deliveries: what came, and what of it is new, changed or gone."""
