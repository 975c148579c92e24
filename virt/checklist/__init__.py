"""Whether a host can be used, and what to do where it cannot: one line after another, from its name to its screens."""
