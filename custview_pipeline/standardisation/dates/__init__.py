"""Dates of birth and moments in time."""
