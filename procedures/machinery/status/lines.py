"""What a run tells a dashboard, as lines of JSON: the state as a whole, then one line per event.

Numbers in SI units, null where there is none. `VERSION` grows when a field changes its meaning or goes; a
reader passes over fields and events that it does not know. Touches nothing.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..records import events
from ..storage.event_log import moment

VERSION = 1
PHASES = ("starting", "running", "armed", "safe", "unknown", "ended")
"""`phase` of a state, in the order of a run; "unknown": the bench could not be read back safe."""


def line(name: str, fields: Mapping[str, Any]) -> bytes:
    """One line: version, moment and event first."""
    told = {"version": VERSION, "moment": moment(), "event": name, **fields}
    return json.dumps(_plain(told), allow_nan=False).encode() + b"\n"


def fields_of(event: events.Event) -> dict[str, Any]:
    """An event's fields without its records."""
    if isinstance(event, events.ShotStored):
        shot = event.shot
        return {"shot": shot.number, "taken": shot.moment, "energy": shot.energy, "start": shot.start,
                "origin": shot.origin, "settings": shot.settings}
    if isinstance(event, events.ShotFitted):
        return event.row.as_json()
    return {f.name: getattr(event, f.name) for f in dataclasses.fields(event)}


@dataclasses.dataclass(frozen=True)
class State:
    """Where a run stands, from its events alone. `shots`: how many are asked for."""

    phase: str = "starting"
    run: Path | None = None
    procedure: str = ""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    origin: str = ""
    shots: int = 0
    stored: int = 0
    fitted: int = 0
    text: str = ""
    last_shot: Mapping[str, Any] | None = None
    last_fit: Mapping[str, Any] | None = None
    safe: Mapping[str, Any] | None = None
    notices: int = 0
    ended: Mapping[str, Any] | None = None

    def after(self, event: events.Event) -> State:
        """The state once `event` has happened."""
        before = State() if isinstance(event, events.RunStarted) else self
        return dataclasses.replace(before, **before._change(event))

    def _change(self, event: events.Event) -> dict[str, Any]:
        told = fields_of(event)
        match event:
            case events.RunStarted():
                return {"phase": "running", "run": event.path, "procedure": event.procedure,
                        "settings": event.settings, "origin": event.origin, "shots": event.shots}
            case events.Armed():
                return {"phase": "armed", "safe": None}
            case events.ShotStored():
                return {"stored": event.shot.number + 1, "last_shot": told}
            case events.ShotFitted():
                return {"fitted": self.fitted + 1, "last_fit": told}
            case events.Progress():
                return {"text": event.text}
            case events.SafeState() | events.TakenOver():
                return {"phase": "safe" if event.verified else "unknown", "safe": told}
            case events.RunEnded():
                return {"phase": "unknown" if self.phase == "unknown" else "ended", "ended": told}
        return {"notices": self.notices + 1}


def _plain(value: Any) -> Any:
    """`value` for JSON, which has neither NaN nor paths."""
    if isinstance(value, Mapping):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(member) for member in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value if value is None or isinstance(value, (str, int)) else str(value)
