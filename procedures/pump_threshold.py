"""Where masing starts: bursts at pump energies spaced logarithmically, fitted one by one.

Near threshold a burst is too weak to be seen, so the threshold is extrapolated from above: every
resolved burst tells its collective coupling, whose square is proportional to the triplets that the pulse
has made, and the declared pump says how the triplets go with the energy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from twin.optical_pump import triplets_per_molecule

from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.points import Point, Points, along
from .machinery.records.rows import Row
from .machinery.scan import Scan
from .machinery.storage.measured import Measured


class PumpThreshold(Scan):
    """Scan the pump energy and find where masing starts."""

    ABOUT = About(swept="pump energy, evenly in its logarithm",
                  read="burst, photodiode and logarithmic detector",
                  fitted="every burst with the twin; from each C, extrapolated down to C = 1; and the energy "
                         "above which half of the shots show a burst",
                  drawn="peak power and delay against energy, every shot; second axis C")

    shots = settings.shots(default=20)
    pump_energy_start = settings.pump_energy("First pump energy", 5e-5, "energy of the scan's first pulse")
    pump_energy_stop = settings.pump_energy("Last pump energy", 5e-3, "energy of the scan's last pulse")
    repetition_rate = settings.repetition_rate()

    def points(self) -> Points:
        return along("pump_energy", np.geomspace(self.pump_energy_start, self.pump_energy_stop, self.shots))

    def take(self, point: Point) -> None:
        self.acquisition.take(point["pump_energy"])

    def answer(self, measured: Measured) -> dict[str, Any]:
        rows, bench = measured.rows, measured.description
        return {**threshold_energy(rows.resolved(), bench), **detection_energy(rows.complete),
                "verdicts": rows.verdicts()}


def threshold_energy(rows: list[Row], bench: Any) -> dict[str, float]:
    """{threshold_energy, threshold_energy_sigma} [J]: where C = 1. Empty without a resolved burst.

    C = 2 G^2 (b5 - b3)/(kappa Gamma35) with the fitted G = collective_coupling, kappa and dephasing; b are
    the branching ratios, since the pulse is short against every relaxation of the triplet. Every shot tells
    by which factor its C differs from what the declared pump predicts at the energy its photodiode saw; the
    threshold is where the prediction times the mean factor is 1.
    """
    factors = np.array([cooperativity(row, bench) / predicted_cooperativity(bench, row.energy)
                        for row in rows])
    if not len(factors):
        return {}
    mean = float(np.mean(factors))
    energy = _solve(lambda e: mean * predicted_cooperativity(bench, e))
    if energy is None:
        return {}
    found = {"threshold_energy": energy}
    if len(factors) > 1:
        scatter = float(np.std(factors, ddof=1)) / math.sqrt(len(factors))
        found["threshold_energy_sigma"] = energy * scatter / mean
    return found


def cooperativity(row: Row, bench: Any) -> float:
    """C of a fitted shot, with the declared branching ratios."""
    assert row.fit is not None
    p, found = bench.expected.parameters, row.fit.parameters
    p = p.replace(**{name: found[name] for name in ("cavity_decay", "dephasing_35") if name in found})
    inversion = p.branching[2] - p.branching[0]
    return 2.0 * found["collective_coupling"] ** 2 * inversion / (p.cavity_decay * p.coherence_decay_35)


def predicted_cooperativity(bench: Any, energy: float) -> float:
    """C that the bench file's crystal and pump promise for a pulse of `energy` [J]."""
    p = bench.expected.parameters
    return p.cooperativity(triplets_per_molecule(p, bench.drive(energy)) * (p.branching[2] - p.branching[0]))


def _solve(cooperativity: Any, low: float = 1e-9, high: float = 1.0) -> float | None:
    """The energy [J] at which a growing `cooperativity` passes 1, by bisection in the logarithm."""
    if not cooperativity(low) < 1.0 < cooperativity(high):
        return None
    while high / low > 1.0 + 1e-9:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if cooperativity(middle) < 1.0 else (low, middle)
    return math.sqrt(low * high)


def detection_energy(rows: list[Row]) -> dict[str, float]:
    """{detection_energy} [J] above which shots show a burst and below which they do not. Empty without both.

    The energy that separates the two kinds with the fewest shots on the wrong side: half of the shots
    show a burst there.
    """
    seen = sorted((row.energy, row.fit.verdict.name != "NO_BURST") for row in rows
                  if row.fit and row.energy > 0.0 and row.fit.verdict.name not in ("MISFIRE", "MISTRIGGERED"))
    if not seen or all(burst for _, burst in seen) or not any(burst for _, burst in seen):
        return {}
    energies, bursts = np.array([e for e, _ in seen]), np.array([b for _, b in seen])
    # Wrong if the border lies after shot i: bursts below it plus quiet shots above it.
    wrong = [np.sum(bursts[:i]) + np.sum(~bursts[i:]) for i in range(1, len(bursts))]
    i = 1 + int(np.argmin(wrong))
    return {"detection_energy": float(math.sqrt(energies[i - 1] * energies[i]))}
