"""The doors: what people write (project, source contracts, rulebook) and what every table must hold."""
