"""Where a search begins: traces of the library that look like the record, then the declared values.

Nothing is carried over from earlier shots, so a record fits to the same numbers alone, live or years later.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .burst import Burst
from .coordinates import Coordinates
from .crossing import first_light, pulse_length
from .trace_library import LONGEST_PULSE, Start, evenly_spread, library

_STARTS = 6


def cold_starts(at: Coordinates, declared: dict[str, float], found: Burst, start: float
                ) -> Iterator[np.ndarray]:
    """Vectors (k,) to start from, the most promising first; `start` [s]: the laser's edge on the record."""
    if pulse_length(at.drive) > LONGEST_PULSE:
        # The burst may come while the light is on: no library, the declared values and what surrounds them.
        yield at.vector(declared)
        yield from _around(at, declared)
        return
    names = set(at.names)
    moving = (bool(names & {"collective_coupling", "coupling"}), "cavity_decay" in names,
              "dephasing_35" in names)
    traces = library(at.parameters, at.drive, at.collective_coupling, moving)
    origin = start + first_light(at.drive)
    for guess in traces.starts(found.times - origin, found.amplitudes, found.half - origin, _STARTS):
        yield at.vector({**declared, **_values(guess, at)})
    yield at.vector(declared)


def _around(at: Coordinates, declared: dict[str, float]) -> Iterator[np.ndarray]:
    """Declared values moved by up to a quarter, the seed by up to e^2."""
    names = [n for n in ("collective_coupling", "coupling", "cavity_decay", "dephasing_35", "seed_photons")
             if n in at.names]
    for place in evenly_spread(2 * _STARTS, len(names)):
        moved: dict[str, float] = {
            n: declared[n] * math.exp((2.0 * x - 1.0) * (2.0 if n == "seed_photons" else 0.25))
            for n, x in zip(names, place, strict=True)}
        yield at.vector({**declared, **moved})


def _values(guess: Start, at: Coordinates) -> dict[str, float]:
    """A guess in the names that are fitted."""
    p = at.parameters
    rest = p.coherence_decay_35 - p.dephasing_35
    photons_per_declared = guess.amplitude**2 / at.triplets
    free_number = "triplets" in at.names and "amplitude_scale" not in at.names
    triplets = at.triplets * (photons_per_declared if free_number else 1.0)
    values = {"collective_coupling": guess.collective_coupling, "cavity_decay": guess.cavity_decay,
              "dephasing_35": max(guess.coherence_decay - rest, 0.2 * p.dephasing_35),
              "seed_photons": guess.seed * triplets, "amplitude_scale": photons_per_declared,
              "triplets": triplets, "coupling": guess.collective_coupling / math.sqrt(triplets)}
    return {n: v for n, v in values.items() if n in at.names}
