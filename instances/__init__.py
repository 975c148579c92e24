"""Guests: list, detail, create; the overview."""
