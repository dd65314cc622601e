"""Custview: one trusted view of each customer, with no readable personal data at rest."""
