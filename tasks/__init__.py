"""The Task: every change of a host, as a row."""
