"""From a recorded carrier to its envelope, with noise that a fit can believe.

The record is mixed to zero frequency in quadrature, filtered once and decimated. The
filter is the square root of a Nyquist filter (Meyer's scaling function): its copies,
shifted by the output interval, are orthogonal, so that white noise stays white; it is flat
where the burst lives and 0 at the mixing product at twice the carrier. A plain block average
is white too but not flat: on a burst that grows 1e7 /s it shifts the envelope by up to
1.6 ns, forwards or backwards with the carrier's phase, which is many sigma at high amplitude.

The modulus of a noisy carrier follows Rice's distribution; `rice_mean_std` has its moments.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numba import njit

FINEST = 10e-9  # [s] no output interval is shorter: neighbouring samples must not share noise
ROLL_OFF = 0.5  # of the filter: flat up to (1 - ROLL_OFF)/(2 T), nothing beyond (1 + ROLL_OFF)/(2 T)
_REACH = 6  # output intervals on each side after which the filter is cut off
_DIFFERENCES = 4  # order; of a burst that turns once per 40 output intervals 7e-5 is left


def envelope(time: np.ndarray, volts: np.ndarray, frequency: float,
             bandwidth: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Modulus of the carrier at `frequency` [Hz] in a record: (time [s] (M,), volts (M,), sigma [V]).

    `bandwidth` [Hz] is the highest frequency of the envelope that is kept. The output interval is a whole
    number of samples, at least 10 ns, and long enough that mixing products and a constant offset are
    filtered away. `sigma` is the standard deviation of one quadrature; where the amplitude is not large
    against it, use `rice_mean_std`. `frequency` 0: the record is an envelope; it is averaged in blocks, and
    sigma is that of a block. ValueError: a record that is uneven, too short, or sampled too coarsely.
    """
    time, volts = np.asarray(time, float), np.asarray(volts, float)
    interval = _sampling(time, volts)
    block = _block(interval, frequency, bandwidth)
    if frequency == 0.0:
        return _averaged(time, volts, block)
    centres, amplitude = quadratures(time, volts, frequency, bandwidth)
    sigma = max(_noise(amplitude), _rounding(volts) * noise_gain(interval, frequency, bandwidth))
    return centres, np.abs(amplitude), sigma


def quadratures(time: np.ndarray, volts: np.ndarray, frequency: float,
                bandwidth: float) -> tuple[np.ndarray, np.ndarray]:
    """(time [s] (M,), complex amplitude [V] (M,)): volts = Re amplitude exp(2 pi i frequency time)."""
    interval = _sampling(time, volts)
    block = _block(interval, frequency, bandwidth)
    weights = _filter(block)
    if len(volts) < len(weights) + block:
        raise ValueError(f"a record of {len(volts)} samples is too short for an envelope; this filter needs "
                         f"at least {len(weights) + block}")
    mixed = (volts - volts.mean()) * np.exp(-2j * math.pi * frequency * time)
    windows = np.lib.stride_tricks.sliding_window_view(mixed, len(weights))[::block]
    centres = time[len(weights) // 2:][::block][: len(windows)]
    return centres, 2.0 * (windows @ weights)


def noise_gain(interval: float, frequency: float, bandwidth: float) -> float:
    """Sigma of a quadrature over that of one sample, for white noise sampled each `interval` [s]."""
    block = _block(interval, frequency, bandwidth)
    if frequency == 0.0:
        return 1.0 / math.sqrt(block)
    return math.sqrt(2.0 * float(np.sum(_filter(block) ** 2)))


def _sampling(time: np.ndarray, volts: np.ndarray) -> float:
    if np.ndim(time) != 1 or np.shape(time) != np.shape(volts) or len(time) < 2:
        raise ValueError(f"time {np.shape(time)} and volts {np.shape(volts)} must be two equal rows")
    interval = (time[-1] - time[0]) / (len(time) - 1)
    if not interval > 0.0 or np.ptp(np.diff(time)) > 0.01 * interval:
        raise ValueError("the record must be sampled evenly, with rising times")
    return float(interval)


def _block(interval: float, frequency: float, bandwidth: float) -> int:
    """Samples per output sample."""
    if not bandwidth > 0.0 or frequency < 0.0:
        raise ValueError(f"bandwidth = {bandwidth:g} Hz must be positive and frequency = {frequency:g} Hz "
                         "must not be negative")
    wanted = max(FINEST, 0.5 / bandwidth)
    if frequency > 0.0:
        room = min(frequency, 0.5 / interval - frequency)  # to 0 Hz and to half the sampling rate
        if room <= 0.0:
            raise ValueError(f"a carrier at {frequency:g} Hz needs more than {2 * frequency:g} samples/s; "
                             f"the record has {1 / interval:g}")
        wanted = max(wanted, 0.5 * (1.0 + ROLL_OFF) / room)
    return max(1, math.ceil(wanted / interval - 1e-6))


@lru_cache(maxsize=32)
def _filter(block: int) -> np.ndarray:
    """Weights (2 reach block + 1,) with sum 1; orthogonal to their copies shifted by `block` samples."""
    length = 64 * _REACH * block
    x = np.abs(np.fft.fftfreq(length)) * block  # in units of the output rate
    s = np.clip((x - 0.5 * (1.0 - ROLL_OFF)) / ROLL_OFF, 0.0, 1.0)
    step = s**4 * (35.0 - 84.0 * s + 70.0 * s**2 - 20.0 * s**3)
    whole = np.fft.fftshift(np.fft.ifft(np.cos(0.5 * math.pi * step)).real)
    half, middle = _REACH * block, length // 2
    weights = whole[middle - half: middle + half + 1]
    weights = weights / weights.sum()
    weights.flags.writeable = False
    return weights


def _averaged(time: np.ndarray, volts: np.ndarray, block: int) -> tuple[np.ndarray, np.ndarray, float]:
    count = len(volts) // block
    if count <= 2 * _DIFFERENCES:
        raise ValueError(f"a record of {len(volts)} samples is too short for an envelope")
    mean = volts[: count * block].reshape(count, block).mean(axis=1)
    centres = time[: count * block].reshape(count, block).mean(axis=1)
    return centres, mean, max(_noise(mean), _rounding(volts) / math.sqrt(block))


def _noise(values: np.ndarray) -> float:
    """Standard deviation of the noise on one (real) component of a smooth signal.

    Fourth differences take a burst away and leave the noise, so the whole record serves, loud parts
    included; the median over 16 stretches ignores a few that hold an edge or a spark.
    """
    weights = [(-1) ** k * math.comb(_DIFFERENCES, k) for k in range(_DIFFERENCES + 1)]
    rough = np.convolve(values, weights, mode="valid")
    parts = 2 if np.iscomplexobj(values) else 1
    squares = np.abs(rough) ** 2 / (parts * math.comb(2 * _DIFFERENCES, _DIFFERENCES))
    stretches = [s.mean() for s in np.array_split(squares, min(16, max(1, len(squares) // 20)))]
    return math.sqrt(float(np.median(stretches)))


def _rounding(volts: np.ndarray) -> float:
    """Standard deviation that rounding to codes adds [V]: the smallest step seen / sqrt 12."""
    steps = np.diff(np.unique(volts))
    return float(steps.min()) / math.sqrt(12.0) if len(steps) else 0.0


def rice_mean_std(amplitude: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Modulus of a carrier in noise of `sigma` per quadrature: mean, d mean/d amplitude, std."""
    flat = np.ascontiguousarray(amplitude, dtype=float).ravel()
    if not sigma > 0.0:
        return np.abs(amplitude), np.sign(amplitude), np.zeros(np.shape(amplitude))
    return tuple(a.reshape(np.shape(amplitude)) for a in _rice(flat, float(sigma)))  # type: ignore[return-value]


@njit(cache=True)
def _rice(amplitude: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    mean, slope, std = np.empty_like(amplitude), np.empty_like(amplitude), np.empty_like(amplitude)
    root = np.sqrt(np.pi / 2.0)
    for i in range(amplitude.size):
        a = amplitude[i] / sigma
        nu = 0.5 * a * a
        i0, i1 = _bessel_scaled(0.5 * nu)
        mean[i] = sigma * root * ((1.0 + nu) * i0 + nu * i1)
        slope[i] = root * 0.5 * (i0 + i1) * a
        if nu < 1e3:
            std[i] = np.sqrt(max(0.0, sigma * sigma * (2.0 + a * a) - mean[i] * mean[i]))
        else:  # the difference above cancels
            std[i] = sigma * np.sqrt(1.0 - 0.25 / nu - 0.25 / (nu * nu))
    return mean, slope, std


@njit(cache=True)
def _bessel_scaled(x: float) -> tuple[float, float]:
    """exp(-x) I0(x), exp(-x) I1(x) for x >= 0: power series, beyond 20 the asymptotic one."""
    first = second = 0.0
    if x <= 20.0:
        term, q = 1.0, 0.25 * x * x
        for k in range(1, 80):
            first += term
            second += term / k
            term *= q / (k * k)
            if term < 1e-17 * first:
                break
        small = np.exp(-x)
        return first * small, 0.5 * x * second * small
    a = b = 1.0
    for k in range(1, 26):
        first += a
        second += b
        odd = (2.0 * k - 1.0) ** 2
        a *= odd / (8.0 * x * k)
        b *= (odd - 4.0) / (8.0 * x * k)
        if abs(a) < 1e-17:
            break
    small = 1.0 / np.sqrt(2.0 * np.pi * x)
    return first * small, second * small
