"""Is there a burst in a record, and where: what must be known before any model is tried.

The answer must agree with "the true, noise-free peak exceeds 5 sigma of one sample". A burst
lasts many samples, so short averages over the rise above darkness tell its height far better
than single samples do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .observation import Observation

# (samples averaged, height in sigma at which they count as a burst): longer averages are surer of low bursts.
_WIDTHS = ((1, 6.6), (4, 5.3), (16, 5.0))
_BINS = 160
_QUIET = 0.04


@dataclass(frozen=True)
class Burst:
    """Where a burst lies: half height and end [s] on the record's clock; bins of sqrt(photons)."""

    half: float
    end: float
    times: np.ndarray
    amplitudes: np.ndarray


def is_there(seen: Observation) -> bool:
    """True if a burst higher than about 5 sigma stands in the record after the laser."""
    signal = seen.signal()[~seen.dark]
    for width, height in _WIDTHS:
        if len(signal) < width:
            continue
        averaged = np.convolve(signal, np.full(width, 1.0 / width), mode="valid")
        if np.max(averaged) > (height**2 if seen.kind == "modulus" else height):
            return True
    return False


def locate(seen: Observation) -> Burst | None:
    """The burst of a record, in about 160 bins from foot to end; None if its photons cannot be told."""
    photons = seen.photons()
    width = int(min(8, max(1, len(photons) // 200)))
    smooth = np.convolve(photons, np.full(width, 1.0 / width), mode="same")
    smooth[seen.dark] = 0.0
    top = int(np.argmax(smooth))
    if not smooth[top] > 0.0:
        return None
    high = smooth >= 0.25 * smooth[top]  # half of the amplitude
    first = int(np.argmax(high[: top + 1]))
    half = _crossing(seen.time, smooth, first, 0.25 * smooth[top])
    loud = np.nonzero(smooth > (_QUIET**2) * smooth[top] + 2.0 * _scatter(smooth, seen))[0]
    last = int(loud[-1]) if len(loud) else top
    begin = max(int(np.argmax(~seen.dark)), 2 * first - last, 0)
    end = min(len(photons), last + 1 + (last - begin) // 4)
    return _binned(seen.time[begin:end], photons[begin:end], half, float(seen.time[end - 1]))


def _crossing(time: np.ndarray, values: np.ndarray, first: int, level: float) -> float:
    if first == 0:
        return float(time[0])
    part = (level - values[first - 1]) / max(values[first] - values[first - 1], 1e-300)
    return float(time[first - 1] + np.clip(part, 0.0, 1.0) * (time[first] - time[first - 1]))


def _scatter(smooth: np.ndarray, seen: Observation) -> float:
    """How far noise alone lifts the smoothed photon number."""
    dark = seen.photons() if not seen.dark.any() else smooth[~seen.dark][-max(20, len(smooth) // 20):]
    return float(np.std(dark)) + float(np.median(dark))


def _binned(time: np.ndarray, photons: np.ndarray, half: float, end: float) -> Burst:
    per_bin = max(1, len(time) // _BINS)
    count = len(time) // per_bin
    mean = photons[: count * per_bin].reshape(count, per_bin).mean(axis=1)
    centres = time[: count * per_bin].reshape(count, per_bin).mean(axis=1)
    return Burst(half, end, centres, np.sqrt(np.maximum(mean, 0.0)))
