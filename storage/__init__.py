"""Pools, volumes and uploads."""
