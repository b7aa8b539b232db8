"""A run flown by the twin before the bench does: levels along the chain, ranges, dose, duration.

A pure function of the bench file and the settings; touches no instrument. What must not be is refused before
anything is armed; what will spoil data is said, with what would help.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin import simulate
from twin.bench_description import BenchDescription
from twin.light_budget import light_budget
from twin.quantity import show
from twin.receiver import Receiver

_LONGEST = 40e-6     # [s] after the light: a burst that has not come by then is too weak to harm anything
_STEP = 5e-9
_MARGIN_DB = 6.0     # more than the twin expects, as the crystal's doping and the loop are never known well
_NOISE_SEEN = 5.0    # a burst is seen above so many standard deviations of a sample


@dataclass(frozen=True)
class Flight:
    """What the twin expects of a run's strongest shot; the sentences in `refused` forbid it.

    `energy` [J] of the pulse, `duration` [s] of the run, `peak_photons` of the burst and `peak_time` [s]
    after the light; `levels` [dBm] by "channel: element", the burst's peak behind each element of its line.
    """

    energy: float
    duration: float
    peak_photons: float
    peak_time: float
    levels: Mapping[str, float]
    refused: tuple[str, ...]
    warned: tuple[str, ...]


def fly(bench: BenchDescription, settings: Mapping[str, Any], duration: float = math.nan) -> Flight | None:
    """The flight of checked `settings` (SI) of a run of known `duration` [s]; None without the laser."""
    energies = [float(value) for name, value in settings.items() if name.startswith("pump_energy")]
    if not energies:
        return None
    bench = _as_loaded(bench, settings)
    energy, p = max(energies), bench.expected.parameters
    drive, times = bench.drive(energy), np.arange(0.0, _LONGEST, _STEP)
    photons = simulate(p, drive, times, model="mean_field", seed_photons=p.thermal_photons).photons
    top = int(np.argmax(photons))
    peak = float(photons[top])
    levels = {f"{name}: {element}": level for name, receiver in bench.receivers.items()
              for element, level in along(receiver, peak)}
    budget = light_budget(p, drive, _LONGEST).advice
    return Flight(energy, duration, peak, float(times[top]), levels, tuple(_refusals(bench, peak)),
                  (*_warnings(bench, peak), *([budget] if budget else [])))


def clear(bench: BenchDescription, settings: Mapping[str, Any]) -> Flight | None:
    """As `fly`; ValueError with what forbids the run."""
    flight = fly(bench, settings)
    if flight is not None and flight.refused:
        raise ValueError("; ".join(flight.refused))
    return flight


def _as_loaded(bench: BenchDescription, settings: Mapping[str, Any]) -> BenchDescription:
    """The bench with its loop as deep as the run will move it: where most power leaves the cavity."""
    qualities = [float(value) for name, value in settings.items() if name.startswith("quality")]
    if not qualities:
        return bench
    p, burst = bench.expected.parameters, bench.receivers["burst"]
    factor = max(burst.loaded_quality * (1.0 + burst.coupling_factor) / min(qualities) - 1.0, 1e-9)
    receivers = {name: receiver.at_coupling(factor) for name, receiver in bench.receivers.items()}
    parameters = p.replace(cavity_decay=p.cavity_frequency / receivers["burst"].loaded_quality)
    expected = dataclasses.replace(bench.expected, parameters=parameters)
    return dataclasses.replace(bench, receivers=receivers, expected=expected)


def along(receiver: Receiver, photons: float) -> Iterator[tuple[str, float]]:
    """(element, peak power [dBm] behind it), from the cavity's port on, in the order of the bench file."""
    level = _dbm(float(receiver.port_power(photons)))
    yield "port", level
    for element, gain in receiver.gains_db.items():
        level += gain
        yield element, level


def _refusals(bench: BenchDescription, peak: float) -> Iterator[str]:
    limit = bench.limits.get("detector_power", (0.0, math.inf))[1]
    for name, receiver in bench.receivers.items():
        if not any("attenuat" in element for element in receiver.gains_db):
            yield (f"[receiver.{name}] gains_db names no attenuator; a published watt destroys a receive "
                   "chain: say what is in the line, attenuator = 0 if nothing is")
        yield from _overdriven(bench, name, receiver, peak)
        power = receiver.gain * float(receiver.port_power(peak))
        if power > limit:
            yield (f"{name}: {_dbm(power):.1f} dBm are expected at the detector, above this bench's limit of "
                   f"{_dbm(limit):.1f} dBm ([limits] detector_power); add attenuation or lower the energy")


def _overdriven(bench: BenchDescription, name: str, receiver: Receiver, peak: float) -> Iterator[str]:
    """Amplifiers, which are the elements that have gain, at whose input the burst is above the limit."""
    limit = bench.limits.get("lna_power", (0.0, math.inf))[1]
    levels = [level for _, level in along(receiver, peak)]
    for (element, gain), level in zip(receiver.gains_db.items(), levels, strict=False):  # before each
        if gain > 0.0 and level > _dbm(limit):
            yield (f"{name}: {level:.1f} dBm are expected at the input of {element}, above this bench's "
                   f"limit of {_dbm(limit):.1f} dBm ([limits] lna_power); add attenuation before it")


def _warnings(bench: BenchDescription, peak: float) -> Iterator[str]:
    for name, receiver in bench.receivers.items():
        room = _room(receiver, peak)
        if room < _MARGIN_DB:
            found = "does not fit" if room < 0.0 else f"fits with {room:.1f} dB to spare"
            yield (f"{name}: the strongest burst {found} into its range; {_MARGIN_DB - room:.0f} dB more "
                   "attenuation would leave room for what nobody knows")
    burst = bench.receivers["burst"]
    if burst.detector != "log" and float(burst.settled(peak)) < _NOISE_SEEN * burst.sample_noise:
        yield "the strongest burst will not be seen above the noise; raise the energy or the gain"


def _room(receiver: Receiver, peak: float) -> float:
    """How much stronger [dB] a burst may be before the detector or the converter is overloaded."""
    if receiver.detector == "log":
        return receiver.ceiling - _dbm(float(receiver.detector_power(peak)))
    swing = 0.5 * receiver.full_scale
    top = swing + receiver.middle if receiver.carrier_frequency == 0.0 else swing - abs(receiver.middle)
    return 20.0 * math.log10(top / max(float(receiver.settled(peak)), 1e-30))


def _dbm(watts: float) -> float:
    return 10.0 * math.log10(max(watts, 1e-30) / 1e-3)


def told(flight: Flight) -> str:
    """The flight as a page for people."""
    lines = [f"strongest pulse {show(flight.energy, 'J')}, run of about {show(flight.duration, 's')}",
             f"burst: {flight.peak_photons:.3g} photons, {show(flight.peak_time, 's')} after the light"]
    lines += [f"    {place:<22} {level:7.1f} dBm" for place, level in flight.levels.items()]
    lines += [f"note: {text}" for text in flight.warned] + [f"REFUSED: {text}" for text in flight.refused]
    return "\n".join(lines)
