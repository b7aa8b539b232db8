"""The names under which procedures answer, and the unit of each: for terminal and window; common answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.cavity import CavityFit

from .rows import FITTED

UNITS: Mapping[str, str] = {
    **FITTED,
    "threshold_energy": "J", "threshold_per_quality": "J", "detection_energy": "J", "energy": "J",
    "frequency": "Hz", "linewidth": "Hz", "splitting": "Hz", "bandwidth": "Hz",
    "frequency_35": "rad/s", "rabi_per_sqrt_watt": "rad/s/W^(1/2)",
    "growth_rate": "1/s", "delay_mean": "s", "delay_sigma": "s", "storage_time": "s", "cable_delay": "s",
    "slope": "V/dB", "intercept": "dBm", "compression_point": "dBm", "gain_db": "dB",
}
"""{answer: SI unit}; one that is not here is a pure number."""


def of_cavity(found: CavityFit) -> dict[str, Any]:
    """The verdict on a sweep, and all that it told with the error of each."""
    return {"verdict": found.verdict, **found.parameters,
            **{f"{name}_sigma": error for name, error in found.sigma.items()}}
