"""What a vector network analyser makes of a reflection: cable, receiver noise, averages, display formats."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

NOISE_DENSITY = -125.0  # [dBm/Hz] of the receivers
FORMATS = {"MLOG": "DB", "MLIN": "UNIT", "PHAS": "DEGR", "UPH": "DEGR", "REAL": "UNIT", "IMAG": "UNIT",
           "POL": "UNIT", "SMIT": "UNIT", "GDEL": "SEC"}
"""Display format -> unit of its y axis."""
PAIRS = ("POL", "SMIT")  # shown as two numbers for each point


@dataclass(frozen=True)
class Path:
    """Cable between port and cavity and back: S is multiplied by exp(-2 pi i f `delay`) and loses `loss`."""

    delay: float = 0.0  # [s]
    loss: float = 0.0  # [dB]

    def through(self, frequencies: np.ndarray, reflection: np.ndarray) -> np.ndarray:
        """S (T,) at the port for a reflection (T,) at the cavity; frequencies [Hz] (T,)."""
        return reflection * 10.0 ** (-self.loss / 20.0) * np.exp(-2j * math.pi * frequencies * self.delay)


def noise(random: np.random.Generator, points: int, bandwidth: float, power: float,
          sweeps: int) -> np.ndarray:
    """Complex noise (points,) of S, relative to a source of `power` [dBm]: N = density B/sweeps over P.

    `bandwidth` [Hz] of the intermediate frequency; half of the noise power is in each quadrature.
    """
    relative = 10.0 ** ((NOISE_DENSITY + 10.0 * math.log10(bandwidth) - power) / 10.0) / sweeps
    real, imaginary = random.normal(size=(2, points)) * math.sqrt(0.5 * relative)
    return real + 1j * imaginary


def displayed(frequencies: np.ndarray, values: np.ndarray, form: str) -> np.ndarray:
    """What FDATA gives for complex `values` (T,): (T,) real, or (2 T,) for PAIRS; dB, degrees, seconds."""
    if form == "MLOG":
        return 20.0 * np.log10(np.maximum(np.abs(values), 1e-15))
    if form == "MLIN":
        return np.abs(values)
    if form == "PHAS":
        return np.degrees(np.angle(values))
    if form == "UPH":
        return np.degrees(np.unwrap(np.angle(values)))
    if form == "GDEL":
        return -np.gradient(np.unwrap(np.angle(values)), 2.0 * math.pi * frequencies)
    if form in PAIRS:
        return interleaved(values)
    return values.real if form == "REAL" else values.imag


def interleaved(values: np.ndarray) -> np.ndarray:
    """Real and imaginary part in turn (2 T,)."""
    return np.stack([values.real, values.imag], axis=1).reshape(-1)
