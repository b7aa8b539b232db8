"""The digitiser's inputs: noise-free volts of one shot, noise of that shot, and the converter's codes.

Pure functions of frozen records, run off the event loop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from twin.receiver import Receiver


@dataclass(frozen=True)
class Timebase:
    """A record's samples: the first `start` [s] after the trigger, `points` of them every `interval` [s]."""

    start: float
    interval: float
    points: int

    def times(self) -> np.ndarray:
        """(points,) [s]."""
        return self.start + self.interval * np.arange(self.points)


@dataclass(frozen=True)
class Channel:
    """One input as it is set: full scale and middle of the range [V], resolution, termination, filter.

    `gain` is 1 with 50 ohm at the input, 2 with 1 Mohm: nothing then divides the source's voltage, nor its
    noise. `blocks_dc`: a capacitor in series. `bandwidth` [Hz] at -3 dB.
    """

    full_scale: float
    offset: float
    bits: int
    gain: float = 1.0
    blocks_dc: bool = False
    bandwidth: float = math.inf

    @property
    def lsb(self) -> float:
        """Volts of one code."""
        return self.full_scale / 2**self.bits

    def codes(self, volts: np.ndarray, interval: float) -> np.ndarray:
        """Codes 0 .. 2^bits - 1 of samples every `interval` [s], clipped at the rails, int16.

        The rule of twin.receiver.Receiver.codes.
        """
        steps = np.floor((self._reaching(volts, interval) - (self.offset - 0.5 * self.full_scale)) / self.lsb)
        return np.clip(steps, 0, 2**self.bits - 1).astype(np.int16)

    def _reaching(self, volts: np.ndarray, interval: float) -> np.ndarray:
        """Volts at the converter. A shot is short beside the pause before it: its median is the level at
        rest, and that is what the capacitor has charged up to."""
        if self.bandwidth < math.inf:
            volts = band_limited(volts, interval, self.bandwidth)
        return self.gain * (volts - np.median(volts) if self.blocks_dc else volts)


def band_limited(volts: np.ndarray, interval: float, bandwidth: float) -> np.ndarray:
    """The same samples behind a Gaussian response, -3 dB at `bandwidth` [Hz], without delay."""
    edge = math.ceil(1.0 / (bandwidth * interval))  # in which the response to a step is over
    padded = np.pad(volts, edge, mode="edge")
    frequency = np.fft.rfftfreq(len(padded), interval)
    response = 0.5 ** (0.5 * (frequency / bandwidth) ** 2)
    return np.fft.irfft(np.fft.rfft(padded) * response, len(padded))[edge:len(padded) - edge]


def resample(values: np.ndarray, start: float, step: float, times: np.ndarray) -> np.ndarray:
    """A uniformly sampled complex field at other times, by cubics through four neighbours; 0 outside."""
    position = (times - start) / step
    index = np.clip(np.floor(position).astype(np.int64), 1, len(values) - 3)
    u = position - index
    before, here, after, beyond = (values[index + shift] for shift in (-1, 0, 1, 2))
    cubic = (before * (-u * (u - 1.0) * (u - 2.0) / 6.0) + here * ((u + 1.0) * (u - 1.0) * (u - 2.0) / 2.0)
             + after * (-(u + 1.0) * u * (u - 2.0) / 2.0) + beyond * ((u + 1.0) * u * (u - 1.0) / 6.0))
    return np.where((position >= 0.0) & (position <= len(values) - 1), cubic, 0.0)


def detector_volts(receiver: Receiver, field: np.ndarray, times: np.ndarray, phase: float,
                   above: float = 0.0) -> np.ndarray:
    """Noise-free record [V] that the mode's complex field makes behind a channel's chain.

    `field` squared, less the half photon of its Wigner noise, is the photon number. A carrier keeps the
    field's phase and gets the shot's random `phase` [rad] between the sources of trigger and oscillator.
    `above` [Hz]: how far the frame in which the field is told lies above the receiver's frequency.
    """
    photons = np.maximum(field.real**2 + field.imag**2 - 0.5, 0.0)
    volts = receiver.volts(photons, times)
    if receiver.carrier_frequency == 0.0:
        return volts
    # The twin's field turns as exp(-i omega t), a recorded carrier is told as exp(+i omega t).
    direction = np.conj(field) / np.maximum(np.abs(field), 1e-300)
    if above:
        direction = direction * np.exp(2j * np.pi * above * times)
    return receiver.carrier(volts * direction, times, phase)
