"""Names of persons and enterprises, in any script."""
