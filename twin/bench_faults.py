"""Faults of a virtual bench: their names, how one is ordered in a line, and who could notice it.

The same line stands in a bench file (`[truth] faults`) and goes to the console (`inject ...`). Only the
software instruments act on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from .bench_roles import ROLES
from .quantity import nearest


class Fault(NamedTuple):
    """What can go wrong.

    `kind`: "lasting" holds from its moment on, "shot" strikes one shot, "line" spoils one reply, "queue"
    puts an error into an instrument's queue. `severity` is the default, `meaning` what the number is.
    `seen_by`: the least that shows it: one "shot", a "series" of them, a "read-back" of an instrument, or a
    "control shot" (without laser, with another attenuator, with a known source).
    """

    kind: str
    severity: float
    meaning: str
    seen_by: str


CATALOGUE: dict[str, Fault] = {
    "cavity_drift": Fault("lasting", 200e3, "jump of the cavity [Hz]", "series"),
    "quality_drop": Fault("lasting", 0.3, "share of the quality lost", "series"),
    "misfire": Fault("shot", 1.0, "no light", "shot"),
    "low_energy": Fault("shot", 0.3, "factor on the energy", "shot"),
    "double_pulse": Fault("shot", 1.0, "energy of a second pulse 30 us later, as a factor", "shot"),
    "energy_jitter": Fault("lasting", 0.2, "relative standard deviation added", "series"),
    "missed_trigger": Fault("shot", 1.0, "the digitiser is not triggered", "shot"),
    "false_trigger": Fault("shot", 1e-3, "the record is triggered this early [s]", "shot"),
    "late_trigger": Fault("shot", 500e-9, "the record is triggered this late [s]", "shot"),
    "arm_race": Fault("lasting", 0.05, "time that arming takes [s]", "read-back"),
    "scope_hang": Fault("line", 1.0, "no reply until the connection is opened anew", "read-back"),
    "clip": Fault("shot", 4.0, "factor on the volts of the burst channel", "shot"),
    "lna_compression": Fault("lasting", -25.0, "saturated power at the detector [dBm]", "control shot"),
    "limiter": Fault("lasting", -15.0, "flat top at the port [dBm]", "control shot"),
    "detector_range": Fault("lasting", 25.0, "power at the log detector too high by [dB]", "shot"),
    "intercept_drift": Fault("lasting", 1.0, "shift of the log detector's intercept [dB]", "shot"),
    "wrong_scale": Fault("lasting", 2.0, "factor on the volts of all channels", "shot"),
    "stale_data": Fault("shot", 1.0, "the digitiser returns its previous record", "shot"),
    "timeout": Fault("line", 30.0, "the reply comes this late [s]", "read-back"),
    "dropped_connection": Fault("line", 0.5, "share of the reply that leaves before the cut", "read-back"),
    "half_block": Fault("line", 0.5, "share of the reply that ever leaves", "read-back"),
    "wrong_length": Fault("line", 2.0, "bytes announced too many", "read-back"),
    "error_queue": Fault("queue", -222.0, "error found in the queue", "read-back"),
    "noise_burst": Fault("shot", 20.0, "noise added to the burst and log channels [dB]", "shot"),
    "rf_leakage": Fault("lasting", 6.5e6, "photons that leak into the mode", "series"),
    "interlock": Fault("lasting", 1.0, "fault code; 0: a person resets it", "read-back"),
    "bleached": Fault("lasting", 0.2, "share of the molecules lost", "series"),
    "clock_step": Fault("shot", 600.0, "time [s] by which the bench's clock jumps: temperature, drift, "
                        "warm-up and timed faults go on from there", "series"),
}
"""Every fault by name, in the order in which `inject list` shows them."""
NAMES = tuple(CATALOGUE)


@dataclass(frozen=True)
class FaultOrder:
    """One fault as ordered; `at` is ("now", 0), ("shot", number), ("time", s) or ("probability", p)."""

    name: str
    severity: float
    at: tuple[str, float] = ("now", 0.0)
    role: str = "digitiser"

    @property
    def kind(self) -> str:
        """As in `Fault`."""
        return CATALOGUE[self.name].kind


def read_order(line: str) -> FaultOrder:
    """`NAME [severity=X] [at=shot:N|time:S|probability:P] [role=ROLE]`; ValueError with advice."""
    name, *options = line.split() or [""]
    if name not in CATALOGUE:
        raise ValueError("unknown fault: " + nearest(name, NAMES))
    severity, at, role = CATALOGUE[name].severity, ("now", 0.0), "digitiser"
    for option in options:
        key, _, value = option.partition("=")
        if key == "severity":
            severity = _number(value, option)
        elif key == "at":
            at = _moment(value)
        elif key == "role":
            if value not in ROLES:
                raise ValueError("role: " + nearest(value, ROLES))
            role = value
        else:
            raise ValueError(f"{option}: expected severity=X, at=shot:N|time:SECONDS|probability:P "
                             "or role=ROLE")
    return FaultOrder(name, severity, at, role)


def _moment(text: str) -> tuple[str, float]:
    kind, _, value = text.partition(":")
    if kind not in ("shot", "time", "probability"):
        raise ValueError(f"at={text}: expected shot:N, time:SECONDS or probability:P")
    number = _number(value, f"at={text}")
    whole = kind != "shot" or number == int(number)
    if number < 0.0 or not whole or (kind == "probability" and number > 1.0):
        raise ValueError(f"at={text}: expected a shot number from 0, a time from 0 s or a probability 0 .. 1")
    return kind, number


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{where}: {text!r} is no number")
    return number
