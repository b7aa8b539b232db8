"""Which answers of which procedures are values that a bench file declares, and where it declares them.

A pure function of the bench file; no I/O.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twin.bench_description import BenchDescription


@dataclass(frozen=True)
class Declared:
    """A key of a bench file, and what a bench says there (SI); None where it has no such part."""

    key: str
    declared: Callable[[BenchDescription], float | None]


def _receiver(channel: str, name: str) -> Declared:
    def declared(bench: BenchDescription) -> float | None:
        return getattr(bench.receivers[channel], name) if channel in bench.receivers else None

    return Declared(f"[receiver.{channel}] {name}", declared)


def _option(role: str, name: str) -> Declared:
    def declared(bench: BenchDescription) -> float | None:
        return bench.roles[role].options.get(name) if role in bench.roles else None

    return Declared(f"[{role}] {name}", declared)


def _decay(bench: BenchDescription) -> float:
    """kappa [rad/s] of the declared line."""
    receiver = bench.receivers["burst"]
    return 2.0 * math.pi * receiver.frequency / receiver.loaded_quality


CALIBRATED: Mapping[str, Declared] = {
    "slope": _receiver("log", "slope"), "intercept": _receiver("log", "intercept"),
    "conversion": _receiver("burst", "conversion"), "frequency": _receiver("burst", "frequency"),
    "loaded_quality": _receiver("burst", "loaded_quality"),
    "coupling_factor": _receiver("burst", "coupling_factor"),
    "cavity_decay": Declared("[receiver.burst] loaded_quality", _decay),
    "cable_delay": _option("vna", "cable_delay"),
    "frequency_35": Declared("[expected.pentacene] frequency_35",
                             lambda bench: bench.expected.parameters.frequency_35),
    "rabi_per_sqrt_watt": _option("microwave_45", "rabi_per_sqrt_watt"),
}
"""{answer: where a bench file declares the same quantity}."""

_LINE = ("frequency", "loaded_quality", "coupling_factor")
PROCEDURES: Mapping[str, tuple[str, ...]] = {
    "receiver_calibration": ("slope", "intercept", "conversion"), "cavity_sweep": _LINE,
    "vector_sweep": (*_LINE, "cable_delay"), "ring_down": ("cavity_decay",),
    "frequency_tuning": ("frequency_35",), "detuning_scan": ("frequency_35",),
    "drive_scan": ("rabi_per_sqrt_watt",),
}
"""{procedure: its answers that calibrate}."""
