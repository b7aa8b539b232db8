"""A run for other programs: as netCDF or CSV on disk.

Reads a run, writes the one file it is asked for.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from .runs import Run

UNITS = {"collective_coupling": "rad/s", "coupling": "rad/s", "cavity_decay": "rad/s", "dephasing_35": "1/s",
         "detuning": "rad/s", "start": "s", "baseline": "V", "pump_rate": "1/s"}
"""SI units of what a fit can answer; names not listed are plain numbers."""


def to_netcdf(run: Run, file: Path) -> None:
    """All waveforms as volts, traces and fitted parameters in one netCDF-4 file."""
    import xarray

    if run.stored is None or not len(run.stored):
        raise ValueError(f"run {run.path.name} holds no shots to export")
    layout = run.stored.layout()
    parts = [run.to_xarray(name).rename(volts=name, time=f"{name}_time") for name in layout.waveforms]
    data = xarray.merge(parts, combine_attrs="override", join="outer", compat="no_conflicts")
    for name in layout.traces:
        data[name] = ((("shot", "point")), np.array([shot.traces[name] for shot in run.shots]))
    for name, column in fit_columns(run).items():
        data[name] = ("shot", column, {"units": UNITS.get(name.removesuffix("_sigma"), "")})
    data.to_netcdf(file, engine="h5netcdf")


def fit_columns(run: Run) -> dict[str, np.ndarray]:
    """What was fitted to each shot (shots,), by name, errors as NAME_sigma; nan where a shot has none."""
    fits, count = run.fits, len(run.shots)
    names = sorted({name for row in fits.values() for name in row.parameters})
    columns: dict[str, np.ndarray] = {}
    for name in names:
        for suffix, source in (("", "parameters"), ("_sigma", "sigma")):
            rows = {i: getattr(row, source).get(name, np.nan) for i, row in fits.items()}
            columns[name + suffix] = np.array([rows.get(i, np.nan) for i in range(count)])
    return columns


def to_csv(run: Run, file: Path) -> None:
    """One row per shot: number, moment, energy, start, settings, verdict and fitted parameters; SI."""
    columns = fit_columns(run)
    settings = sorted({name for shot in run.shots for name in shot.settings})
    with file.open("w", newline="", encoding="utf-8") as f:
        table = csv.writer(f)
        table.writerow(["shot", "moment", "energy", "start", *settings, "verdict", *columns])
        for shot in run.shots:
            row = [shot.energy, shot.start, *(shot.settings.get(s, np.nan) for s in settings)]
            verdict = shot.fit.verdict.name if shot.fit else ""
            table.writerow([shot.number, shot.moment, *map(_cell, row), verdict,
                            *(_cell(column[shot.number]) for column in columns.values())])


def _cell(value: float) -> str:
    return "" if value != value else repr(float(value))
