"""Bursts that others recorded: CSV of seconds and volts, with a photodiode's volts in a third column or not.

Reads the file it is given. What comes out is an ordinary shot, so that it is stored, fitted and shown
like one of ours; its codes are the file's numbers on a grid of 16 bits.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from instruments.waveform import Waveform
from twin.bench_description import BenchDescription
from twin.photodiode import NO_PULSE

from ..records.shot import Origin, Shot

_FEWEST = 50
_CODES = 2**16 - 8   # codes over the record's range, which keeps the rails of 16 bits free
_UNEVEN = 0.01       # sample intervals by which a sample may lie off the even grid
_NAMES = ("burst", "photodiode")


def recorded_shot(bench: BenchDescription, path: Path, number: int = 0) -> Shot:
    """The burst in a file as a shot. ValueError with file and line; FileNotFoundError.

    With a photodiode the time axis is moved so that the light comes where the bench file says it arrives
    (`pump.arrival`), because another trigger than this bench's started the record; without one the file's
    own zero is taken for the trigger, and the pulse's energy is not known.
    """
    table = _table(path)
    time, interval = table[:, 0], _interval(path, table[:, 0])
    pulse, start = NO_PULSE, float(time[0])
    if table.shape[1] == len(_NAMES) + 1:
        pulse = bench.photodiode.read(time, table[:, 2])
        if not math.isfinite(pulse.energy):
            raise ValueError(f"{path}: there is no pulse in the photodiode's column; leave the column out, "
                             "or correct [photodiode] in the bench file")
        start += bench.pump.arrival - pulse.start
    waveforms = {name: _waveform(volts, start, interval, str(path.name))
                 for name, volts in zip(_NAMES, table.T[1:], strict=False)}
    first_light = bench.pump.arrival if "photodiode" in waveforms else math.nan
    return Shot(number, "", {}, waveforms, Origin.REAL, start=first_light, energy=pulse.energy)


def _table(path: Path) -> np.ndarray:
    """(T, 2) or (T, 3): seconds and volts."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    rows = list(_rows(path))
    if len(rows) < _FEWEST:
        raise ValueError(f"{path}: found {len(rows)} samples; expected at least {_FEWEST} lines "
                         "'seconds,volts' or 'seconds,volts,photodiode volts'")
    table = np.array(rows)
    if not np.all(np.isfinite(table)) or np.any(np.diff(table[:, 0]) <= 0.0):
        raise ValueError(f"{path}: times must rise, and all numbers must be finite")
    return table


def _rows(path: Path) -> Iterator[list[float]]:
    """The file's numbers; a header is passed over, a line that breaks the table is told."""
    width = 0
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        for number, row in enumerate(csv.reader(file), start=1):
            if not row or row[0].lstrip().startswith("#"):
                continue
            try:
                values = [float(text) for text in row[:len(_NAMES) + 1]]
            except ValueError:
                values = []
            if not width and len(values) < 2:
                continue
            if width and len(values) != width:
                raise ValueError(f"{path}, line {number}: expected {width} numbers as in the lines before, "
                                 f"found {','.join(row)!r}")
            width = len(values)
            yield values


def _interval(path: Path, time: np.ndarray) -> float:
    """Time between two samples [s] of an even record."""
    interval = float(time[-1] - time[0]) / (len(time) - 1)
    off = float(np.max(np.abs(time - time[0] - interval * np.arange(len(time))))) / interval
    if off > _UNEVEN:
        raise ValueError(f"{path}: a sample lies {off:.2g} intervals of {interval:.4g} s off an even grid; "
                         "resample the record evenly")
    return interval


def _waveform(volts: np.ndarray, start: float, interval: float, name: str) -> Waveform:
    """The volts as codes: as they are where they lie on a grid, else rounded to 1/65528 of their range."""
    levels = np.unique(volts)
    span = float(levels[-1] - levels[0])
    step = float(np.min(np.diff(levels))) if span else 1.0
    if span / step > _CODES or not _on_grid(levels, step):
        step = span / _CODES
    middle = levels[0] + step * round(0.5 * span / step)
    codes = np.rint((volts - middle) / step).astype(np.int16)
    return Waveform(codes, step, float(middle), start, interval, name)


def _on_grid(levels: np.ndarray, step: float) -> bool:
    steps = (levels - levels[0]) / step
    return bool(np.max(np.abs(steps - np.rint(steps))) < 1e-2)
