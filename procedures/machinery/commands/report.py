"""`maserbench report`: a stored run as a page to read, and its procedure's picture."""

from __future__ import annotations

from pathlib import Path

from procedures.machinery.continuing import as_stored, measured_of
from procedures.machinery.report import picture_of, report
from procedures.machinery.storage.places import for_file
from procedures.machinery.storage.runs import open_run


def print_report(path: Path, plot: Path | None) -> None:
    """Print the report; draw into `plot` (PNG or SVG). NoAnswer (3) where the run carries no picture."""
    from procedures.machinery.records.failures import NoAnswer

    if plot is not None:
        for_file(plot, "--plot")
    with open_run(path) as run:
        measured = measured_of(run, as_stored)
        print(report(run, measured))
        if plot is None:
            return
        picture = picture_of(run, measured)
        if picture is None:
            raise NoAnswer(f"{path}: no picture, since this run holds too little for that of {run.procedure}")
        from procedures.machinery.drawing.picture_drawing import draw

        draw(picture, plot, f"{run.path.name}, {run.manifest['origin'].upper()}")
        print(f"\nwrote {plot}")
