"""One number while hands are on the bench: the burst's peak, or the mode's frequency or quality.

Reads again and again and writes no run. What it reads is an iterator of frozen readings, which a terminal
shows and a window may. It arms as a run does, with leave that is told to whoever watches, is guarded as a
run is, and ends in the verified safe state however it ends.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pymeasure.experiment import FloatParameter

from twin import simulate
from twin.bench_description import BenchDescription
from twin.quantity import nearest

from .apparatus.arming import Arming
from .apparatus.bench import Bench, check_wishes
from .apparatus.firing import Firing
from .apparatus.preparation import Records
from .apparatus.tuning import Mode, read_mode, step_over
from .apparatus.watched_limits import WatchedLimits
from .fitting.bursts import burst_envelope
from .flight_check import clear
from .records import events, settings
from .records.failures import BenchFailure, StateUnknown, Stopped
from .records.shot import Shot

_WINDOW = 8  # readings, from which the trend is told
_SEEN = 5.0  # times the noise, from which on a peak is one
_WELL_SEEN = 10.0  # times the noise of a sample, for the energy that is chosen by itself
_LONGEST, _STEP = 40e-6, 5e-9  # [s] of the burst that is looked for then


@dataclass(frozen=True)
class Reading:
    """One value of what is aligned, in `unit`; nan where there was nothing to be read.

    `seconds` [s] since it began; `trend` [unit/s] and its error over the last readings, nan for the first
    few; `best` so far (nan where none is better than another); `beside` what was read with it, in SI units.
    """

    number: int
    seconds: float
    value: float
    unit: str
    trend: float = math.nan
    trend_sigma: float = math.nan
    best: float = math.nan
    beside: Mapping[str, float] = field(default_factory=dict)

    @property
    def direction(self) -> str:
        """"rising", "falling", "steady", or "" where that is not known."""
        if not math.isfinite(self.trend * self.trend_sigma):
            return ""
        if abs(self.trend) < 2.0 * self.trend_sigma:
            return "steady"
        return "rising" if self.trend > 0.0 else "falling"


class Peak:
    """Highest power of the burst at the cavity's port, laser armed at a low energy."""

    ROLES: ClassVar[tuple[str, ...]] = ("pump", "timing", "digitiser")
    UNIT, RISES = "dBm", True
    pump_energy = FloatParameter("Pump energy", units="J", default=0.0, minimum=0.0, maximum=1.0,
                                 description="0: the lowest of the bench's table that can be seen")
    repetition_rate = settings.repetition_rate()


class Frequency:
    """Frequency of the mode, with the network analyser and the laser off."""

    ROLES: ClassVar[tuple[str, ...]] = ("vna",)
    UNIT, RISES = "Hz", False
    span = settings.span("width of each sweep", default=2e6)


class Quality(Frequency):
    """Loaded quality of the mode, with the network analyser and the laser off."""

    UNIT, RISES = "", True


class Stepped:
    """The same by hand of source and analyser, on a bench without a network analyser."""

    ROLES: ClassVar[tuple[str, ...]] = ("microwave", "analyser")
    power = settings.power("of the source", default=-20.0)


class SteppedFrequency(Stepped, Frequency):
    """Frequency of the mode, with source and analyser and the laser off."""


class SteppedQuality(Stepped, Quality):
    """Loaded quality of the mode, with source and analyser and the laser off."""


_WITHOUT_VNA: Mapping[Any, Any] = {Frequency: SteppedFrequency, Quality: SteppedQuality}
KINDS: Mapping[str, Any] = {"peak": Peak, "frequency": Frequency, "quality": Quality}


def wishes(kind: str, description: BenchDescription, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting of a kind in SI units; ValueError for what the bench has not or forbids."""
    if kind not in KINDS:
        raise ValueError(f"align: {nearest(kind, KINDS)}")
    cls = KINDS[kind]
    if not set(cls.ROLES) <= set(description.roles) >= set(Stepped.ROLES):
        cls = _WITHOUT_VNA.get(cls, cls)
    found = settings.values(cls, given)
    if found.get("pump_energy") == 0.0:
        found["pump_energy"] = lowest_seen(description)
    check_wishes(description, f"align {kind}", cls, found)
    return found


def lowest_seen(bench: BenchDescription) -> float:
    """The lowest energy [J] of the laser's table whose burst stands out; ValueError where none does."""
    receiver, p = bench.receivers["burst"], bench.expected.parameters
    times = np.arange(0.0, _LONGEST, _STEP)
    for energy in bench.pump.energies:
        if energy > 0.0:
            photons = simulate(p, bench.drive(float(energy)), times, model="mean_field",
                               seed_photons=p.thermal_photons).photons
            dark, lit = (float(receiver.settled(n)) for n in (0.0, float(np.max(photons))))
            if abs(lit - dark) > _WELL_SEEN * receiver.sample_noise:
                return float(energy)
    raise ValueError("align peak: the twin expects no burst above the noise at any energy of [pump] "
                     "energy_table; name one with --set pump_energy=")


class Align:
    """One alignment on a bench. `readings` may be iterated once; `cut_short` ends it from another thread."""

    def __init__(self, kind: str, bench: Bench, given: Mapping[str, Any] | None = None,
                 publish: events.Publish | None = None) -> None:
        self.kind, self.settings = kind, wishes(kind, bench.description, given or {})
        self._bench, self._publish = bench, publish or (lambda event: None)
        self._arming = Arming(bench.roles, self._publish)
        self._stopped = False

    def cut_short(self) -> None:
        """Everything off at once; the iteration ends by itself."""
        self._stopped = True
        self._arming.cut_short()

    def readings(self, should_stop: Callable[[], bool] | None = None) -> Iterator[Reading]:
        """Readings until `should_stop`, then the safe state. BenchFailure, InstrumentError, StateUnknown."""
        def heed() -> None:
            if self._stopped or (should_stop is not None and should_stop()):
                raise Stopped

        self._bench.guard.require()
        self._arming.start_from_safe()
        self._bench.guard.await_ready()
        self._bench.guard.announce(Path(f"align-{self.kind}"))  # no folder: what it has to do, it logs
        source = self._peaks(heed) if self.kind == "peak" else self._modes(heed)
        try:
            yield from self._followed(source)
        except Stopped:
            pass
        except Exception:
            if not self._stopped:  # what fails in a bench that is being turned off
                raise
        finally:
            state = self._arming.make_safe()
            self._bench.guard.announce(None)
            if not state.verified:
                raise StateUnknown(f"STATE UNKNOWN, use the emergency stop: {state.message}")

    def _followed(self, source: Iterator[tuple[float, Mapping[str, float]]]) -> Iterator[Reading]:
        cls, began = KINDS[self.kind], time.monotonic()
        past: deque[tuple[float, float]] = deque(maxlen=_WINDOW)
        best = math.nan
        for number, (value, beside) in enumerate(source):
            seconds = time.monotonic() - began
            if math.isfinite(value):
                past.append((seconds, value))
                best = value if cls.RISES and not value <= best else best
            yield Reading(number, seconds, value, cls.UNIT, *slope(past), best, beside)

    def _modes(self, heed: Callable[[], None]) -> Iterator[tuple[float, Mapping[str, float]]]:
        receiver = self._bench.description.receivers["burst"]
        line = self._bench.description.expected.parameters.frequency_35 / (2.0 * math.pi)
        widths = self.settings["span"] * receiver.loaded_quality / receiver.frequency
        near = receiver.frequency
        if "power" in self.settings:
            self._switch_on(self.settings["power"])
        while True:
            heed()
            mode = self._mode(near, widths, heed)
            if mode is None:
                near = receiver.frequency
                yield math.nan, {}
                continue
            near = mode.frequency
            beside = {"frequency": mode.frequency, "loaded_quality": mode.loaded_quality,
                      "coupling_factor": mode.coupling_factor, "from_the_molecules": mode.frequency - line}
            yield (mode.frequency if self.kind == "frequency" else mode.loaded_quality), beside

    def _mode(self, near: float, widths: float, heed: Callable[[], None]) -> Mode | None:
        """None where the mode is out of the sweep: hands are on the piston."""
        if "power" in self.settings:
            return step_over(self._bench, near, widths, heed)
        try:
            return read_mode(self._bench, near, widths)
        except BenchFailure:
            return None

    def _switch_on(self, power: float) -> None:
        """The source, once what it is set to has been read back within the limits."""
        source = self._bench.roles["microwave"]
        source.power, source.gated = power, False
        self._arming.still_allowed()
        WatchedLimits(self._bench.description, self._bench.seconds).before_output("microwave", source)
        source.output = True

    def _peaks(self, heed: Callable[[], None]) -> Iterator[tuple[float, Mapping[str, float]]]:
        bench, wanted = self._bench, self.settings
        clear(bench.description, wanted)
        limits = WatchedLimits(bench.description, bench.seconds)
        firing = Firing(bench, limits, self._publish)
        self._arming.ask("align peak", wanted, bench.description.limits)
        Records(bench).configure()
        bench.announce("align", wanted["repetition_rate"])
        timing = bench.roles["timing"]
        timing.set_q_switch_delay(bench.description.pump.delay_for(wanted["pump_energy"]))
        self._arming.arm()
        firing.start(bench.seconds(1.0 / wanted["repetition_rate"]))
        for number in range(10**9):
            heed()
            firing.look_at_laser(heed)
            waveforms = firing.record(number, heed)
            pulse = bench.pulse(waveforms)
            limits.after_shot(number, pulse.energy)
            shot = Shot(number, "", {}, waveforms, bench.origin, start=pulse.start, energy=pulse.energy)
            yield peak_power(bench.description, shot), {"energy": pulse.energy}


def peak_power(bench: BenchDescription, shot: Shot) -> float:
    """Highest power [dBm] of a burst at the cavity's port; nan where none stands out."""
    receiver = bench.receivers["burst"]
    _, volts, sigma = burst_envelope(bench, shot)
    if receiver.detector == "log":
        photons = float(np.nanmax(receiver.photons(shot.waveform.volts), initial=0.0))
    else:
        highest = float(np.max(volts))
        photons = (highest / float(receiver.settled(1.0))) ** 2 if highest > _SEEN * sigma else 0.0
    watts = float(receiver.port_power(photons))
    return 10.0 * math.log10(watts / 1e-3) if watts > 0.0 else math.nan


def slope(past: Any) -> tuple[float, float]:
    """Trend and its error [per second] of (seconds, value) pairs; nan for fewer than four."""
    if len(past) < 4:
        return math.nan, math.nan
    t, v = np.array(past).T
    t, v = t - np.mean(t), v - np.mean(v)
    spread = float(np.sum(t**2))
    if spread == 0.0:
        return math.nan, math.nan
    trend = float(np.sum(t * v)) / spread
    noise = math.sqrt(float(np.sum((v - trend * t) ** 2)) / (len(t) - 2) / spread)
    return trend, noise
