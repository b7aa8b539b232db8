"""Faults that can be injected: when each strikes, seeded, and how a reply is spoilt.

Physical faults are asked for once per shot by the virtual cavity; faults of the line wait for the next
reply of their role. `Faults` knows nothing of sockets or physics; it only says what is on.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np

# name: (kind, default severity, what severity means). The order is the contract's.
# kinds: "lasting" holds from its moment on; "shot" strikes one shot; "line" spoils one reply; "queue" puts
# an error into an instrument's queue; "" comes later.
CATALOGUE: dict[str, tuple[str, float, str]] = {
    "cavity_drift": ("lasting", 200e3, "jump of the cavity [Hz]"),
    "quality_drop": ("lasting", 0.3, "share of the quality lost"),
    "misfire": ("shot", 1.0, "no light"),
    "low_energy": ("shot", 0.3, "factor on the energy"),
    "double_pulse": ("shot", 1.0, "energy of a second pulse 30 us later, as a factor"),
    "energy_jitter": ("lasting", 0.2, "relative standard deviation added"),
    "missed_trigger": ("shot", 1.0, "the digitiser is not triggered"),
    "false_trigger": ("shot", 1e-3, "the record is triggered this early [s]"),
    "late_trigger": ("shot", 500e-9, "the record is triggered this late [s]"),
    "arm_race": ("lasting", 0.05, "time that arming takes [s]"),
    "scope_hang": ("line", 1.0, "no reply until the connection is opened anew"),
    "clip": ("shot", 4.0, "factor on the volts of the burst channel"),
    "lna_compression": ("lasting", -25.0, "saturated power at the detector [dBm]"),
    "limiter": ("lasting", -15.0, "flat top at the port [dBm]"),
    "detector_range": ("lasting", 25.0, "power at the log detector too high by [dB]"),
    "intercept_drift": ("lasting", 1.0, "shift of the log detector's intercept [dB]"),
    "wrong_scale": ("lasting", 2.0, "factor on the volts of all channels"),
    "stale_data": ("shot", 1.0, "the digitiser returns its previous record"),
    "timeout": ("line", 30.0, "the reply comes this late [s]"),
    "dropped_connection": ("line", 0.5, "share of the reply that leaves before the cut"),
    "half_block": ("line", 0.5, "share of the reply that ever leaves"),
    "wrong_length": ("line", 2.0, "bytes announced too many"),
    "error_queue": ("queue", -222.0, "error found in the queue"),
    "noise_burst": ("shot", 20.0, "noise added to the burst and log channels [dB]"),
    "rf_leakage": ("lasting", 6.5e6, "photons that leak into the mode"),
    "interlock": ("lasting", 1.0, "fault code; 0: a person resets it"),
    "bleached": ("lasting", 0.2, "share of the molecules lost"),
    "clock_step": ("", 0.0, ""),
}
NAMES = tuple(CATALOGUE)
AVAILABLE = tuple(name for name, (kind, _, _) in CATALOGUE.items() if kind)


@dataclass
class Injection:
    """One fault that has been asked for; `at` is (shot | time | probability | now, value)."""

    name: str
    severity: float
    at: tuple[str, float]
    role: str
    done: bool = False

    def strikes(self, shot: int, trigger: int, time: float, seed: int) -> bool:
        """Whether it strikes this trigger of a run, which may become its record number `shot`."""
        kind, value = self.at
        if kind == "probability":
            stream = np.random.SeedSequence((seed, zlib.crc32(self.name.encode()), trigger))
            return bool(np.random.default_rng(stream).random() < value)
        due = {"shot": shot == value, "time": time >= value, "now": True}[kind]
        return due and not self.done


class Faults:
    """What has been injected, what lasts and what waits for a reply."""

    def __init__(self) -> None:
        self._injections: list[Injection] = []
        self.lasting: dict[str, float] = {}
        self._line: list[Injection] = []
        self._erring: str | None = None

    def inject(self, line: str) -> Injection:
        """Reads a line and starts what it orders; ValueError with advice."""
        injection = read_order(line)
        self.start(injection)
        return injection

    def start(self, injection: Injection) -> None:
        """From now on it waits for its moment, or it strikes now."""
        kind = CATALOGUE[injection.name][0]
        if injection.at[0] != "now":
            self._injections.append(injection)
        elif kind == "lasting":
            self._last(injection)
        elif kind == "line":
            self._line.append(injection)
        elif kind == "shot":
            self._injections.append(injection)

    def _last(self, injection: Injection) -> None:
        if injection.severity == 0.0:
            self.lasting.pop(injection.name, None)
        else:
            self.lasting[injection.name] = injection.severity

    def erring_role(self) -> str | None:
        """The role whose queue a struck error_queue is for; asked once after each shot."""
        role, self._erring = self._erring, None
        return role

    def at_shot(self, shot: int, trigger: int, time: float, seed: int) -> dict[str, float]:
        """Name -> severity of all that is on in this shot; faults of the line begin to wait for a reply."""
        on = {}
        for injection in self._injections:
            if not injection.strikes(shot, trigger, time, seed):
                continue
            injection.done = injection.at[0] != "probability"
            kind = CATALOGUE[injection.name][0]
            if kind == "lasting":
                self._last(injection)
            elif kind == "line":
                self._line.append(injection)
            elif kind == "queue":
                self._erring = injection.role
            on[injection.name] = injection.severity
        self._injections = [i for i in self._injections if not i.done]
        return self.lasting | on

    def for_reply(self, role: str, message: bytes, reply: bytes) -> Injection | None:
        """The fault that spoils this reply, taken off the list; some wait for a block."""
        for injection in self._line:
            needs_block = injection.name in ("half_block", "wrong_length")
            if injection.role == role and reply and (reply.startswith(b"#") or not needs_block):
                self._line.remove(injection)
                return injection
        return None


def read_order(line: str) -> Injection:
    """`NAME [severity=X] [at=shot:N|time:S|probability:P] [role=ROLE]`; ValueError with advice."""
    name, *options = line.split()
    if name not in CATALOGUE:
        raise ValueError(f"unknown fault {name}; known: {', '.join(NAMES)}")
    kind, severity, _ = CATALOGUE[name]
    if not kind:
        raise ValueError(f"{name} comes with a later version")
    at, role = ("now", 0.0), "digitiser"
    for option in options:
        key, _, value = option.partition("=")
        if key == "severity":
            severity = _number(value, option)
        elif key == "at":
            at = _moment(value)
        elif key == "role" and value:
            role = value
        else:
            raise ValueError(f"{option}: expected severity=X, at=shot:N|time:SECONDS|probability:P "
                             "or role=ROLE")
    return Injection(name, severity, at, role)


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{where}: {text!r} is no number")
    return number


def _moment(text: str) -> tuple[str, float]:
    kind, _, value = text.partition(":")
    if kind not in ("shot", "time", "probability"):
        raise ValueError(f"at={text}: expected shot:N, time:SECONDS or probability:P")
    return kind, _number(value, f"at={text}")
