"""Bodies of the command line: what each command of `maserbench.py` does and prints."""
