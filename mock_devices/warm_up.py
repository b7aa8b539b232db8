"""Compiles, or loads from numba's cache, what the first shot needs, so that it is not late."""

from __future__ import annotations

from twin.optical_pump import OpticalPump
from twin.pentacene import parameters

from .bench_file import World
from .burst import Order, compute
from .truth import effective_seed_of


def warm_up(world: World) -> None:
    """One tiny shot of each kind: both readings, in tune and out of tune (other variables are alive then)."""
    crystal, pulse = parameters("bench_default"), (5e-3, 0.0)
    for detuning in (0.0, 1e4):
        tuned = crystal.replace(cavity_frequency=crystal.frequency_35 + detuning)
        for mean_field in (True, False):
            order = Order(tuned, OpticalPump(), (pulse,), (0, 0), 3e-6, mean_field, spread=world.spread)
            effective_seed_of(compute(order), order)
