"""The receive line by substitution: the source's own level instead of a burst's, in steps of 1 dB.

Off resonance the cavity reflects everything, so what the source sends is what the line gets. The laser stays
off. The logarithmic detector's slope and intercept, the mixer's conversion and the input power at which
the line has lost 1 dB of its gain follow; the declared gains of the line are taken for true, as only their
product with each detector shows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymeasure.experiment import FloatParameter, Procedure

from twin.bench_description import BenchDescription
from twin.receiver import IMPEDANCE, Receiver

from .machinery import settings
from .machinery.acquire import Acquisition
from .machinery.measured import Measured
from .machinery.rows import COLUMNS
from .machinery.shot import Shot
from .machinery.straight_line import straight_line

_ABOVE_FLOOR = 10.0  # [dB] from which on a logarithmic detector is straight
_HEARD = 10.0  # times the noise: an amplitude whose gain is worth knowing
_LOST = 1.0  # [dB] of gain, by which compression is named
_STRAIGHT = 0.1  # [dB] of it that a calibration may have lost
_BACK_OFF = 10.0  # [dB] below the compression point a line is straight to a few thousandths


@dataclass(frozen=True)
class Level:
    """One step: `power` [dBm] at the port, mean of `log` [V] and its error, amplitude `squared` [V2] of
    the carrier; nan where a record is at a rail or holds nothing."""

    power: float
    log: float
    log_sigma: float
    squared: float


class ReceiverCalibration(Procedure):
    """Step the source's level off resonance: slope, intercept, conversion, compression of the line."""

    ROLES = ("timing", "digitiser", "microwave")
    DATA_COLUMNS = COLUMNS
    acquisition: Acquisition

    shots = settings.shots(default=41)
    power_start = settings.power("First power", -50.0, "level of the source at the scan's first step")
    power_stop = settings.power("Last power", -10.0, "level of the source at the scan's last step")
    offset = FloatParameter("Offset", units="Hz", default=5e6, minimum=-1e8, maximum=1e8,
                            description="of the source from the cavity: many line widths, inside the filter")
    repetition_rate = settings.repetition_rate()

    def startup(self) -> None:
        self.acquisition.begin(self, light=False)

    def execute(self) -> None:
        bench = self.acquisition.bench
        frequency = bench.description.receivers["burst"].frequency + self.offset
        tone = bench.radiate("microwave", frequency, min(self.power_start, self.power_stop))
        source = bench.roles["microwave"]
        for power in np.linspace(self.power_start, self.power_stop, self.shots):
            if self.should_stop():
                return
            source.power = float(power)
            self.acquisition.take_dark(tone | {"microwave.power": source.power})
        self.acquisition.finish()

    def shutdown(self) -> None:
        self.acquisition.end()

    def answer(self, measured: Measured) -> dict[str, Any]:
        """slope [V/dB], intercept [dBm], conversion and compression_point [dBm at the port].

        What the levels do not reach is absent: no compression point where nothing compresses.
        """
        bench = measured.description
        levels = sorted((_level(bench, shot) for shot in measured.shots), key=lambda level: level.power)
        lost = _lost_gain(levels)
        compressed = compression(levels, lost)
        highest = compressed.get("compression_point", math.inf) - _BACK_OFF
        sound = [level for level, loss in zip(levels, lost, strict=True)
                 if level.power < highest and not loss > _STRAIGHT]
        return {**logarithmic(bench, sound), **conversion(bench.receivers["burst"], sound), **compressed}


def _level(bench: BenchDescription, shot: Shot) -> Level:
    receiver, log, burst = bench.receivers["burst"], shot.waveforms.get("log"), shot.waveform
    offset = shot.settings["microwave.frequency"] - receiver.frequency
    found, noise = carrier(burst.time, burst.volts, receiver.carrier_frequency + offset)
    heard = found > _HEARD * noise and not burst.clipped
    volts = np.array([math.nan]) if log is None or log.clipped else log.volts
    return Level(shot.settings["microwave.power"] + reflected(receiver, offset), float(np.mean(volts)),
                 float(np.std(volts)) / math.sqrt(len(volts)), found**2 if heard else math.nan)


def carrier(time: np.ndarray, volts: np.ndarray, frequency: float) -> tuple[float, float]:
    """Amplitude [V] of a carrier of known frequency [Hz] in a record (T,), and its error from what is left.

    Under a Hann window, beside which neither the carrier's image nor a constant is seen.
    """
    window = np.hanning(len(time))
    window /= np.sum(window)
    turn = np.exp(2j * math.pi * frequency * time)
    found = 2.0 * np.sum(window * volts * np.conj(turn))
    left = float(np.std(volts - np.real(found * turn)))
    return float(abs(found)), left * math.sqrt(2.0 * float(np.sum(window**2)))


def reflected(receiver: Receiver, offset: float) -> float:
    """|S11|^2 [dB] of the declared cavity, `offset` [Hz] from its frequency."""
    k, x = receiver.coupling_factor, 2.0 * receiver.loaded_quality * offset / receiver.frequency
    return 20.0 * math.log10(max(abs(1.0 - 2.0 * k / (1.0 + k) / (1.0 + 1j * x)), 1e-10))


def _lost_gain(levels: list[Level]) -> np.ndarray:
    """Gain [dB] that each level lacks against the weakest ones that are heard, nan where it is not known."""
    gain = np.array([10.0 * math.log10(level.squared) - level.power if level.squared == level.squared
                     else math.nan for level in levels])
    known = gain[np.isfinite(gain)]
    return np.asarray(np.median(known[: max(1, len(known) // 3)]) - gain) if len(known) else gain


def logarithmic(bench: BenchDescription, levels: list[Level]) -> dict[str, float]:
    """{slope [V/dB], intercept [dBm]} with errors, from the levels inside the detector's range.

    V = slope (P - intercept), P being the power at the detector with that of its floor added.
    """
    log = bench.receivers.get("log")
    if log is None or log.detector != "log":
        return {}
    gain = 10.0 * math.log10(log.gain)
    inside = [level for level in levels if level.log == level.log
              and log.floor + _ABOVE_FLOOR < level.power + gain < log.ceiling]
    power = np.array([10.0 ** (0.1 * (level.power + gain)) + 10.0 ** (0.1 * log.floor) for level in inside])
    line = straight_line(10.0 * np.log10(power), [level.log for level in inside]) if inside else None
    if line is None:
        return {}
    intercept, intercept_sigma = line.meets()
    return {"slope": line.slope, "slope_sigma": line.slope_sigma,
            "intercept": intercept, "intercept_sigma": intercept_sigma}


def conversion(receiver: Receiver, levels: list[Level]) -> dict[str, float]:
    """{conversion} with its error: volts of the carrier over volts at the mixer, sqrt(2 R P)."""
    heard = [level for level in levels if level.squared == level.squared]
    if receiver.detector != "if" or not heard:
        return {}
    watts = np.array([1e-3 * 10.0 ** (0.1 * level.power) * receiver.gain for level in heard])
    ratios = np.sqrt(np.array([level.squared for level in heard]) / (2.0 * IMPEDANCE * watts))
    weight = watts / np.sum(watts)  # the noise's share of a ratio falls with the amplitude
    mean = float(np.sum(weight * ratios))
    scatter = float(np.sqrt(np.sum(weight**2 * (ratios - mean) ** 2)))
    return {"conversion": mean, "conversion_sigma": scatter} if len(heard) > 1 else {"conversion": mean}


def compression(levels: list[Level], lost: np.ndarray) -> dict[str, float]:
    """{compression_point} [dBm at the port] where 1 dB of gain is lost; {} where that is not reached."""
    beyond = np.flatnonzero(lost > _LOST)
    if not len(beyond) or beyond[0] == 0:
        return {}
    i = int(beyond[0])
    share = (_LOST - lost[i - 1]) / (lost[i] - lost[i - 1])
    return {"compression_point": levels[i - 1].power + share * (levels[i].power - levels[i - 1].power)}
