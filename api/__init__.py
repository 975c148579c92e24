"""The REST API over the services the pages use."""
