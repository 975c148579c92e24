"""Users, roles, grants and API tokens."""
