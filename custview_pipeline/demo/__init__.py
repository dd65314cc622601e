"""A generated customer world and its project directory."""
