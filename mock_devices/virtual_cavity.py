"""The one object that all software instruments share: laser, blade, tone, crystal and cavity.

Instruments push things in (a trigger, a tone, a blade position) and read what comes out. State changes on
the event loop only; the physics of a shot is a frozen order computed in a worker thread. Every random
number comes from (seed, role, shot), physical time is shot number over repetition rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np

from twin.bench_faults import FaultOrder

from .bench_file import World
from .blade import Blade
from .burst import Burst, Order, compute
from .clock import Clock
from .crystal import Bleaching
from .drift import Drift
from .faults import Faults
from .laser import Laser
from .pulses import Pulses, pulses_of
from .record import Recording, codes_of
from .safety_chain import SafetyChain
from .streams import stream
from .triggers import Analyser, Digitiser, Edges, Taken
from .truth import bench_truth, shot_truth
from .truth_log import TruthLog

_SIMULATED_END = 200e-6  # [s] no record asks for more of a burst
_WATCHED = 40e-6  # [s] of a burst that only the analyser looks at


class VirtualCavity:
    """The bench behind the wire. `begin` starts a run; `trigger` is what the delay generator calls."""

    def __init__(self, world: World, clock: Clock, executor: Executor, faults: Faults | None = None,
                 truth_log: TruthLog | None = None) -> None:
        self.world, self.clock = world, clock
        self.faults = faults or Faults(world.standing_faults)
        self.laser, self.blade = Laser(clock), Blade(clock)
        self.chain = SafetyChain(self.laser, self.blade)
        self.inhibit = 0
        self.digitiser: Digitiser | None = None
        self.analyser: Analyser | None = None
        self.erring: Callable[[str, int], None] = lambda role, code: None
        self._executor, self._truth_log = executor, truth_log or TruthLog()
        self._drift = Drift(world.drift)
        flaws = world.imperfections
        self._bleaching = Bleaching(world.pump, flaws.bleaching or 0.0, flaws.bleaching_fluence or 0.0)
        self._tone: tuple[float, float, bool] = (1.4495e9, -135.0, False)
        self.repetition_rate = 10.0
        self._wrote = ""
        self.begin("", 0)

    # --- runs ----------------------------------------------------------------------------------------

    def begin(self, run: str, seed: int) -> None:
        """A run: shot numbers, random streams, drift and physical time start again."""
        self.run, self.seed = run, seed
        self.triggers = self.digitised = 0
        self._sweeps = 0
        self._last_energy = self._stepped = 0.0
        self._previous: dict[int, np.ndarray] | None = None
        self._drift.restart(seed)
        self._bleaching.restart()
        self.faults.begin()
        self._offset = 0.0
        self.note_bench()

    @property
    def time(self) -> float:
        """Physical time of the run [s]; a fault may make it jump."""
        return self.triggers / self.repetition_rate + self._stepped

    def sweep_noise(self) -> np.random.Generator:
        """The stream of the analyser's next sweep, which no shot numbers."""
        self._sweeps += 1
        return stream(self.seed, "analyser", self._sweeps)

    # --- tone and reflection ---------------------------------------------------------------------------

    def set_tone(self, frequency: float, power: float, on: bool) -> None:
        """The microwave source's frequency [Hz], level [dBm] and whether it is on."""
        self._tone = (frequency, power, on)

    @property
    def rf_on(self) -> bool:
        """True while the source feeds the cavity."""
        return self._tone[2]

    @property
    def frequency(self) -> float:
        """The mode's frequency now [Hz], drift and faults included."""
        return self.world.parameters.cavity_frequency / (2.0 * math.pi) + self._offset + self._jump

    @property
    def _jump(self) -> float:
        return self.faults.lasting.get("cavity_drift", 0.0)

    @property
    def loaded_quality(self) -> float:
        """Q_L of the mode now."""
        p = self.world.parameters
        return p.cavity_frequency / p.cavity_decay * (1.0 - self.faults.lasting.get("quality_drop", 0.0))

    def reflection(self, frequency: float) -> complex:
        """S11 at the loop: 1 - 2k/(1 + k)/(1 + 2i Q_L (f - f0)/f0)."""
        k = self.world.receivers["burst"].coupling_factor
        detuning = (frequency - self.frequency) / self.frequency
        return 1.0 - 2.0 * k / (1.0 + k) / (1.0 + 2j * self.loaded_quality * detuning)

    def reflected_tone(self) -> tuple[float, float] | None:
        """(frequency [Hz], level [dBm]) of what comes back from the cavity; None while the source is off."""
        frequency, power, on = self._tone
        if not on:
            return None
        return frequency, power + 20.0 * math.log10(max(abs(self.reflection(frequency)), 1e-9))

    def _leak(self, on: dict[str, float]) -> tuple[float, float]:
        """(photons, detuning from the mode [rad/s]) of what a source left on, or a leak, holds there."""
        leaked = on.get("rf_leakage", 0.0)
        frequency, power, rf_on = self._tone
        if not rf_on:
            return leaked, 0.0
        receiver = self.world.receivers["burst"]
        kappa = 2.0 * math.pi * self.frequency / self.loaded_quality
        width = 1.0 + (2.0 * self.loaded_quality * (frequency - self.frequency) / self.frequency) ** 2
        quantum = receiver.watts_per_photon / receiver.external_decay
        arriving = 1e-3 * 10.0 ** (power / 10.0) / quantum
        leaked += 4.0 * receiver.external_decay / kappa**2 * arriving / width
        return leaked, 2.0 * math.pi * (frequency - self.frequency)

    # --- energy ----------------------------------------------------------------------------------------

    def meter_energy(self) -> float:
        """What the energy meter in the pick-off saw of the last pulse [J], 1 % noise of its own."""
        noise = stream(self.seed, "energy", self.triggers).normal()
        return self._last_energy * self.world.pick_off * (1.0 + 0.01 * noise)

    # --- firing ----------------------------------------------------------------------------------------

    def trigger(self, edges: Edges) -> None:
        """One T0: the laser fires if it can, whoever is armed takes a record."""
        shot = self.triggers
        struck = self.faults.at_shot(self.digitised, shot, self.time, self.seed)
        for order in struck.values():
            self._strike(order)
        on = self.faults.lasting | {name: order.severity for name, order in struck.items()}
        self._offset = self._drift.offset(self.time)
        pulses = self._pulses(edges, shot, on)
        self._last_energy = sum(energy for energy, _ in pulses)
        taken = self._digitise(edges, on)
        moment = edges.digitiser if edges.digitiser is not None else edges.q_switch or 0.0
        moment += on.get("late_trigger", 0.0) - on.get("false_trigger", 0.0)
        if jitter := self.world.imperfections.trigger_jitter:
            moment += jitter * stream(self.seed, "trigger", shot).normal()
        burst = self._compute(shot, pulses, on, taken, moment)
        if self.analyser is not None:
            self.analyser.triggered(burst)
        self.triggers += 1
        if taken is not None:
            self.digitised += 1
        self.note_bench()

    def inject(self, order: FaultOrder) -> None:
        """A fault from now on, or when its moment comes."""
        self.faults.start(order)
        if order.at[0] == "now" and order.kind != "shot":
            self._strike(order)
        self.note_bench()

    def _strike(self, order: FaultOrder) -> None:
        """What a fault does at once, beside being on."""
        if order.name == "interlock" and order.severity:
            self.chain.open(int(order.severity))
        elif order.name == "interlock":
            self.chain.reset()
        elif order.name == "error_queue":
            self.erring(order.role, int(order.severity))
        elif order.name == "clock_step":
            self._stepped += order.severity

    def _pulses(self, edges: Edges, shot: int, on: dict[str, float]) -> Pulses:
        """The light that reaches pick-off and crystal."""
        if edges.lamp is None or edges.q_switch is None or not self.laser.armed:
            return ()
        pulses = pulses_of(self.world, self.laser.share, edges.lamp, edges.q_switch, (self.seed, shot),
                           self.time, on)
        if pulses:
            self.laser.fire()
        if not self.blade.open:
            return ()
        for energy, _ in pulses:
            self._bleaching.pulse(energy)
        return pulses

    def _digitise(self, edges: Edges, on: dict[str, float]) -> Taken | None:
        if edges.digitiser is None or self.digitiser is None or "missed_trigger" in on:
            return None
        return self.digitiser.triggered()

    def _compute(self, shot: int, pulses: Pulses, on: dict[str, float], taken: Taken | None,
                 trigger: float) -> Future[Burst] | None:
        """The shot's physics, and from it the record, on the executor."""
        watched = self.analyser is not None and self.analyser.watching
        if taken is None and not (pulses and watched):
            return None
        relative = tuple((energy, first - trigger) for energy, first in pulses)
        begin, until = 0.0, _WATCHED
        if taken is not None:
            begin = taken[0].start
            until = min(begin + taken[0].interval * taken[0].points, _SIMULATED_END)
        photons, detuning = self._leak(on)
        order = Order(self._parameters(on), self.world.pump, relative, (self.seed, shot), until,
                      self.world.richness == 0, photons, detuning, self.world.shared_reference, begin,
                      self.world.spread)
        burst = self._executor.submit(compute, order)
        if taken is not None:
            timebase, channels, record = taken
            recording = Recording(self.world, timebase, channels, (self.seed, shot), relative, on)
            where = {"shot": self.digitised, "run": self.run}
            _chain(self._executor.submit(self._record, burst, recording, order, where), record)
        return burst

    def _parameters(self, on: dict[str, float]) -> Any:
        p = self.world.parameters
        changes: dict[str, float] = {"cavity_frequency": 2.0 * math.pi * self.frequency}
        if "quality_drop" in on:
            changes["cavity_decay"] = p.cavity_decay / (1.0 - min(on["quality_drop"], 0.99))
        left = self._bleaching.left * (1.0 - min(on.get("bleached", 0.0), 0.99))
        if left < 1.0:
            changes["molecules"] = p.molecules * left
        return p.replace(**changes)

    def _record(self, computed: Future[Burst], recording: Recording, order: Order,
                where: dict[str, Any]) -> dict[int, np.ndarray]:
        """In the worker, one shot after another: codes by input, and the truth about them."""
        burst = computed.result()
        codes = codes_of(burst, recording)
        if self._truth_log.wanted:
            self._truth_log.write(where | shot_truth(burst, order, recording, self.world))
        previous, self._previous = self._previous, codes
        return previous if previous and "stale_data" in recording.faults else codes

    # --- what is known outside ---------------------------------------------------------------------------

    def note_bench(self) -> None:
        """The bench's state into the truth log, at the start of a run and when more than drift changed it."""
        if not self._truth_log.wanted:
            return
        key = str((self.run, self.faults.lasting))
        if key != self._wrote:
            truth = bench_truth(self.world, self._parameters(self.faults.lasting), self.faults.lasting)
            self._truth_log.write({"shot": None, "run": self.run, "bench": truth})
            self._wrote = key

    def safe(self) -> bool:
        """True when nothing can come out: laser not armed, blade shut, RF off."""
        return not self.laser.armed and not self.blade.open and not self.rf_on

    def make_safe(self) -> None:
        """What the hardware does when nobody is left."""
        self.laser.level, self.laser.power = "OFF", False
        self.blade.command(False)
        self._tone = (*self._tone[:2], False)


def _chain(source: Future[Any], target: Future[Any]) -> None:
    """`target` gets what `source` ends with."""

    def pass_on(done: Future[Any]) -> None:
        if target.done():
            return
        problem = done.exception()
        if problem is None:
            target.set_result(done.result())
        else:
            target.set_exception(problem)

    source.add_done_callback(pass_on)
