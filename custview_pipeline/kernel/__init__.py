"""What every room may know: errors, identifiers, settings and ports."""
