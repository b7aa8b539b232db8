"""From a burst to the codes of every digitiser input: detectors, IF phase, ripple, noise, faulty chains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from twin.receiver import Receiver

from .bench_file import World
from .burst import STEP, Burst
from .front_end import Channel, Timebase, detector_volts, resample
from .streams import stream

_QUIET = 0.8e-3  # [V] noise of an input with nothing connected
_LOCKED_PHASE = 0.7  # [rad] of the IF carrier where all instruments share one reference
_RIPPLE_PERIOD = 10.0  # [dB] of power after which a log detector's ripple repeats: one per stage of its chain


@dataclass(frozen=True)
class Recording:
    """What the digitiser was set to, whose shot it is, and which faults are on.

    `stream` (seed, shot); `pulses` (energy [J], first light [s after the trigger]).
    """

    world: World
    timebase: Timebase
    channels: dict[int, Channel]
    stream: tuple[int, int]
    pulses: tuple[tuple[float, float], ...]
    faults: dict[str, float]


def codes_of(burst: Burst, recording: Recording) -> dict[int, np.ndarray]:
    """Codes (points,) by input number."""
    times = recording.timebase.times()
    field = resample(burst.leaving, burst.start, STEP, times)
    names = {number: name for name, number in recording.world.channels.items()}
    interval = recording.timebase.interval
    volts = {number: _volts(names.get(number, ""), field, burst.frequency, times, recording, number)
             for number in recording.channels}
    return {number: channel.codes(volts[number], interval) for number, channel in recording.channels.items()}


def _volts(name: str, field: np.ndarray, frame: float, times: np.ndarray, recording: Recording,
           number: int) -> np.ndarray:
    faults = recording.faults
    seed, shot = recording.stream
    random = stream(seed, name, shot) if name else stream(seed, "input", 4 * shot + number)
    if name == "photodiode":
        diode = recording.world.photodiode
        volts = np.zeros(len(times))
        for energy, start in recording.pulses:
            volts += diode.volts(times, energy, start)
        noise = diode.noise_volts
    elif name in recording.world.receivers:
        receiver = _with_faults(recording.world.receivers[name], faults)
        phase = 2.0 * math.pi * random.random()
        phase = _LOCKED_PHASE if recording.world.shared_reference else phase
        above = frame - receiver.frequency if frame else 0.0
        volts = detector_volts(receiver, _limited(field, receiver, faults), times, phase, above)
        volts = volts * (faults.get("clip", 1.0) if name == "burst" else 1.0)
        if receiver.detector == "log":
            volts = _rippled(_saturated(volts, receiver), receiver, recording.world.imperfections.ripple)
        noise = receiver.noise_volts * 10.0 ** (faults.get("noise_burst", 0.0) / 20.0)
    else:
        volts, noise = np.zeros(len(times)), _QUIET
    return (volts + noise * random.normal(size=len(times))) * faults.get("wrong_scale", 1.0)


def _with_faults(receiver: Receiver, faults: dict[str, float]) -> Receiver:
    if receiver.detector != "log":
        return receiver
    stronger = {"out_of_range": faults.get("detector_range", 0.0)}
    return receiver.replace(intercept=receiver.intercept + faults.get("intercept_drift", 0.0),
                            gains_db={**receiver.gains_db, **stronger})


def _saturated(volts: np.ndarray, receiver: Receiver) -> np.ndarray:
    """A log detector's output does not go on beyond 3 dB above its range."""
    limit = receiver.slope * (receiver.ceiling + 3.0 - receiver.intercept)
    return np.maximum(volts, limit) if receiver.slope < 0.0 else np.minimum(volts, limit)


def _rippled(volts: np.ndarray, receiver: Receiver, ripple: float | None) -> np.ndarray:
    """A log detector's departure from its straight line, `ripple` [dB] of amplitude, by level."""
    if not ripple:
        return volts
    level = receiver.intercept + volts / receiver.slope
    return volts + receiver.slope * ripple * np.sin(2.0 * math.pi * level / _RIPPLE_PERIOD)


def _limited(field: np.ndarray, receiver: Receiver, faults: dict[str, float]) -> np.ndarray:
    """The field behind a limiter (flat top, port power [dBm]) and a compressed amplifier (Rapp, p = 2)."""
    for name, gain in (("limiter", 1.0), ("lna_compression", receiver.gain)):
        if name not in faults:
            continue
        saturated = 1e-3 * 10.0 ** (faults[name] / 10.0) / (gain * receiver.watts_per_photon)
        ratio = np.abs(field) / math.sqrt(saturated)
        field = field / (np.maximum(ratio, 1.0) if name == "limiter" else (1.0 + ratio**4) ** 0.25)
    return field
