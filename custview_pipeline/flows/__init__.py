"""Rooms strung together in memory; no Dagster, no files of its own."""
