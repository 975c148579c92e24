"""Hosts: status, figures, devices, what happened on them; settle."""
