"""Postal addresses of any country."""
