"""What one shot's own records say against it: light, its time, noise, overload, and energy out of nothing.

A pure function of a shot and the bench file. It rejects nothing: the shot is kept, a person is told, and the
fit gives its own verdict. What only a series or a control shot can show is not asked here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

from twin.bench_description import BenchDescription
from twin.optical_pump import triplets_per_molecule
from twin.pentacene import HBAR
from twin.photodiode import Pulse
from twin.quantity import show
from twin.receiver import Receiver, envelope

from ..records.shot import COUPLED, LOADED, TUNED, Shot
from .bursts import burst_envelope

GATE_AT_REST = 20e-9  # [s] a delay generator's gate after a reset, which does nothing to a burst
ENERGY_WINDOW = 0.2  # relative; wider where the laser's own jitter is declared to be
EARLY = 50e-9  # [s] a pulse may be off its place in the record before the trigger is to blame
_SIGMAS = 5.0
_BY_CHANCE = 6.5  # times the noise, which no envelope of some thousand samples reaches by chance
_NOISY = 2.0  # times the declared noise
_DISAGREEMENT = 0.7  # [dB] between two detectors behind one line
_STRONG, _FEW = 30.0, 20  # times the log detector's floor, and samples so strong, for comparing them
_FLAT = 0.48
"""Share of the samples above half of the top that lie within a tenth of it: 0.37 in a sech, which no burst
exceeds that rings, 0.5 where an amplifier holds the power 15 dB down, 1 in a rectangle."""
_LOUD = 30.0  # times the noise, for telling how flat a burst is
_DARK_SAMPLES = 50  # before the pulse, at least, to tell the noise


def as_measured(bench: BenchDescription, shot: Shot) -> BenchDescription:
    """The bench with mode and loop as they were measured for this shot, where they were."""
    frequency, coupling = (shot.settings.get(name, math.nan) for name in (TUNED, COUPLED))
    if not math.isfinite(frequency):
        return bench
    expected, receivers = bench.expected, bench.receivers
    changes = {"cavity_frequency": 2.0 * math.pi * frequency}
    if math.isfinite(coupling):
        changes["cavity_decay"] = changes["cavity_frequency"] / shot.settings[LOADED]
        receivers = {name: r.replace(loaded_quality=shot.settings[LOADED], coupling_factor=coupling)
                     for name, r in receivers.items()}
    expected = dataclasses.replace(expected, parameters=expected.parameters.replace(**changes))
    return dataclasses.replace(bench, expected=expected, receivers=receivers)


def is_free_burst(bench: BenchDescription, shot: Shot) -> bool:
    """Whether a shot is what the fit's model tells of: a burst in a mode that nothing feeds or spoils."""
    gated = shot.settings.get("timing.gate_length", 0.0) > GATE_AT_REST
    spoiled = gated and "timing" in bench.roles and bench.roles["timing"].options["gate"] == "cavity"
    return "burst" in shot.waveforms and not shot.driven and not spoiled and not shot.control


def to_be_fitted(bench: BenchDescription, shot: Shot) -> bool:
    """Whether a stored shot is one that the laser was fired for, and a free burst."""
    return shot.settings.get("pump.energy") is not None and is_free_burst(bench, shot)


def load(bench: BenchDescription) -> None:
    """What `oddities` computes with, loaded before a run: a first call holds up all threads."""
    triplets_per_molecule(bench.expected.parameters, bench.drive(1e-3))


def oddities(bench: BenchDescription, shot: Shot, pulse: Pulse, asked: float) -> list[str]:
    """Sentences about what is wrong with a shot fired at an `asked` energy [J]; empty for a sound one."""
    return [*_light(bench, shot, pulse, asked), *_noise(bench, shot), *_overload(bench, shot),
            *_flat_top(bench, shot), *_disagreement(bench, shot), *_budget(bench, shot, pulse)]


def seen_without_light(bench: BenchDescription, shot: Shot) -> list[str]:
    """Sentences about what a control shot holds that it ought not to; empty for one that shows nothing."""
    found = [*_noise(bench, shot), *_overload(bench, shot)]
    if math.isfinite(shot.energy):
        found.append(f"the photodiode saw {show(shot.energy, 'J')} in a control shot, whose laser gets no "
                     "trigger: something else fires it")
    if "burst" in shot.waveforms and not shot.driven:
        _, volts, sigma = burst_envelope(bench, shot)
        highest = float(np.max(np.abs(volts))) / sigma
        if highest > _BY_CHANCE:
            found.append(f"a control shot without light holds a signal of {highest:.0f} times the noise: "
                         "interference, or a source that is on; the bursts of this run may hold it too")
    return found


def _light(bench: BenchDescription, shot: Shot, pulse: Pulse, asked: float) -> Iterator[str]:
    diode, record = bench.photodiode, shot.waveforms.get("photodiode")
    if record is None or asked * diode.volt_seconds_per_joule < 20.0 * diode.noise_volts * diode.seen_fwhm:
        return
    if math.isnan(pulse.energy):
        yield "no light on the photodiode: the laser misfired, or something else gave the trigger"
        return
    window = max(ENERGY_WINDOW, _SIGMAS * bench.pump.energy_jitter) * asked + _SIGMAS * pulse.energy_sigma
    if abs(pulse.energy - asked) > window:
        yield f"the photodiode saw {show(pulse.energy, 'J')} instead of {show(asked, 'J')}"
    if abs(pulse.start - bench.pump.arrival) > EARLY:
        yield (f"the light came {show(pulse.start, 's')} after the trigger instead of "
               f"{show(bench.pump.arrival, 's')}")
    after = record.time > pulse.start + 6.0 * diode.seen_fwhm
    second = diode.read(record.time[after], record.volts[after]) if np.count_nonzero(after) > 40 else None
    if second is not None and second.energy > 0.05 * pulse.energy:
        yield (f"a second pulse of {show(second.energy, 'J')} came {show(second.start - pulse.start, 's')} "
               "after the first")


def _noise(bench: BenchDescription, shot: Shot) -> Iterator[str]:
    if shot.driven:
        return  # what stands there before the light is the tone
    for name, receiver in bench.receivers.items():
        record = shot.waveforms.get(name)
        dark = record.volts[record.time < bench.pump.arrival - 2.0 * EARLY] if record is not None else ()
        if len(dark) < _DARK_SAMPLES:
            continue
        ratio = float(np.std(dark)) / receiver.sample_noise
        if ratio > _NOISY:
            yield (f"before the light, {name} holds {ratio:.1f} times its declared noise: interference, or a "
                   "source that is on")


def _overload(bench: BenchDescription, shot: Shot) -> Iterator[str]:
    for name, record in shot.waveforms.items():
        if record.clipped:
            yield f"{name} is at a rail of the digitiser"
    receiver = bench.receivers.get("log")
    if "log" not in shot.waveforms or receiver is None or receiver.detector != "log":
        return
    level = receiver.intercept + shot.waveforms["log"].volts / receiver.slope
    margin = _SIGMAS * receiver.sample_noise / abs(receiver.slope)
    if np.count_nonzero(level > receiver.ceiling + margin) > 2:
        yield (f"the log detector stands {np.max(level) - receiver.ceiling:.1f} dB above its range, which "
               f"ends at {receiver.ceiling:g} dBm: more attenuation is needed")


def _flat_top(bench: BenchDescription, shot: Shot) -> Iterator[str]:
    """A burst has a crest; one that is level on top has been cut, or squeezed, on its way."""
    receiver, record = bench.receivers["burst"], shot.waveforms.get("burst")
    if record is None or record.clipped or shot.driven or receiver.carrier_frequency == 0.0:
        return
    _, height, sigma = envelope(record.time, record.volts, receiver.carrier_frequency, receiver.bandwidth)
    half = height[height > 0.5 * np.max(height)]
    top = float(np.quantile(half, 0.98))  # above which there is little but noise
    share = float(np.mean(half > 0.9 * top))
    if top > _LOUD * float(np.mean(sigma)) and len(half) > _FEW and share > _FLAT:
        yield (f"the burst is flat on top ({share:.0%} of its upper half lie within a tenth of its height): "
               "an amplifier is compressed, or a limiter acts; more attenuation before it is needed")


def _disagreement(bench: BenchDescription, shot: Shot) -> Iterator[str]:
    """Two detectors behind one line must tell the same power while the burst is strong."""
    linear, log = bench.receivers["burst"], bench.receivers.get("log")
    if log is None or log.detector != "log" or linear.carrier_frequency == 0.0:
        return
    burst, other = shot.waveforms.get("burst"), shot.waveforms.get("log")
    if burst is None or other is None or len(burst) != len(other) or burst.clipped:
        return
    photons = log.photons(other.volts)
    strongest = float(np.nanmax(photons, initial=0.0))
    strong = photons > 0.5 * strongest
    if np.count_nonzero(strong) < _FEW or strongest < _STRONG * log.detector_power(0.0) / _watts(log):
        return
    seen = max(float(np.mean(_photons(linear, burst.volts[strong]))), 1e-300)
    difference = 10.0 * math.log10(float(np.mean(photons[strong])) / seen)
    if abs(difference) > _DISAGREEMENT:
        yield (f"the log detector reads {difference:+.1f} dB against the burst channel: one of them has "
               "drifted, or is not what the bench file says")


def _watts(receiver: Receiver) -> float:
    """Power at the detector of one photon in the mode [W]."""
    return receiver.gain * receiver.watts_per_photon


def _photons(receiver: Receiver, volts: np.ndarray) -> np.ndarray:
    """Photons behind samples of a carrier, whose square is half that of its amplitude on average."""
    per_photon = float(receiver.settled(1.0)) ** 2
    return 2.0 * (volts**2 - receiver.sample_noise**2) / per_photon


def _budget(bench: BenchDescription, shot: Shot, pulse: Pulse) -> Iterator[str]:
    """A burst cannot bring more than the inversion that the pulse can have made, to the last quantum."""
    receiver, record, p = bench.receivers["burst"], shot.waveforms.get("burst"), bench.expected.parameters
    if record is None or not pulse.energy > 0.0 or receiver.carrier_frequency == 0.0 or shot.driven:
        return
    photons = float(np.sum(_photons(receiver, record.volts))) * record.interval
    emitted = photons * receiver.watts_per_photon * (1.0 + 1.0 / receiver.coupling_factor)
    triplets = p.molecules * triplets_per_molecule(p, bench.drive(pulse.energy))
    held = HBAR * p.frequency_35 * triplets * (p.branching[2] - p.branching[0])
    if emitted > held:
        yield (f"the burst brings {show(emitted, 'J')}, more than the {show(held, 'J')} that "
               f"{show(pulse.energy, 'J')} of light can store: look at gains, attenuators and scales")
