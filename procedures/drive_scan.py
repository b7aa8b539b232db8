"""A pulse on 4-5 between light and burst, of growing length: what it leaves to the maser.

The tone goes to a coil of its own, as 107 MHz cannot pass the cavity; the output GH lets it out once the
triplets are there. It moves population out of the upper level of the maser and back again, so that the energy
of the burst, which brings the inversion s55 - s33, follows a damped cosine in the pulse's length. With
H = hbar Omega (sigma + sigma+) populations turn with 2 Omega; damped by the coherence's decay the cosine is
slower: 4 Omega^2 = w^2 + 1/T^2 of the fitted exp(-t/T) cos(w t) (Torrey's case of one damping).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pymeasure.experiment import FloatParameter, ListParameter

from twin.pentacene import Parameters
from twin.storage import relaxed

from .machinery.acquire import ROLES
from .machinery.fitting.bursts import PROPORTIONAL, burst_energy, delay
from .machinery.fitting.separable import Columns, Separated, separable
from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.points import Point, Points, along
from .machinery.storage.measured import Measured
from .single_shot import SingleShot

TRANSITIONS = ("45",)
_INVERSION = np.array([0.0, 0.0, -1.0, 0.0, 1.0])
_READY = 0.15e-6  # [s] after the light, when all triplets are made
_TRIALS, _DECAYS = 80, np.geomspace(0.05, 30.0, 12)  # trial frequencies; trial decays in scans


class DriveScan(SingleShot):
    """Drive a transition for longer and longer before the burst: Rabi frequency per square root of power."""

    ROLES: tuple[str, ...] = (*ROLES, "microwave_45")
    GATE = "microwave"
    ABOUT = About(swept="length of the pulse on 4-5 between light and burst",
                  read="burst and photodiode",
                  fitted="energy of the bursts: a damped cosine of the length",
                  drawn="energy of the burst over that of its pulse, against length")

    shots = settings.shots(default=21)
    pump_energy = settings.pump_energy(default=3e-3)
    transition = ListParameter("Transition", choices=list(TRANSITIONS), default="45",
                               description="levels between which the tone turns")
    power = FloatParameter("Power", units="W", default=10e-3, minimum=1e-15, maximum=1e3,
                           description="power into the coil")
    length = FloatParameter("Length", units="s", default=1.6e-6, minimum=1e-9, maximum=1e-3,
                            description="of the longest pulse; it must end before the burst")

    def points(self) -> Points:
        return along("length", np.linspace(0.0, self.length, self.shots))

    def prepare(self) -> None:
        bench = self.acquisition.bench
        line = bench.description.expected.parameters.frequency_45 / (2.0 * math.pi)
        source = bench.roles["microwave_45"]
        source.frequency, source.power, source.gated = line, 10.0 * math.log10(self.power / 1e-3), True
        self.acquisition.switch_on("microwave_45")
        source.settle()
        self._tone = {"microwave_45.power": source.power, "microwave_45.frequency": source.frequency,
                      "microwave_45.gated": 1.0, "microwave_45.output": 1.0}

    def take(self, point: Point) -> None:
        bench = self.acquisition.bench
        begin = bench.description.pump.arrival + _READY
        self.acquisition.take(self.pump_energy, self._tone | bench.gate(begin, begin + point["length"]))

    def conclude(self) -> None:
        self.acquisition.bench.roles["microwave_45"].output = False

    def answer(self, measured: Measured) -> dict[str, Any]:
        """`rabi_per_sqrt_watt` [rad/s per root watt]; {} where the bursts show no turning."""
        points = pulses(measured)
        found = rabi(measured.description.expected.parameters, *points.T)
        if found is None:
            return {}
        root_watt = math.sqrt(1e-3 * 10.0 ** (measured.shots[0].settings["microwave_45.power"] / 10.0))
        return {"rabi_per_sqrt_watt": found[0] / root_watt,
                "rabi_per_sqrt_watt_sigma": found[1] / root_watt, "bursts": len(points)}


def pulses(measured: Measured) -> np.ndarray:
    """Length [s], moment of the burst [s after the light] and its energy per pump energy, of each (N, 3)."""
    bench = measured.description
    found = [(shot.settings["timing.gate_length"], late,
              burst_energy(bench, shot, since=shot.start) / shot.energy)
             for shot in measured.shots if (late := delay(bench, shot)) is not None]
    return np.array(found).reshape(-1, 3)


def rabi(p: Parameters, lengths: np.ndarray, moments: np.ndarray,
         left: np.ndarray) -> tuple[float, float] | None:
    """Omega and its error [rad/s] from what pulses of `lengths` [s] (N,) leave (N,); None: no turning.

    A burst brings the inversion of its `moments` [s after the light] (N,). Until then the levels relax as
    the declared crystal does, in full where the pulse has made them equal, and after it where it has not.
    """
    found = turning(p, lengths, moments, left)
    if found is None:
        return None
    w, decay = found.shape
    omega = 0.5 * math.hypot(w, 1.0 / decay)
    slope = np.array([w, -(decay**-3)]) / (4.0 * omega)
    scatter = math.sqrt(float(slope @ found.covariance[:2, :2] @ slope))
    return omega, math.hypot(scatter, PROPORTIONAL * omega)


def turning(p: Parameters, lengths: np.ndarray, moments: np.ndarray, left: np.ndarray) -> Separated | None:
    """The damped cosine in what is `left` (N,), relative to its mean: shape w [rad/s] and T [s]."""
    distinct = len(np.unique(lengths))
    if distinct < 6:
        return None
    span = float(np.ptp(lengths))
    turns = np.linspace(0.3, 0.45 * distinct, _TRIALS)  # of the longest pulse, less than half of N
    return separable(turned(p, lengths, moments), left / np.mean(left),
                     [2.0 * math.pi * turns / span, span * _DECAYS])


def turned(p: Parameters, lengths: np.ndarray, moments: np.ndarray) -> Columns:
    """Shape -> the columns (N, 3) that a damped turning is made of, as `rabi` tells."""
    third, fourth, fifth = p.branching
    equal = np.array([0.0, 0.0, third, 0.5 * (fourth + fifth), 0.5 * (fourth + fifth)])
    unequal = np.array([0.0, 0.0, 0.0, fourth - fifth, fifth - fourth])
    level = relaxed(p, equal, moments) @ _INVERSION
    swing = relaxed(p, unequal, moments - lengths) @ _INVERSION

    def columns(shape: np.ndarray) -> np.ndarray:
        phase, fade = shape[0] * lengths, swing * np.exp(-lengths / shape[1])
        return np.column_stack([fade * np.cos(phase), fade * np.sin(phase), level])

    return columns
