"""A run on disk: written while it goes on, opened afterwards, exported."""
