"""What a person must look at, and what a person decided."""
