"""What a run tells dashboards, line by line, and where it can be heard."""
