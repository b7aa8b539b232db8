"""The maser as an amplifier: a weak tone at the loop, and how much stronger it comes back after the pulse.

Every record holds both: what the cavity reflects before the light, and the same tone a probe delay after it,
while the inversion amplifies it and no burst has grown yet. Their ratio in power is the gain at that
detuning and delay; on its way up it narrows, as the field of a tone on resonance grows longest. The tone
stands far above the thermal photons and far below what empties the inversion.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pymeasure.experiment import FloatParameter

from twin.bench_description import BenchDescription

from .machinery.acquire import ROLES
from .machinery.fitting.bursts import amplitude
from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.points import Point, Points, along
from .machinery.records.shot import Shot
from .machinery.storage.measured import Measured
from .single_shot import SingleShot

_AVERAGED = 0.15e-6  # [s] to both sides of the probe delay
_DARK = 0.2e-6  # [s] before the light in which the filter sees it already
_TOP = 8.0  # [dB] below the highest gain, down to which the curve is told
_ORDER = 4  # of the polynomial through it


class PumpProbe(SingleShot):
    """Probe the pumped cavity with a weak tone at several detunings: gain and bandwidth."""

    ROLES: tuple[str, ...] = (*ROLES, "microwave")
    ABOUT = About(swept="detuning of a weak probe from the mode",
                  read="the probe before the light and a probe delay after it, in one record",
                  fitted="gain against detuning: its top, and its width 3 dB below",
                  drawn="gain against detuning")

    shots = settings.shots(default=21)
    pump_energy = settings.pump_energy(default=0.2e-3)
    power = settings.power("of the probe at the loop", default=-50.0)
    span = settings.span("range of the probe's detunings, the cavity in the middle", default=5e5)
    probe_delay = FloatParameter("Probe delay", units="s", default=3e-6, minimum=0.0, maximum=1e-3,
                                 description="from the light until the gain is read")

    def points(self) -> Points:
        return along("detuning", self.span * np.linspace(-0.5, 0.5, self.shots))

    def prepare(self) -> None:
        bench = self.acquisition.bench
        mode, source = bench.description.receivers["burst"].frequency, bench.roles["microwave"]
        source.frequency, source.power, source.gated = mode, self.power, False
        self._probe = {"microwave.power": source.power, "microwave.output": 1.0}
        self.acquisition.switch_on("microwave")

    def take(self, point: Point) -> None:
        bench = self.acquisition.bench
        source = bench.roles["microwave"]
        source.frequency = bench.description.receivers["burst"].frequency + point["detuning"]
        source.settle()
        self.acquisition.take(self.pump_energy, self._probe | {"microwave.frequency": source.frequency})

    def conclude(self) -> None:
        self.acquisition.bench.roles["microwave"].output = False

    def answer(self, measured: Measured) -> dict[str, Any]:
        """`gain_db` at the best detuning, `bandwidth` [Hz] over which it is within 3 dB of that."""
        return curve(*gains(measured, self.probe_delay))


def gains(measured: Measured, probe_delay: float) -> tuple[np.ndarray, np.ndarray]:
    """Detunings [Hz] and gains [dB] of all pumped shots (N,)."""
    found = [gain(measured.description, shot, probe_delay) for shot in measured.shots
             if math.isfinite(shot.start)]
    pairs = np.array(found).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def gain(bench: BenchDescription, shot: Shot, probe_delay: float) -> tuple[float, float]:
    """(detuning [Hz] from the declared mode, gain [dB]) of one record."""
    receiver = bench.receivers["burst"]
    detuning = shot.settings["microwave.frequency"] - receiver.frequency
    time, volts = amplitude(receiver, shot)
    standing = volts * np.exp(-2j * math.pi * detuning * time)
    dark = standing[time < shot.start - _DARK]
    lit = standing[np.abs(time - shot.start - probe_delay) < _AVERAGED]
    if not len(dark) or not len(lit):
        return detuning, math.nan
    return detuning, 20.0 * math.log10(abs(np.mean(lit)) / max(abs(np.mean(dark)), 1e-300))


def smooth(detuning: np.ndarray, gains: np.ndarray
           ) -> tuple[np.ndarray, np.ndarray, np.polynomial.Polynomial] | None:
    """Detunings [Hz] and gains [dB] near the top, and the polynomial through them; None: too few."""
    high = gains > np.max(gains[np.isfinite(gains)], initial=-math.inf) - _TOP
    x, y = detuning[high], gains[high]
    if len(x) < _ORDER + 2 or np.ptp(x) == 0.0:
        return None
    return x, y, np.polynomial.Polynomial.fit(x, y, _ORDER)


def curve(detuning: np.ndarray, gains: np.ndarray) -> dict[str, float]:
    """{gain_db, bandwidth [Hz]} with errors from the scatter about a polynomial; what it does not hold is
    absent."""
    told = smooth(detuning, gains)
    if told is None:
        return {}
    x, y, line = told
    scatter = math.sqrt(float(np.sum((y - line(x)) ** 2)) / (len(x) - _ORDER - 1))
    fine = np.linspace(x.min(), x.max(), 2001)
    height = line(fine)
    top = int(np.argmax(height))
    sigma = scatter * math.sqrt((_ORDER + 1) / len(x))
    answer = {"gain_db": float(height[top]), "gain_db_sigma": sigma}
    below, above = (np.flatnonzero(side < height[top] - 3.0) for side in (height[:top], height[top:]))
    if not len(below) or not len(above):
        return answer
    edges = np.array([fine[below[-1]], fine[top + above[0]]])
    slopes = np.abs(line.deriv()(edges))
    return answer | {"bandwidth": float(np.ptp(edges)),
                     "bandwidth_sigma": sigma * math.sqrt(2.0 * float(np.sum(slopes**-2)))}
