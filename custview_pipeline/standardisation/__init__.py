"""Values as sources write them become values that can be compared."""
