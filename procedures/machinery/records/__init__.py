"""What is handed from one part to another: shots, rows, points, settings, events, failures. No I/O."""
