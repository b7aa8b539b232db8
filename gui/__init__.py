"""The window: runs as plots, tables and forms. Knows procedures and twin, never an instrument."""
