"""Rows of text as columns: lined up where a person reads, and nothing that a script must take off again."""

from __future__ import annotations

from collections.abc import Sequence


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their titles; columns that are empty in all rows are left out."""
    used = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    lines = [[text[i] for i in used] for text in (columns, *rows)] if rows else []
    widths = [max(len(line[i]) for line in lines) for i in range(len(used))]
    for line in lines:
        print("  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip())
