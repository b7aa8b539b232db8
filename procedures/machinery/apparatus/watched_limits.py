"""The bench file's [limits] while a run is under way: what instruments read back, held against them.

What is asked for is checked before a run (`bench.check_wishes`); here it is what came. A violation is a
BenchFailure, which ends the run through the safe state. Commands nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from twin.bench_description import BenchDescription
from twin.bench_tables import LIMITS
from twin.quantity import show

from ..records.failures import BenchFailure


class WatchedLimits:
    """Limits of one run. `seconds` tells how long a physical time [s] takes on this bench's clock."""

    def __init__(self, description: BenchDescription, seconds: Callable[[float], float]) -> None:
        self._limits = description.limits
        self._period = seconds(1.0 / self._most("repetition_rate"))
        self.earliest = -math.inf
        """[s] of the monotonic clock, before which the next shot would come too fast."""

    def before_shot(self, now: float) -> None:
        """`now` [s] of the monotonic clock, right before the trigger."""
        if now < self.earliest:
            since = now - self.earliest + self._period
            raise BenchFailure(f"timing: a shot was due {show(since, 's')} after the last one; the bench "
                               f"allows one every {show(self._period, 's')} ([limits] repetition_rate)")
        self.earliest = now + self._period

    def after_shot(self, number: int, energy: float) -> None:
        """The pulse's energy [J] as the photodiode saw it; nan, where it saw none, is told elsewhere."""
        self._hold("pump_energy", energy, f"pump: the photodiode saw too much of shot {number}")

    def before_output(self, role: str, source: Any) -> None:
        """The power that a source reads back [dBm], before its output is switched on."""
        watts = 1e-3 * 10.0 ** (float(source.power) / 10.0)
        self._hold("rf_power", watts, f"{role}: its output stays off, because it is set too high")

    def _most(self, name: str) -> float:
        return self._limits.get(name, (0.0, math.inf))[1]

    def _hold(self, name: str, value: float, what: str) -> None:
        if value > self._most(name):
            unit = LIMITS[name].unit
            raise BenchFailure(f"{what}, {show(value, unit)} where the bench allows "
                               f"{show(self._most(name), unit)} ([limits] {name})")
