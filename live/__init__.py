"""The live channel: what changed, told to every open page."""
