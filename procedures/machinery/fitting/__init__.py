"""What is read from shots: checks, bursts, fits, and the process that fits beside a run."""
