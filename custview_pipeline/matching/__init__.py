"""Which records belong to one customer, decided on tokens alone."""
