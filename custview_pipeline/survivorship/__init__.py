"""Which source's value speaks for a customer, and why."""
