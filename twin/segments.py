"""What holds between two edges of a drive: tones, decay, and the integrator's rows of signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import integrate as engine
from .drive import CLOSEST, Drive, Gaussian, Steps, pump_line
from .straight_line import LANES

TONES = ("rabi_35", "rabi_45", "rabi_34")


def held_values(d: Drive, middle: float) -> dict[str, float]:
    """Tones, and the cavity's decay if the drive switches it, between two edges."""
    held = {}
    for name in TONES:
        value = getattr(d, name)
        held[name] = float(np.real(value.at(middle) if isinstance(value, Steps) else value))
    if d.cavity_decay is not None:
        value = d.cavity_decay
        held["cavity_decay"] = float(np.real(value.at(middle) if isinstance(value, Steps) else value))
    return held


def signal_row(d: Drive, start: float, stop: float, turning: float = 0.0) -> np.ndarray:
    """What `integrate.signals` needs between two edges; `turning` [rad/s] of the mode's drive."""
    row = np.zeros(engine.SIGNAL_COLUMNS)
    middle = 0.5 * (start + stop)
    row[engine.START] = start
    gate = _pumping(d, middle)
    if gate and isinstance(d.pump_rate, Gaussian):
        row[engine.PUMP] = d.pump_rate.peak_rate
        row[engine.CENTRE] = d.pump_rate.centre
        row[engine.SHARPNESS] = 2.0 * np.sqrt(np.log(2.0)) / d.pump_rate.fwhm
    elif gate:
        first, last = pump_line(d.pump_rate, start, stop)
        row[engine.PUMP], row[engine.SLOPE] = first, (last - first) / (stop - start)
    eps = d.cavity_drive.at(middle) if isinstance(d.cavity_drive, Steps) else d.cavity_drive
    row[engine.DRIVE_RE], row[engine.DRIVE_IM] = complex(eps).real, complex(eps).imag
    row[engine.DRIVE_DETUNING] = turning
    return row


def fill_lane(lane: np.ndarray, q: int, name: str, d: Drive, row: np.ndarray,
              turns: Mapping[str, float]) -> None:
    """Derivative of the signals by a field of the drive; shaped fields differentiate by a common factor.

    `turns`: those of `turning` by name, frequencies of the crystal among them.
    """
    lane[4 * LANES + q] = turns.get(name, 0.0)
    if name == "pump_rate":
        number = isinstance(d.pump_rate, float)
        lane[q] = float(_pumping(d, row[engine.START])) if number else row[engine.PUMP]
        lane[LANES + q] = 0.0 if number else row[engine.SLOPE]
    elif name == "cavity_drive":
        way = _direction(d.cavity_drive, row)
        lane[2 * LANES + q], lane[3 * LANES + q] = way.real, way.imag


def edge_shifts(d: Drive, name: str, starts: Sequence[float]) -> np.ndarray:
    """(S,) derivative of each segment's start [s] by a field of the drive: 1 where that field is the edge.

    Of an edge at the very start it is the derivative towards later times.
    """
    if name not in ("pump_on_at", "pump_off_at"):
        return np.zeros(len(starts))
    found = np.abs(np.array(starts) - getattr(d, name)) <= CLOSEST
    found[:1] = False  # nothing was in force before
    return found.astype(float)


def _pumping(d: Drive, time: float) -> bool:
    return d.pump_on_at <= time and (d.pump_off_at is None or time < d.pump_off_at)


def _direction(eps: Any, row: np.ndarray) -> complex:
    """d(eps)/d(cavity_drive): a real drive's value, a complex one's modulus, a shaped one's common factor."""
    if isinstance(eps, Steps):
        return complex(row[engine.DRIVE_RE], row[engine.DRIVE_IM])
    value = complex(eps)
    return value / abs(value) if value.imag else 1.0 + 0.0j
