"""`maserbench sweep` and `simulate`: what the twin says at one point or over a grid, as CSV or netCDF."""

from __future__ import annotations

import contextlib
import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from procedures.machinery.apparatus.warm import tell_when_compiling
from procedures.machinery.storage.places import for_file
from twin.calculation import Calculation, system

from .assignments import assignments

Options = dict[str, str | int | None]
_EXAMPLE = "pump_rate=log:1e6/s:1e8/s:21"


def simulate(name: str, options: Options, settings: Sequence[str], columns: str | None,
             output: Path | None) -> None:
    """Write one run of a system, by default all that it shows along time; None among options: the default."""
    _answer(_calculation(name, (), settings, options, columns or ",".join(system(name).shown)), output, None)


def sweep(name: str, axes: Sequence[str], options: Options, settings: Sequence[str], columns: str | None,
          output: Path | None) -> None:
    """Write one row for each grid point (and time, if a column runs along it); progress on stderr."""
    known = system(name)
    if not axes:
        raise ValueError(f"--axis: a sweep needs at least one, for example --axis {_EXAMPLE}")
    if columns is None:
        once = [name for name, column in known.columns.items() if not column.along]
        columns = ",".join([*assignments(axes, "--axis", _EXAMPLE), *once])
    _answer(_calculation(name, axes, settings, options, columns), output, _Progress())


def _calculation(name: str, axes: Sequence[str], settings: Sequence[str], options: Options,
                 columns: str) -> Calculation:
    given = tuple((option, str(value)) for option, value in options.items() if value is not None)
    return Calculation(name, tuple(column.strip() for column in columns.split(",")),
                       tuple(assignments(axes, "--axis", _EXAMPLE).items()),
                       tuple(assignments(settings).items()), given)


class _Progress:
    """Points done, on one line of a terminal, or every tenth of them."""

    def __init__(self) -> None:
        self.shown = 0

    def __call__(self, done: int, total: int) -> None:
        tenth = 10 * done // total
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            print(f"\r{done} of {total} points", end=end, file=sys.stderr, flush=True)
        elif tenth > self.shown:
            self.shown = tenth
            print(f"{done} of {total} points", file=sys.stderr, flush=True)


def _answer(asked: Calculation, output: Path | None, progress: Callable[[int, int], None] | None) -> None:
    tell_when_compiling()
    write = _writer(asked, output)
    said: set[str] = set()

    def say(text: str) -> None:
        if text not in said:
            said.add(text)
            print(f"maserbench: {text}", file=sys.stderr)

    write(asked.rows(say, progress))


def _writer(asked: Calculation, output: Path | None) -> Callable[[np.ndarray], None]:
    if output is not None and output.suffix in (".csv", ".nc"):
        for_file(output)
    if output is None or output.suffix == ".csv":
        return lambda table: _csv(asked.columns, table, output)
    if output.suffix == ".nc":
        return lambda table: _netcdf(asked, table, output)
    raise ValueError(f"--output {output}: expected a file that ends in .csv or .nc")


def _csv(columns: tuple[str, ...], table: np.ndarray, output: Path | None) -> None:
    with _opened(output) as f:
        rows = csv.writer(f, lineterminator="\n")
        rows.writerow(columns)
        rows.writerows([["" if v != v else repr(v) for v in row] for row in table.tolist()])


def _netcdf(asked: Calculation, table: np.ndarray, output: Path) -> None:
    import xarray

    columns = system(asked.system).columns
    grids = asked.grids()
    shape = tuple(len(points) for points in grids.values())
    dims = tuple(grids)
    if len(table) > np.prod(shape):
        # Time, or whatever else runs along a run, is the same for each point of the grid.
        along = next((name for name in ("time", "collision") if name in asked.columns), "row")
        dims, shape = (*dims, along), (*shape, len(table) // int(np.prod(shape)))
    data = xarray.Dataset(coords=grids, attrs={"command": asked.command})
    for place, name in enumerate(asked.columns):
        unit = columns[name].unit if name in columns else system(asked.system).unit(name)
        values = table[:, place].reshape(shape)
        if name in grids:
            data[name].attrs["units"] = unit
        elif name in dims:
            data[name] = (name, values.reshape(-1, shape[-1])[0], {"units": unit})
        else:
            data[name] = (dims, values, {"units": unit})
    data.to_netcdf(output, engine="h5netcdf")


@contextlib.contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    with output.open("w", encoding="utf-8", newline="") as f:
        yield f
