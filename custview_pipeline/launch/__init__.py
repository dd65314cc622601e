"""Runs the main job in this process, or serves UI and daemon; both on the project's own Dagster instance."""

from custview_pipeline.launch.home import open_instance, write_home
from custview_pipeline.launch.job import refresh
from custview_pipeline.launch.server import serve

__all__ = ["open_instance", "refresh", "serve", "write_home"]
