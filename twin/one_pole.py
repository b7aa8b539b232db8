"""A lag with two time constants, compiled: the video output of a logarithmic detector.

v(k+1) = u(k) + (v(k) - u(k)) exp(-(t(k+1) - t(k))/tau): settled at the first sample, input u
held between samples; tau is `falling` where u(k) lies below v(k), `rising` otherwise.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def _kept(step: float, tau: float) -> float:
    return np.exp(-step / tau) if tau > 0.0 else 0.0


@njit(cache=True)
def follow(target: np.ndarray, times: np.ndarray, falling: float, rising: float) -> np.ndarray:
    """Output (T,) of the lag for input `target` (T,) at `times` [s]; time constants in [s]."""
    out = np.empty_like(target)
    value = target[0]
    out[0] = value
    for k in range(target.size - 1):
        held = target[k]
        value = held + (value - held) * _kept(times[k + 1] - times[k], falling if held < value else rising)
        out[k + 1] = value
    return out


@njit(cache=True)
def follow_with_jacobian(target: np.ndarray, change: np.ndarray, times: np.ndarray, falling: float,
                         rising: float) -> tuple[np.ndarray, np.ndarray]:
    """Output (T,) and its derivatives (T, n) from those of the input, `change` (T, n)."""
    out = np.empty_like(target)
    jacobian = np.empty_like(change)
    out[0] = target[0]
    jacobian[0] = change[0]
    for k in range(target.size - 1):
        kept = _kept(times[k + 1] - times[k], falling if target[k] < out[k] else rising)
        out[k + 1] = target[k] + (out[k] - target[k]) * kept
        for j in range(change.shape[1]):
            jacobian[k + 1, j] = change[k, j] + (jacobian[k, j] - change[k, j]) * kept
    return out, jacobian
