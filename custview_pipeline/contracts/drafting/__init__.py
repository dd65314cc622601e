"""Drafts a contract from a file nobody has described yet: what each column probably means, and how sure that is."""
