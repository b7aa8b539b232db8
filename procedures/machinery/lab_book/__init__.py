"""What is known over many runs: the index of runs, samples and their dose, calibrations."""
