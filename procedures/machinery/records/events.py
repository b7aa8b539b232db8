"""What a run tells those who watch it: the same frozen events feed terminal, window and events.jsonl.

Published from the thread that runs the bench, so a listener must return at once (a window
turns them into queued signals). Nothing here touches an instrument or a file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .shot import FitRow, Origin, Shot


@dataclass(frozen=True)
class RunStarted:
    """The run's folder exists and the bench is ready. `shots` is how many are asked for."""

    path: Path
    procedure: str
    settings: Mapping[str, Any]
    origin: Origin
    shots: int


@dataclass(frozen=True, eq=False)
class ShotStored:
    """The shot is on disk and acknowledged; only now may anyone see it."""

    shot: Shot


@dataclass(frozen=True, eq=False)
class ShotFitted:
    """The twin has answered for shot `number`. Arrays (T,) are the demodulated envelope as it was fitted.

    `time` [s from the trigger], `data_volts` [V], `model_volts` [V] (nan without a model line), `sigma` [V].
    """

    number: int
    row: FitRow
    time: np.ndarray
    data_volts: np.ndarray
    model_volts: np.ndarray
    sigma: np.ndarray


@dataclass(frozen=True)
class Progress:
    """`done` of `total` shots; `text` says what is going on when that is not obvious."""

    done: int
    total: int
    text: str = ""


@dataclass(frozen=True)
class Notice:
    """Something a person should know that does not end the run, such as the fit's process dying."""

    text: str


@dataclass(frozen=True)
class Paused:
    """The run is held before shot `shot`, its bench safe; `Armed` tells that a person has let it go on."""

    shot: int


@dataclass(frozen=True)
class SafeState:
    """The bench was driven into its safe state; `verified` says whether all of it was read back."""

    verified: bool
    laser: str
    shutter: str
    rf: str
    message: str


@dataclass(frozen=True)
class Armed:
    """Laser, shutter and timing are about to be released: who wants it, where, for what, up to which limits.

    `pump_energy` [J] is the largest pulse that is meant, `repetition_rate` [Hz]; `limits` are the bench's.
    """

    user: str
    host: str
    reason: str
    pump_energy: float
    repetition_rate: float
    limits: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class TakenOver:
    """The guard has made the bench safe in place of a controller that died or stalled, within `seconds`."""

    reason: str
    seconds: float
    verified: bool
    laser: str
    shutter: str
    rf: str
    message: str


@dataclass(frozen=True)
class RunEnded:
    """The run is over, the bench has been made safe. `state`: "finished" or "aborted".

    `shots` is how many are stored; None where nobody counted.
    """

    path: Path
    state: str
    message: str
    result: Mapping[str, Any]
    shots: int | None = None


Event = (RunStarted | Armed | ShotStored | ShotFitted | Progress | Notice | Paused | SafeState | TakenOver
         | RunEnded)
Publish = Callable[[Event], None]


def as_json(event: Event) -> dict[str, Any] | None:
    """The event as a line of events.jsonl: scalars only; None for what would only repeat other files."""
    if isinstance(event, ShotStored):
        return {"event": "ShotStored", "shot": event.shot.number}
    if isinstance(event, ShotFitted):
        return {"event": "ShotFitted", "shot": event.number, "verdict": event.row.verdict.name}
    if isinstance(event, Progress):
        return None
    fields = {f.name: _plain(getattr(event, f.name)) for f in dataclasses.fields(event)}
    return {"event": type(event).__name__, **fields}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return dict(value) if isinstance(value, Mapping) else value
