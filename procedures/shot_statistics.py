"""Many shots at one energy: how long bursts keep one waiting, and by how much that differs.

A burst grows from a few thousand thermal photons, whose number is exponentially distributed, so that
ln n0 scatters by pi/sqrt(6) = 1.28 and the delay by 1.28 over the growth rate of the photon number. That is
physics and not trigger jitter; the scatter of the pulse energy and drifts come on top.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from twin.bench_description import BenchDescription

from .machinery.fitting.bursts import delay, growth_rate
from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.rows import Row
from .machinery.storage.measured import Measured
from .single_shot import SingleShot


class ShotStatistics(SingleShot):
    """Fire many shots at one energy: delays, their scatter, growth rate, drift."""

    ABOUT = About(swept="nothing: every shot is as the others",
                  read="burst, photodiode and logarithmic detector",
                  fitted="delay of every burst, their mean and scatter; growth rate from the twin's fits",
                  drawn="histogram of delays; delay against shot number, for drifts")

    shots = settings.shots(default=100)
    pump_energy = settings.pump_energy(default=3e-3)

    def answer(self, measured: Measured) -> dict[str, Any]:
        found = [delay(measured.description, shot) for shot in measured.shots]
        delays = np.array([seconds for seconds in found if seconds is not None])
        return {**_of_delays(delays), **_growth(measured.rows.resolved(), measured.description),
                "bursts": len(delays), "verdicts": measured.rows.verdicts()}


def _of_delays(delays: np.ndarray) -> dict[str, float]:
    """{delay_mean, delay_mean_sigma, delay_sigma, delay_sigma_sigma} [s]; {} for fewer than two bursts."""
    if len(delays) < 2:
        return {}
    scatter = float(np.std(delays, ddof=1))
    return {"delay_mean": float(np.mean(delays)), "delay_mean_sigma": scatter / math.sqrt(len(delays)),
            "delay_sigma": scatter, "delay_sigma_sigma": scatter / math.sqrt(2.0 * (len(delays) - 1))}


def _growth(rows: list[Row], bench: BenchDescription) -> dict[str, float]:
    """{growth_rate, growth_rate_sigma} [1/s] of the photon number right after the pulse, from the fits."""
    rates = [growth_rate(row, bench) for row in rows]
    if not rates:
        return {}
    answer = {"growth_rate": float(np.mean(rates))}
    if len(rates) > 1:
        answer["growth_rate_sigma"] = float(np.std(rates, ddof=1)) / math.sqrt(len(rates))
    return answer
