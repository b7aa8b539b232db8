"""`maserbench figure`: the papers' figures as PNG and CSV, with claims and verdicts."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from procedures.machinery.apparatus.warm import tell_when_compiling
from procedures.machinery.storage.places import for_folder


def figure(name: str, output: Path, quick: bool) -> None:
    """Write DIR/NAME.png, DIR/NAME.csv and the inset's CSV for one figure or all; one line for each."""
    for_folder(output)
    tell_when_compiling()
    from twin.figures import FIGURES
    from twin.figures import figure as build

    names = list(FIGURES) if name == "all" else [name]
    first = None if name == "all" else build(name, quick)  # an unknown name leaves no folder behind
    output.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(names, start=1):
        start = perf_counter()
        files = _write(first or build(each, quick), output)
        print(f"[{number}/{len(names)}] {each}: {', '.join(map(str, files))} "
              f"({perf_counter() - start:.1f} s)", flush=True)


def _write(figure: object, output: Path) -> list[Path]:
    from procedures.machinery.drawing.figure_drawing import draw
    from procedures.machinery.drawing.figure_table import write_table
    from twin.figures import Figure

    assert isinstance(figure, Figure)
    image = output / f"{figure.name}.png"
    draw(figure, image)
    tables = [figure, *([figure.inset] if figure.inset else [])]
    files = [output / f"{table.name}.csv" for table in tables]
    for table, file in zip(tables, files, strict=True):
        write_table(table, file)
    return [image, *files]
