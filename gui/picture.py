"""What a plot of one shot needs, and the last few hundred of these in memory.

Pure data: the same records come from a run that is under way and from one on disk.
"""

from __future__ import annotations

import dataclasses
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from procedures import FitRow, Origin, Shot
from procedures.machinery.records.events import ShotFitted
from twin.receiver import Receiver, envelope

ROOM = 200  # pictures kept; each holds about 130 kB


@dataclass(frozen=True, eq=False)
class Picture:
    """One shot in SI units: points (T,), model line (T,) or None, sigma (T,) of the points or None.

    `x_axis` and `y_axis` are (label, unit).
    """

    run: str
    number: int
    origin: Origin
    energy: float
    x: np.ndarray
    y: np.ndarray
    model: np.ndarray | None = None
    sigma: np.ndarray | None = None
    row: FitRow | None = None
    x_axis: tuple[str, str] = ("time from the trigger", "s")
    y_axis: tuple[str, str] = ("burst envelope", "V")

    @property
    def residuals(self) -> np.ndarray | None:
        """(measured - twin)/sigma (T,), None without a model line."""
        return None if self.model is None or self.sigma is None else (self.y - self.model) / self.sigma


def picture_of(shot: Shot, run: str, receiver: Receiver | None) -> Picture:
    """A shot before its fit: the burst's envelope, or a sweep as it was measured."""
    common = (run, shot.number, shot.origin, shot.energy)
    if "burst" in shot.waveforms:
        record = shot.waveform
        carrier = receiver.carrier_frequency if receiver else 0.0
        x, y = record.time, record.volts
        if receiver and carrier:
            x, y, _ = envelope(x, y, carrier, receiver.bandwidth)
        return Picture(*common, x, y, row=shot.fit)
    if "frequency" in shot.traces and len(shot.traces) > 1:
        name = next(name for name in shot.traces if name != "frequency")
        return Picture(*common, shot.traces["frequency"], shot.traces[name], row=shot.fit,
                       x_axis=("frequency", "Hz"), y_axis=(name.replace("_", " "), "dBm"))
    return Picture(*common, np.empty(0), np.empty(0), row=shot.fit)


def fitted_picture(event: ShotFitted, run: str, origin: Origin, energy: float) -> Picture:
    """A shot with the twin's answer; the model line is left out where the fit gave none."""
    model = event.model_volts if np.isfinite(event.model_volts).any() else None
    sigma = np.broadcast_to(event.sigma, event.data_volts.shape)
    return Picture(run, event.number, origin, energy, event.time, event.data_volts, model, sigma,
                   without_line(event.row))


def without_line(row: FitRow) -> FitRow:
    """The row without its arrays, small enough to be kept for every shot of a long run."""
    return dataclasses.replace(row, model_time=None, model_volts=None)


class Gallery:
    """The newest `ROOM` shots of a run. Filled by the thread that runs the bench, read by the window's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.begin("", Origin.REAL, None)

    def begin(self, run: str, origin: Origin, receiver: Receiver | None) -> None:
        """A new run: forget the last one."""
        with self._lock:
            self.run, self.origin, self._receiver = run, origin, receiver
            self._held: OrderedDict[int, Shot | Picture] = OrderedDict()

    def store(self, shot: Shot) -> None:
        """A shot that is on disk; its envelope is worked out only if somebody looks."""
        with self._lock:
            self._keep(shot.number, shot)

    def fit(self, event: ShotFitted) -> None:
        """The twin's answer; it takes the raw record's place."""
        with self._lock:
            held = self._held.get(event.number)
            energy = math.nan if held is None else held.energy
            self._keep(event.number, fitted_picture(event, self.run, self.origin, energy))

    def add(self, picture: Picture) -> None:
        """A picture made elsewhere, for instance from disk."""
        with self._lock:
            self._keep(picture.number, picture)

    def picture(self, number: int) -> Picture | None:
        """The picture of a shot, None when it is no longer in memory."""
        with self._lock:
            held = self._held.get(number)
            run, receiver = self.run, self._receiver
        return picture_of(held, run, receiver) if isinstance(held, Shot) else held

    def _keep(self, number: int, held: Shot | Picture) -> None:
        self._held[number] = held
        self._held.move_to_end(number)
        while len(self._held) > ROOM:
            self._held.popitem(last=False)
