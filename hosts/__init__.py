"""Hosts: status, figures, settle."""
