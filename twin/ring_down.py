"""The decay of a field that is left alone, from the quadratures of its carrier."""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares

_SEEN = 6.0         # a decay begins this many standard deviations above the noise
_FEWEST = 20


def fit_ring_down(time: np.ndarray, amplitude: np.ndarray, after: float, leak: float = 0.0) -> float | None:
    """kappa [rad/s] of |amplitude| ~ exp(-kappa t/2) later than `after` [s]; None where nothing decays.

    The complex amplitude (M,) is fitted with A exp(-(kappa/2 - i w) t) + B exp(i leak t): noise then has no
    bias, as it would have in a logarithm, a detuned field may turn, and what a closed switch still lets
    through, at `leak` [rad/s] from the record's carrier, is not taken for a slower decay.
    """
    later = time >= after
    t, a = time[later] - after, amplitude[later]
    noise = float(np.std(a[-max(len(a) // 4, _FEWEST):])) if len(a) > 4 * _FEWEST else np.inf
    if len(t) < 4 * _FEWEST or abs(a[0]) < _SEEN * noise:
        return None
    turning = float(np.angle(np.sum(a[1:_FEWEST] * np.conj(a[:_FEWEST - 1])))) / (t[1] - t[0])
    level = np.abs(a)
    half = t[np.argmax(level < 0.5 * level[0])] or t[-1]
    guess = np.array([a[0].real, a[0].imag, 2.0 * np.log(2.0) / half, turning, 0.0, 0.0])
    scale = np.array([abs(a[0]), abs(a[0]), guess[2], 1.0 / half, abs(a[0]), abs(a[0])])
    steady = np.exp(1j * leak * t)

    def residuals(p: np.ndarray) -> np.ndarray:
        x, y, kappa, turn, u, v = p * scale
        left = (x + 1j * y) * np.exp((-0.5 * kappa + 1j * turn) * t) + (u + 1j * v) * steady - a
        return np.concatenate((left.real, left.imag))

    found = least_squares(residuals, guess / scale, method="lm")
    kappa = float(found.x[2] * scale[2])
    return kappa if found.success and kappa > 0.0 else None
