"""Collective coupling against pump energy: how far the normal modes of crystal and cavity are split.

The splitting is 2 g_e/(2 pi) with g_e = g sqrt(dN), dN the inverted molecules right after the pulse. It is
never read off the ringing, which is slower by a factor that depends on everything else; every burst is
fitted, and g_e = G sqrt(b5 - b3) follows from the fitted G = g sqrt(N Phi).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from twin.bench_description import BenchDescription

from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.rows import Row
from .machinery.storage.measured import Measured
from .pump_threshold import PumpThreshold


class StrongCoupling(PumpThreshold):
    """Scan the pump energy: splitting of the normal modes, and how it grows with the square root."""

    ABOUT = About(swept="pump energy, evenly in its logarithm",
                  read="burst, photodiode and logarithmic detector",
                  fitted="every burst with the twin: splitting 2 g_e/(2 pi) from the coupling, and the "
                         "power with which it grows",
                  drawn="splitting against the root of the energy")

    pump_energy_start = settings.pump_energy("First pump energy", 5e-4, "energy of the scan's first pulse")

    def answer(self, measured: Measured) -> dict[str, Any]:
        """`splitting` [Hz] at the highest energy [J] that was fitted, and the exponent of splitting ~ E^x."""
        rows = sorted(measured.rows.resolved(), key=lambda row: row.energy)
        if not rows:
            return {"verdicts": measured.rows.verdicts()}
        found = [splitting(row, measured.description) for row in rows]
        answer: dict[str, Any] = {"splitting": found[-1][0], "splitting_sigma": found[-1][1],
                                  "energy": rows[-1].energy}
        if len(rows) > 2:
            answer["exponent"] = _exponent([row.energy for row in rows], [value for value, _ in found])
        return answer | {"verdicts": measured.rows.verdicts()}


def splitting(row: Row, bench: BenchDescription) -> tuple[float, float]:
    """2 g_e/(2 pi) [Hz] of a fitted shot, with its statistical error."""
    assert row.fit is not None
    p = bench.expected.parameters
    scale = math.sqrt(p.branching[2] - p.branching[0]) / math.pi
    return (scale * row.fit.parameters["collective_coupling"], scale * row.fit.sigma["collective_coupling"])


def _exponent(energies: list[float], splittings: list[float]) -> float:
    """x of splitting ~ energy^x: one half while the crystal is thin, less once it bleaches."""
    return float(np.polyfit(np.log(energies), np.log(splittings), 1)[0])
