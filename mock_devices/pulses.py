"""The light that leaves the laser in one shot: energy, its jitter, ageing lamps, a cold laser, faults."""

from __future__ import annotations

import math

from .bench_file import World
from .streams import stream

SECOND_PULSE = 30e-6  # [s] after the first, when the laser fires twice

Pulses = tuple[tuple[float, float], ...]
"""(energy [J], first light after T0 [s]) of each pulse, in their order."""


def pulses_of(world: World, share: float, lamp: float, q_switch: float, shot: tuple[int, int], time: float,
              on: dict[str, float]) -> Pulses:
    """What lamp and Q-switch triggers at these times after T0 [s] bring, at a `share` of the full energy.

    `shot` is (seed, number), `time` [s] since the run began, when the laser was cold; `on` the faults.
    """
    pump, missing = world.pump, world.imperfections
    energy = pump.energy_at(q_switch - lamp) * share
    if energy <= 0.0 or "misfire" in on:
        return ()
    seed, number = shot
    random = stream(seed, "pump", number)
    jitter = math.hypot(pump.energy_jitter, on.get("energy_jitter", 0.0)) * random.normal()
    energy *= max(0.0, 1.0 + jitter) * (1.0 - pump.energy_decline) ** number * on.get("low_energy", 1.0)
    energy *= 1.0 - (missing.warm_up or 0.0) * math.exp(-time / (missing.warm_up_time or 1.0))
    arrival = q_switch + pump.arrival + pump.arrival_jitter * random.normal()
    second = on.get("double_pulse", 0.0)
    return ((energy, arrival),) + (((energy * second, arrival + SECOND_PULSE),) if second else ())
