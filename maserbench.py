"""Command line of maserbench."""


def main() -> None:
    raise SystemExit("not yet")
