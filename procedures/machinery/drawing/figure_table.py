"""A figure's numbers as CSV: claims, axes and commands as comments, then one long table.

Writes the one file it is asked for.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from twin.figures.figure import Axis, Figure, Series


def write_table(figure: Figure, file: Path) -> None:
    """`series,x,y[,z]` in full double precision; what is not a number is an empty field."""
    with file.open("w", encoding="utf-8", newline="") as f:
        f.writelines(f"# {line}\n" for line in comments(figure))
        rows = csv.writer(f, lineterminator="\n")
        rows.writerow(["series", "x", "y", *(["z"] if figure.z else [])])
        for series in figure.series:
            rows.writerows(_rows(series))


def comments(figure: Figure) -> Iterator[str]:
    """First claim, our value and verdict in one line, then axes, then each series with its command."""
    yield " | ".join(map(str, figure.claims)) or figure.title
    for letter, axis in (("x", figure.x), ("y", figure.y), ("z", figure.z), ("y right", figure.right)):
        if axis is not None:
            yield f"{letter}: {_named(axis)}"
    for series in figure.series:
        yield f"series {series.name}: {series.calculation.command}"
    yield from (f"note: {note}" for note in figure.notes)


def _named(axis: Axis) -> str:
    return f"{axis.name} [{axis.unit or '1'}]"


def _rows(series: Series) -> Iterator[list[str]]:
    for row in series.table.tolist():
        yield [series.name, *("" if v != v else repr(v) for v in row)]
