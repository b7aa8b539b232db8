"""What a burst's record says by itself, before any model: when it peaks, at which frequency, how wide.

Everything is worked out from the quadratures of the recorded carrier (`demodulate.quadratures`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_PADDING = 8
_LOUD = 0.02        # of the peak power: below it noise would weigh more than the burst
_SEEN = 6.0         # a burst is one whose peak stands this many standard deviations above the dark


@dataclass(frozen=True, eq=False)
class Spectrum:
    """`power` (F,) over `frequency` (F,) [Hz from the carrier's nominal one], its peak 1.

    `centre` [Hz] is the mean frequency weighted by power, which for the doublet of a ringing burst is its
    middle; `linewidth` [Hz] the full width between the outermost points at half of the peak.
    """

    frequency: np.ndarray
    power: np.ndarray
    centre: float
    linewidth: float


def peak_delay(time: np.ndarray, amplitude: np.ndarray, start: float, sigma: float) -> float | None:
    """From the first light `start` [s] to the burst's highest point [s]; None where no burst stands out.

    `time` [s] and `amplitude` (M,), real or complex, `sigma` of one quadrature. The top is that of the
    parabola through three points.
    """
    power = np.abs(amplitude) ** 2
    i = int(np.argmax(power))
    if power[i] < (_SEEN * sigma) ** 2 or not 0 < i < len(power) - 1:
        return None
    left, top, right = power[i - 1:i + 2]
    shift = 0.5 * (left - right) / (left - 2.0 * top + right)
    return float(time[i] + shift * (time[1] - time[0]) - start)


def spectrum(time: np.ndarray, amplitude: np.ndarray) -> Spectrum | None:
    """The spectrum of a burst's complex amplitude (M,) at even `time` [s]; None for a silent record."""
    step = float(time[1] - time[0])
    size = _PADDING * len(amplitude)
    frequency = np.fft.fftshift(np.fft.fftfreq(size, step))
    return summarised(frequency, np.abs(np.fft.fftshift(np.fft.fft(amplitude, size))) ** 2)


def summarised(frequency: np.ndarray, power: np.ndarray) -> Spectrum | None:
    """Centre and width of a power spectrum (F,), of one shot or the sum of many."""
    power = power - np.median(power)  # of which most bins are noise
    top = float(np.max(power))
    if not top > 0.0:
        return None
    power = power / top
    loud = power > _LOUD
    centre = float(np.sum(frequency[loud] * power[loud]) / np.sum(power[loud]))
    high = np.flatnonzero(power >= 0.5)
    return Spectrum(frequency, power, centre, _crossing(frequency, power, high[-1], 1)
                    - _crossing(frequency, power, high[0], -1))


def _crossing(frequency: np.ndarray, power: np.ndarray, inside: int, step: int) -> float:
    """Where the power falls through 0.5 from the point `inside` towards its neighbour in direction `step`."""
    beyond = inside + step
    if not 0 <= beyond < len(power):
        return float(frequency[inside])
    share = (power[inside] - 0.5) / (power[inside] - power[beyond])
    return float(frequency[inside] + share * (frequency[beyond] - frequency[inside]))
