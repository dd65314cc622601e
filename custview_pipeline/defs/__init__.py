"""Dagster, thin: assets, checks, resources, jobs, schedules, sensors."""
