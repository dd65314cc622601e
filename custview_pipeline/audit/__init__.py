"""How good the data is: scores, findings and their targets."""
