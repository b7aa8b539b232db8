"""What an oscilloscope measures on a record by itself: levels, root mean square, edges, period.

Base and top are the two states of a pulse by their histogram, as IEEE Std 181 has them; edges are counted
between 10 and 90 % of the way from one to the other. What cannot be measured is NOT_MEASURABLE.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

NOT_MEASURABLE = 9.99999e37
_BINS = 100
_LOW, _MIDDLE, _HIGH = 0.1, 0.5, 0.9


def states(volts: np.ndarray) -> tuple[float, float]:
    """Base and top [V]: the fullest bin of the lower and of the upper half of the range."""
    counts, edges = np.histogram(volts, _BINS)
    centres, half = 0.5 * (edges[1:] + edges[:-1]), _BINS // 2
    return float(centres[np.argmax(counts[:half])]), float(centres[half + np.argmax(counts[half:])])


def level(volts: np.ndarray, share: float) -> float:
    """Volts at `share` of the way from base to top."""
    base, top = states(volts)
    return base + share * (top - base)


def crossings(volts: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Positions [samples, with fractions] where a level is crossed upwards and downwards."""
    above = volts - level(volts, share)
    at = np.flatnonzero((above[1:] >= 0.0) != (above[:-1] >= 0.0))
    exact = at + above[at] / (above[at] - above[at + 1])
    upwards = above[at] < 0.0
    return exact[upwards], exact[~upwards]


def _edge(volts: np.ndarray, first: float, last: float) -> float:
    """Length [samples] of the first edge that goes through both levels; nan if there is none."""
    rising = first < last
    begins, ends = (crossings(volts, share)[0 if rising else 1] for share in (first, last))
    for end in ends[:1]:
        if np.any(begins < end):
            return float(end - begins[begins < end].max())
    return np.nan


def _period(volts: np.ndarray) -> float:
    """Samples between the first two upward crossings of the middle; nan if there are not two."""
    upwards, _ = crossings(volts, _MIDDLE)
    return float(upwards[1] - upwards[0]) if len(upwards) > 1 else np.nan


def _duty(volts: np.ndarray) -> float:
    """Percent of the first period that is spent above the middle."""
    upwards, downwards = crossings(volts, _MIDDLE)
    later = downwards[downwards > upwards[0]] if len(upwards) > 1 else downwards[:0]
    return 100.0 * float(later[0] - upwards[0]) / _period(volts) if len(later) else np.nan


def _overshoot(volts: np.ndarray) -> float:
    """Percent of the amplitude by which the record goes beyond its top."""
    base, top = states(volts)
    return 100.0 * (float(volts.max()) - top) / (top - base)


MEASUREMENTS: dict[str, Callable[[np.ndarray, float], float]] = {
    "VAMPlitude": lambda v, dt: states(v)[1] - states(v)[0],
    "VAVerage": lambda v, dt: float(v.mean()),
    "VBASe": lambda v, dt: states(v)[0],
    "VTOP": lambda v, dt: states(v)[1],
    "VLOWer": lambda v, dt: level(v, _LOW),
    "VMIDdle": lambda v, dt: level(v, _MIDDLE),
    "VUPPer": lambda v, dt: level(v, _HIGH),
    "VMIN": lambda v, dt: float(v.min()),
    "VMAX": lambda v, dt: float(v.max()),
    "VPP": lambda v, dt: float(np.ptp(v)),
    "VOVershoot": lambda v, dt: _overshoot(v),
    "RISetime": lambda v, dt: _edge(v, _LOW, _HIGH) * dt,
    "FALLtime": lambda v, dt: _edge(v, _HIGH, _LOW) * dt,
    "DUTYcycle": lambda v, dt: _duty(v),
    "PERiod": lambda v, dt: _period(v) * dt,
    "FREQuency": lambda v, dt: 1.0 / (_period(v) * dt),
    "SLEWrate": lambda v, dt: (level(v, _HIGH) - level(v, _LOW)) / (_edge(v, _LOW, _HIGH) * dt),
}
"""By mnemonic: a function of volts (T,) and the time between them [s]."""


def measure(name: str, volts: np.ndarray, interval: float) -> float:
    """One of MEASUREMENTS of a record; NOT_MEASURABLE for a flat one, or where an edge is missing."""
    if np.ptp(volts) == 0.0:
        return NOT_MEASURABLE
    value = MEASUREMENTS[name](volts, interval)
    return value if np.isfinite(value) else NOT_MEASURABLE


def root_mean_square(volts: np.ndarray, without_mean: bool) -> float:
    """Of the whole record [V], about its mean or about zero."""
    return float(volts.std() if without_mean else np.sqrt(np.mean(volts**2)))
