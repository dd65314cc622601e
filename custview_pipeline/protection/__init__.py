"""Keys, sealing, tokens: how personal data becomes storable."""
