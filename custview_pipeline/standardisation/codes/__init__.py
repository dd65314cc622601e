"""Identifiers and closed lists: countries, languages, industries, gender, consent."""
