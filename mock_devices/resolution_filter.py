"""What a swept analyser makes of a tone, a burst and its noise: resolution and video filter, detector.

Pure functions. The local oscillator runs from `start` to `stop` in `time` (zero span: it stands still), what
falls into the Gaussian resolution filter, 3 dB down at half its width to either side, is one complex
amplitude; its size, squared, is the power that the video filter smooths and the detector reduces to one
number a point. Powers are in milliwatts.

Noise is a complex Gaussian, so that its mean logarithm lies 2.51 dB, its mean magnitude 1.05 dB below its
power: a detector that averages those reads it that much too low.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.one_pole import follow

from .burst import STEP, Burst

DELAY = 1.0  # in units of 1/resolution: what the filter needs before anything comes out of it
_FINEST = 0.05  # of 1/resolution: step in which the filtered burst is known
_MOST = 1 << 17  # values of the background of one trace
_TAIL = 3.0  # in units of 1/resolution, and of the video filter's time constant
_FINE_LAG = 0.005  # of the video filter's time constant: step in which what leaves it is known


@dataclass(frozen=True)
class Sweep:
    """An analyser's settings: first and last frequency, filters [Hz], time [s], points, detector, noise.

    `detector` "POS" (peak), "NEG", "SAMP", "RMS" or "AVER" (of the voltage); `noise` [mW] in the filter;
    `loss` [dB] between the cavity's port and the analyser.
    """

    start: float
    stop: float
    resolution: float
    video: float
    time: float
    points: int
    detector: str
    noise: float
    loss: float = 0.0

    @property
    def dwell(self) -> float:
        """Time of one point [s]."""
        return self.time / self.points

    @property
    def lag(self) -> float:
        """Time constant of the video filter [s]."""
        return 1.0 / (2.0 * math.pi * self.video)


@dataclass(frozen=True, eq=False)
class Hit:
    """A burst whose trigger came `moment` [s] after the sweep's start; points outside a gate miss it."""

    burst: Burst
    moment: float = 0.0
    opens: float = 0.0
    closes: float = math.inf


def attenuation(offset: np.ndarray, resolution: float) -> np.ndarray:
    """Amplitude that a Gaussian filter leaves of a tone `offset` [Hz] off its centre, 1 at the centre."""
    return 2.0 ** (-0.5 * (2.0 * offset / resolution) ** 2)


def filtered(field: np.ndarray, step: float, resolution: float) -> tuple[np.ndarray, float]:
    """The field through the filter, from its first sample until the filter has rung out.

    Returns it with its own step [s], which is `step` or, for narrow filters, a multiple. It comes DELAY late.
    """
    block = max(1, int(_FINEST / (resolution * step)))
    blocks = -(-len(field) // block)
    coarse = np.zeros(blocks * block, complex)
    coarse[:len(field)] = field
    coarse, step = coarse.reshape(blocks, block).mean(axis=1), block * step
    length = blocks + math.ceil(_TAIL / resolution / step)
    size = 1 << (length - 1).bit_length()
    offset = np.fft.fftfreq(size, step)
    response = attenuation(offset, resolution) * np.exp(-2j * math.pi * offset * DELAY / resolution)
    return np.fft.ifft(np.fft.fft(coarse, size) * response)[:length], step


def trace(sweep: Sweep, random: np.random.Generator, tone: tuple[float, float] | None,
          hits: Sequence[Hit] = (), watts_per_photon: float = 0.0) -> np.ndarray:
    """Levels (points,) [dBm] of one sweep.

    `tone`: (frequency [Hz], level [dBm] before `loss`); `watts_per_photon`: what one photon of a burst is at
    the analyser [W].
    """
    power = _background(sweep, random, tone)
    times = sweep.dwell * np.arange(sweep.points)
    for hit in hits:
        seen = (times >= hit.opens) & (times < hit.closes)
        power = power + seen * _of_burst(sweep, hit.burst, hit.moment) * 1e3 * watts_per_photon
    return 10.0 * np.log10(power + 1e-30)


def _background(sweep: Sweep, random: np.random.Generator, tone: tuple[float, float] | None) -> np.ndarray:
    """Noise, and a tone if there is one (points,) [mW]."""
    each = int(np.clip(4.0 * sweep.dwell * sweep.resolution, 1, max(1, min(64, _MOST // sweep.points))))
    count, step = sweep.points * each, sweep.dwell / each
    noise = math.sqrt(0.5 * sweep.noise) * _noise(random, count, step, sweep.resolution)
    amplitude: np.ndarray | float = 0.0
    if tone is not None:
        at = np.linspace(sweep.start, sweep.stop, count)
        size = 10.0 ** ((tone[1] - sweep.loss) / 20.0)
        amplitude = size * attenuation(at - tone[0], sweep.resolution)
    power = np.abs(amplitude + noise) ** 2
    return _detected(_smoothed(power, step, sweep).reshape(sweep.points, each), sweep.detector)


def _noise(random: np.random.Generator, count: int, step: float, resolution: float) -> np.ndarray:
    """Complex noise (count,), each part of variance 1, as coloured as the filter makes it."""
    white = random.normal(size=(2, count))
    noise = white[0] + 1j * white[1]
    if step * resolution > 0.5 or count < 4:
        return noise
    shape = attenuation(np.fft.fftfreq(count, step), resolution)
    return np.fft.ifft(np.fft.fft(noise) * shape) / math.sqrt(float(np.mean(shape**2)))


def _of_burst(sweep: Sweep, burst: Burst, moment: float) -> np.ndarray:
    """A burst's photons (points,) as the detector shows them; the oscillator may move on meanwhile."""
    times = burst.start + STEP * np.arange(len(burst.field))
    rate = (sweep.stop - sweep.start) / sweep.time
    at_trigger = sweep.start + rate * moment
    # The field turns as exp(-i w t) about burst.frequency; mixed down by the oscillator it turns by the rest.
    turns = (burst.frequency - at_trigger) * times - 0.5 * rate * times**2
    held, step = filtered(burst.field * np.exp(-2j * math.pi * turns), STEP, sweep.resolution)
    power, step = _after_video(np.abs(held) ** 2, step, sweep)
    local = moment + burst.start + step * np.arange(len(power))
    if step > sweep.dwell or sweep.detector in ("SAMP", "NEG"):
        return np.maximum(np.interp(sweep.dwell * np.arange(sweep.points), local, power, 0.0, 0.0), 0.0)
    point = np.floor(local / sweep.dwell).astype(np.int64)
    seen = (point >= 0) & (point < sweep.points)
    point, power = point[seen], np.maximum(power[seen], 0.0)
    found = np.zeros(sweep.points)
    if sweep.detector == "POS":
        np.maximum.at(found, point, power)
        return found
    values = power if sweep.detector == "RMS" else np.sqrt(power)
    np.add.at(found, point, values * step / sweep.dwell)
    return found if sweep.detector == "RMS" else found**2


def _after_video(power: np.ndarray, step: float, sweep: Sweep) -> tuple[np.ndarray, float]:
    """A burst's power through the video filter until that, too, has come to rest; with its own step [s].

    A slow filter gets means over many samples, so that no setting asks for more than memory holds.
    """
    if sweep.video >= sweep.resolution:
        return power, step
    floor = 1e-12 * float(np.max(power))  # a logarithm needs some
    block = max(1, int(_FINE_LAG * sweep.lag / step))
    scaled = _scaled(np.pad(power, (0, -len(power) % block)) + floor, sweep.detector)
    coarse, step = scaled.reshape(-1, block).mean(axis=1), block * step
    rest = np.full(math.ceil(_TAIL * sweep.lag / step), _scaled(np.array(floor), sweep.detector))
    through = _lagging(np.concatenate((rest[:1], coarse, rest)), step, sweep)  # it is at rest beforehand
    return through[1:] - floor, step


def _smoothed(power: np.ndarray, step: float, sweep: Sweep) -> np.ndarray:
    """Through the video filter, which acts on what the detector averages: power, voltage or decibels."""
    if sweep.video >= sweep.resolution:
        return power
    return _lagging(_scaled(power, sweep.detector), step, sweep)


def _lagging(scaled: np.ndarray, step: float, sweep: Sweep) -> np.ndarray:
    """Power behind the video filter, of what the detector averages before it."""
    times = step * np.arange(len(scaled))
    return _unscaled(follow(scaled, times, sweep.lag, sweep.lag), sweep.detector)


def _detected(power: np.ndarray, detector: str) -> np.ndarray:
    """One power of each point from its (points, each) values."""
    if detector == "POS":
        return power.max(axis=1)
    if detector == "NEG":
        return power.min(axis=1)
    if detector == "SAMP":
        return power[:, 0]
    return _unscaled(_scaled(power, detector).mean(axis=1), detector)


def _scaled(power: np.ndarray, detector: str) -> np.ndarray:
    if detector == "RMS":
        return power
    return np.sqrt(power) if detector == "AVER" else 10.0 * np.log10(power + 1e-300)


def _unscaled(values: np.ndarray, detector: str) -> np.ndarray:
    if detector == "RMS":
        return values
    return values**2 if detector == "AVER" else 10.0 ** (values / 10.0)
