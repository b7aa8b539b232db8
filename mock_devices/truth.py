"""What the truth log says of a shot and of the bench, in the fit's own names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from twin.effective_seed import LEVEL, effective_seed
from twin.optical_pump import OpticalPump, pump_drive, triplets_per_molecule
from twin.pentacene import Parameters

from .bench_file import World
from .burst import STEP, Burst, Order
from .record import Recording


def shot_truth(burst: Burst, order: Order, recording: Recording, world: World) -> dict[str, Any]:
    """{"parameters", "peak_photons", "faults"} of a digitised shot."""
    p = order.parameters
    start = order.pulses[0][1] if order.pulses else math.nan
    triplets = triplets_per_molecule(p, burst.drive) if burst.drive else 0.0
    return {
        "parameters": {
            "collective_coupling": p.coupling * math.sqrt(p.molecules * triplets),
            "cavity_decay": p.cavity_decay,
            "dephasing_35": p.dephasing_35,
            "seed_photons": effective_seed_of(burst, order),
            "amplitude_scale": amplitude_scale(world, "burst"),
            "detuning": p.cavity_frequency - p.frequency_35,
            "start": start,
            "coupling": p.coupling,
            "triplets": p.molecules * triplets,
            "pump_energy": sum(energy for energy, _ in order.pulses),
        },
        "peak_photons": burst.peak_photons,
        "faults": sorted(recording.faults),
    }


def effective_seed_of(burst: Burst, order: Order) -> float | None:
    """The seed with which the mean field meets the true trajectory; None without a burst."""
    if burst.drive is None:
        return None
    photons = np.abs(burst.field[burst.lit:]) ** 2 - 0.5
    if burst.seed_photons is not None:
        return burst.seed_photons if photons.max() >= LEVEL else None
    return effective_seed(order.parameters, burst.drive, photons, STEP * np.arange(len(photons)))


def amplitude_scale(world: World, name: str) -> float:
    """Power that the true chain turns into volts over that of the declared one."""
    true, declared = world.receivers[name], world.declared[name]
    ratio = true.gain * true.watts_per_photon / (declared.gain * declared.watts_per_photon)
    return ratio * (true.conversion / declared.conversion) ** 2 if true.detector == "if" else ratio


def bench_truth(world: World, p: Parameters, faults: dict[str, float]) -> dict[str, Any]:
    """The bench as it is, `p` being crystal and cavity with their faults: what calibrations ought to find."""
    loaded_quality = p.cavity_frequency / p.cavity_decay
    burst = world.receivers["burst"]
    truth = {
        "cavity_frequency": p.cavity_frequency, "frequency": p.cavity_frequency / (2.0 * math.pi),
        "loaded_quality": loaded_quality, "unloaded_quality": loaded_quality * (1.0 + burst.coupling_factor),
        "coupling_factor": burst.coupling_factor, "cavity_decay": p.cavity_decay,
        "coupling": p.coupling, "dephasing_35": p.dephasing_35, "frequency_35": p.frequency_35,
        "molecules": p.molecules, "conversion": burst.conversion,
        "amplitude_scale": amplitude_scale(world, "burst"),
        "threshold_energy": threshold_energy(p, world.pump), "efficiency": world.pump.efficiency,
        "richness": world.richness, "faults": dict(faults),
    }
    if "log" in world.receivers:
        log = world.receivers["log"]
        truth |= {"slope": log.slope, "intercept": log.intercept + faults.get("intercept_drift", 0.0)}
    return truth


def threshold_energy(p: Parameters, pump: OpticalPump) -> float:
    """Pulse energy [J] at which the cooperativity right after the pulse is 1; nan if no energy reaches it."""
    share = p.branching[2] - p.branching[0]

    def cooperativity(energy: float) -> float:
        return p.cooperativity(share * triplets_per_molecule(p, pump_drive(p, pump, energy)))

    low, high = 0.0, 1.0
    if cooperativity(high) < 1.0:
        return math.nan
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if cooperativity(middle) < 1.0 else (low, middle)
    return high
