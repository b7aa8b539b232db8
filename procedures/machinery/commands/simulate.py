"""`maserbench simulate`: one trajectory of the twin as CSV or netCDF."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from twin.quantity import nearest, read

from .assignments import assignments

COLUMNS = ("time", "s1", "s2", "s3", "s4", "s5", "photons", "field_real", "field_imag")


def simulate(system: str, model: str, duration: str, points: int, settings: Sequence[str], seed: int | None,
             output: Path | None) -> None:
    """Write the trajectory of `system` on linspace(0, duration, points) to `output`, or as CSV to stdout."""
    if system == "micromaser":
        raise ValueError("simulate micromaser comes with the micromaser twin, which this version does not "
                         "have yet; 'simulate pentacene' is here")
    if system != "pentacene":
        raise ValueError(f"system: {nearest(system, ('pentacene', 'micromaser'))}")
    write = _writer(output)
    write(_table(model, read(duration, "s", "duration"), points, assignments(settings), seed))


def _table(model: str, duration: float, points: int, settings: dict[str, str],
           seed: int | None) -> np.ndarray:
    parameters, drive = pentacene_of(settings)
    if not duration > 0.0 or not 2 <= points <= 10_000_000:
        raise ValueError(f"duration = {duration:g} s must be positive and points = {points} in 2 .. 10000000")
    from twin import simulate as solve

    found = solve(parameters, drive, np.linspace(0.0, duration, points), model=model, seed=seed)
    if found.status != "ok":
        print(f"maserbench: {found.status}", file=sys.stderr)
    for warning in found.warnings:
        print(f"maserbench: {warning}", file=sys.stderr)
    return np.column_stack([np.linspace(0.0, duration, points), found.populations, found.photons,
                            np.real(found.field), np.imag(found.field)])


def pentacene_of(settings: dict[str, str]) -> tuple[Any, Any]:
    """(Parameters, Drive) with `settings` from text; ValueError for a name that neither knows."""
    from twin.drive import Drive
    from twin.pentacene import Parameters

    ours, drives = _names(Parameters), _names(Drive)
    for name in settings:
        if name not in ours and name not in drives:
            raise ValueError(f"--set: {nearest(name, [*ours, *drives])}")
    # cavity_decay is a parameter; the drive's field of that name takes a switching schedule, never text.
    return (Parameters().replace_text({n: v for n, v in settings.items() if n in ours}),
            Drive().replace_text({n: v for n, v in settings.items() if n not in ours}))


def _names(record: type) -> list[str]:
    return [*record.quantities(), *(f.name for f in dataclasses.fields(record))]  # type: ignore[attr-defined]


def _writer(output: Path | None) -> Any:
    if output is None or output.suffix == ".csv":
        return lambda table: _csv(table, output)
    if output.suffix == ".nc":
        return lambda table: _netcdf(table, output)
    raise ValueError(f"--output {output}: expected a file that ends in .csv or .nc")


def _csv(table: np.ndarray, output: Path | None) -> None:
    with _opened(output) as f:
        rows = csv.writer(f, lineterminator="\n")
        rows.writerow(COLUMNS)
        rows.writerows([["" if v != v else repr(v) for v in row] for row in table.tolist()])


def _netcdf(table: np.ndarray, output: Path) -> None:
    import xarray

    columns = {name: ("time", table[:, i]) for i, name in enumerate(COLUMNS) if name != "time"}
    data = xarray.Dataset(columns, {"time": ("time", table[:, 0], {"units": "s"})})
    data.to_netcdf(output, engine="h5netcdf")


@contextlib.contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    with output.open("w", encoding="utf-8", newline="") as f:
        yield f
