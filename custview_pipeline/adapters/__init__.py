"""The outside world behind the ports: Delta tables, files, key providers."""
