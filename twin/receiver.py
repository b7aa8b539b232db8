"""Photons in the mode to volts on the digitiser and back, element by element.

The order is that of the bench: power radiated at the port, gains of the line, detector
(IF mixer, logarithmic detector or direct sampling), video lag, converter. Fit and
software instruments use this one file, so it holds nothing but the declared chain; noise
is drawn elsewhere. What turns a recorded carrier into an envelope is in `demodulate`.

Source of the log detector's defaults: data sheet of the AD8317.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .demodulate import envelope, noise_gain, rice_mean_std
from .one_pole import follow, follow_with_jacobian
from .parameters import Record
from .pentacene import HBAR
from .quantity import Quantity, check, nearest, quantity

__all__ = ["DETECTORS", "Gains", "Receiver", "envelope", "rice_mean_std"]

IMPEDANCE = 50.0  # [ohm]
DETECTORS = ("if", "log", "direct")
_GAIN = Quantity("dB", -200.0, 200.0, "power gain of one element of the line; losses are negative")
_NATS_PER_DB = math.log(10.0) / 10.0


class Gains(Mapping[str, float]):
    """Named gains [dB] of the line, in the order of the elements. Immutable, hashable, pickles."""

    def __init__(self, gains: Mapping[str, float]) -> None:
        self._gains = {str(name): check(f"gains_db.{name}", gain, _GAIN) for name, gain in gains.items()}

    def __getitem__(self, name: str) -> float:
        return self._gains[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._gains)

    def __len__(self) -> int:
        return len(self._gains)

    def __hash__(self) -> int:
        return hash(frozenset(self._gains.items()))

    def __repr__(self) -> str:
        return repr(self._gains)


@dataclasses.dataclass(frozen=True)
class Receiver(Record):
    """One receive channel. `detector`: "if" (linear), "log" or "direct".

    `volts` is what a noiseless detector puts out; for "if" and "direct" that is the carrier's amplitude,
    which `carrier` turns into the record. `offset` None: 0 V for a carrier, 0.7 V for an envelope
    (intermediate_frequency = 0), 1.0 V for "log". Floor, ceiling, slope and lags belong to "log" alone.
    """

    loaded_quality: float = quantity(8500.0, "", 1.0, 1e12, "Q_L of the mode", "Breeze 2017")
    coupling_factor: float = quantity(0.2, "", 1e-9, 1e9, "k of the loop: kappa_ext = kappa k/(1 + k)",
                                      "Breeze 2017")
    frequency: float = quantity(1.4495e9, "Hz", 1e3, 1e13, "frequency of the radiated power")
    gains_db: Mapping[str, float] = dataclasses.field(
        default_factory=lambda: Gains({"cable": -1.0, "attenuator": -20.0, "lna": 20.0, "filter": -1.5}))
    detector: str = "if"
    conversion: float = quantity(8.0, "", 1e-12, 1e12, "IF volts per volt at the mixer's input")
    slope: float = quantity(-0.022, "V/dB", -1e3, 1e3, "slope of the log detector", "AD8317")
    intercept: float = quantity(15.0, "dBm", -300.0, 300.0, "power where the log detector's line meets 0 V",
                                "AD8317 at 1.4 GHz, to be calibrated")
    floor: float = quantity(-55.0, "dBm", -300.0, 300.0, "noise power that adds to the signal's", "AD8317")
    ceiling: float = quantity(-4.0, "dBm", -300.0, 300.0, "end of the log detector's range", "AD8317")
    attack: float = quantity(6e-9, "s", 0.0, 1.0, "time constant for rising power", "AD8317")
    release: float = quantity(10e-9, "s", 0.0, 1.0, "time constant for falling power", "AD8317")
    intermediate_frequency: float = quantity(50e6, "Hz", 0.0, 1e12, "carrier of the IF record; 0: envelope")
    bandwidth: float = quantity(50e6, "Hz", 1.0, 1e12, "highest frequency kept in the envelope")
    bits: int = quantity(10, "", 1, 24, "resolution of the converter")
    full_scale: float = quantity(1.6, "V", 1e-9, 1e6, "range of the converter")
    offset: float | None = quantity(None, "V", -1e6, 1e6, "middle of that range")
    noise_volts: float = quantity(0.8e-3, "V", 0.0, 1e6, "standard deviation before the converter")

    def __post_init__(self) -> None:
        if not isinstance(self.gains_db, Mapping):
            raise ValueError(f"gains_db: expected a table of names and gains [dB], found {self.gains_db!r}")
        object.__setattr__(self, "gains_db", Gains(self.gains_db))
        if self.detector not in DETECTORS:
            raise ValueError("detector: " + nearest(str(self.detector), DETECTORS))
        super().__post_init__()
        if self.slope == 0.0:
            raise ValueError("slope = 0 V/dB: a detector without slope shows nothing")
        if self.ceiling <= self.floor:
            raise ValueError(f"ceiling = {self.ceiling:g} dBm must lie above floor = {self.floor:g} dBm")

    def _checked(self, name: str, value: Any, q: Quantity) -> Any:
        if name == "offset" and value is None:
            return None
        number = super()._checked(name, value, q)
        if name != "bits":
            return number
        if number != int(number):
            raise ValueError(f"bits = {number:g}: expected a whole number")
        return int(number)

    # The chain's constants.

    @property
    def external_decay(self) -> float:
        """kappa_ext [rad/s] of this channel's loop."""
        k = self.coupling_factor
        return 2.0 * math.pi * self.frequency / self.loaded_quality * k / (1.0 + k)

    def at_coupling(self, factor: float) -> Receiver:
        """The same line with the loop at another depth: coupling `factor` k; the unloaded quality stays."""
        unloaded = self.loaded_quality * (1.0 + self.coupling_factor)
        return self.replace(coupling_factor=factor, loaded_quality=unloaded / (1.0 + factor))

    @property
    def watts_per_photon(self) -> float:
        """Power radiated at the port per photon in the mode [W]: hbar w kappa_ext."""
        return HBAR * 2.0 * math.pi * self.frequency * self.external_decay

    @property
    def gain(self) -> float:
        """Power gain from the port to the detector."""
        return 10.0 ** (sum(self.gains_db.values()) / 10.0)

    @property
    def lsb(self) -> float:
        """Step of the converter [V]."""
        return self.full_scale / 2**self.bits

    @property
    def middle(self) -> float:
        """Middle of the converter's range [V]: `offset`, or what stands for None."""
        if self.offset is not None:
            return self.offset
        if self.detector == "log":
            return 1.0
        return 0.7 if self.detector == "if" and self.intermediate_frequency == 0.0 else 0.0

    @property
    def carrier_frequency(self) -> float:
        """Frequency of the carrier in the record [Hz]; 0 where the record is an envelope or logarithmic."""
        return {"if": self.intermediate_frequency, "direct": self.frequency, "log": 0.0}[self.detector]

    @property
    def sample_noise(self) -> float:
        """Standard deviation of one recorded sample [V], rounding by the converter included."""
        return math.sqrt(self.noise_volts**2 + self.lsb**2 / 12.0)

    def envelope_noise(self, interval: float) -> float:
        """What `envelope` should find for sigma [V] in this channel's record, sampled each `interval` [s]."""
        return self.sample_noise * noise_gain(interval, self.carrier_frequency, self.bandwidth)

    # Forwards.

    def port_power(self, photons: Any) -> np.ndarray:
        """Power radiated at the port [W]. Negative photon numbers (Wigner noise) radiate nothing."""
        return self.watts_per_photon * np.maximum(np.asarray(photons, float), 0.0)

    def detector_power(self, photons: Any) -> np.ndarray:
        """Power at the detector [W], for "log" with the floor's power added."""
        floor = _watts(self.floor) if self.detector == "log" else 0.0
        return self.gain * self.port_power(photons) + floor

    def settled(self, photons: Any) -> np.ndarray:
        """Detector output [V] for a photon number that has stood for long."""
        power = self.detector_power(photons)
        if self.detector == "log":
            return self.slope * (10.0 * np.log10(power / 1e-3) - self.intercept)
        return self._volts_per_root_watt * np.sqrt(power)

    amplitude = settled

    def volts(self, photons: Any, times: Any = None) -> np.ndarray:
        """Noise-free detector output [V] at `times` [s], not clipped and linear on above the ceiling.

        For "log" the output lags: settled at photons[0], input held between samples. Without `times` settled.
        """
        target = self.settled(photons)
        if self.detector != "log" or times is None or target.ndim == 0:
            return target
        return follow(target, _matching(times, target), *self._lags)

    def settled_slope(self, photons: Any) -> np.ndarray:
        """d settled/d photons [V]. An amplitude's diverges at 0 and is held at that of 1e-3 photons."""
        if self.detector == "log":
            lit = np.asarray(photons, float) > 0.0
            return lit * self.slope * self.gain * self.watts_per_photon / (
                _NATS_PER_DB * self.detector_power(photons))
        safe = np.maximum(np.asarray(photons, float), 1e-3)
        return 0.5 * self.settled(safe) / safe

    def volts_with_jacobian(self, photons: Any, jacobian: Any,
                            times: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """volts (T,) and their derivatives (T, n) from those of the photons (T, n), lag included."""
        target = self.settled(photons)
        change = self.settled_slope(photons)[:, None] * np.ascontiguousarray(jacobian, float)
        if self.detector != "log" or times is None:
            return target, change
        return follow_with_jacobian(target, change, _matching(times, target), *self._lags)

    def carrier(self, amplitude: Any, times: Any, phase: float = 0.0) -> np.ndarray:
        """The record [V] that a (complex) `amplitude` [V] makes: Re a exp(i(2 pi f t + phase)), t in [s]."""
        angle = 2.0 * math.pi * self.carrier_frequency * np.asarray(times, float) + phase
        amplitude = np.asarray(amplitude)
        if not np.iscomplexobj(amplitude):
            return amplitude * np.cos(angle)
        return amplitude.real * np.cos(angle) - amplitude.imag * np.sin(angle)

    def codes(self, volts: Any) -> np.ndarray:
        """Codes of the converter, 0 .. 2^bits - 1, clipped at the rails."""
        steps = np.floor((np.asarray(volts, float) - (self.middle - 0.5 * self.full_scale)) / self.lsb)
        return np.clip(steps, 0, 2**self.bits - 1).astype(np.int64)

    # Backwards.

    def volts_of(self, codes: Any) -> np.ndarray:
        """Centre [V] of each code."""
        return self.middle - 0.5 * self.full_scale + (np.asarray(codes) + 0.5) * self.lsb

    def photons(self, volts: Any) -> np.ndarray:
        """Photon number behind settled volts; nan where it must not be told.

        That is at rail codes and, for "log", above the ceiling and where less than floor - 3 dB is left
        after the floor's power is subtracted. An amplitude below 0 V is noise on darkness: 0 photons.
        """
        volts = np.asarray(volts, float)
        code = self.codes(volts)
        known = (code > 0) & (code < 2**self.bits - 1)
        if self.detector == "log":
            power = _watts(self.intercept + volts / self.slope)
            floor = _watts(self.floor)
            known &= (power <= _watts(self.ceiling)) & (power - floor >= floor * 10.0**-0.3)
            power = power - floor
        else:
            power = (np.maximum(volts, 0.0) / self._volts_per_root_watt) ** 2
        return np.where(known, power, np.nan) / (self.gain * self.watts_per_photon)

    def overloaded(self, photons: Any) -> np.ndarray:
        """True where a log detector is above its ceiling, or an amplitude beyond the converter's rails."""
        if self.detector == "log":
            return self.detector_power(photons) > _watts(self.ceiling)
        swing = 0.5 * self.full_scale
        top = self.middle + swing if self.carrier_frequency == 0.0 else swing - abs(self.middle)
        return self.settled(photons) > top

    @property
    def _volts_per_root_watt(self) -> float:
        return (self.conversion if self.detector == "if" else 1.0) * math.sqrt(2.0 * IMPEDANCE)

    @property
    def _lags(self) -> tuple[float, float]:
        """Time constants for falling and for rising volts; an inverted detector's fall when power rises."""
        return (self.attack, self.release) if self.slope < 0.0 else (self.release, self.attack)


def _watts(dbm: Any) -> Any:
    return 1e-3 * 10.0 ** (dbm / 10.0)


def _matching(times: Any, values: np.ndarray) -> np.ndarray:
    times = np.ascontiguousarray(times, float)
    if times.shape != values.shape:
        raise ValueError(f"times {times.shape} and photons {values.shape} must have one shape")
    if np.any(np.diff(times) < 0.0):
        raise ValueError("times must rise")
    return times
