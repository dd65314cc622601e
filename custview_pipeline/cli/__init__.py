"""The ``custview`` command: what an operator does without opening Dagster."""

from custview_pipeline.cli.app import main

__all__ = ["main"]
