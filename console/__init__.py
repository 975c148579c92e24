"""Display sessions."""
