"""The one object that all software instruments share: laser, blade, tone, crystal and cavity.

Instruments push things in (a trigger, a tone, a blade position) and read what comes out. State changes on
the event loop only; the physics of a shot is a frozen order computed in a worker thread. Every random
number comes from (seed, role, shot), physical time is shot number over repetition rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import numpy as np

from twin.bench_faults import FaultOrder

from .bench_file import World
from .blade import Blade
from .burst import Burst, Order, compute
from .clock import Clock
from .crystal import Bleaching
from .drift import Drift, mode_temperature
from .faults import Faults
from .laser import Laser
from .loop import Coupled
from .pulses import Pulses, pulses_of
from .record import Recording, codes_of
from .safety_chain import SafetyChain
from .streams import stream
from .tone import Incoming, Tone, incoming, turning
from .triggers import Analyser, Digitiser, Edges, Taken
from .truth import bench_truth, shot_truth
from .truth_log import TruthLog

_SIMULATED = (-1e-3, 200e-6)  # [s after the trigger] what is computed at most, however long the record
_WATCHED = 40e-6  # [s] of a burst that only the analyser looks at


class VirtualCavity:
    """The bench behind the wire. `begin` starts a run; `trigger` is what the delay generator calls."""

    def __init__(self, world: World, clock: Clock, executor: Executor, faults: Faults | None = None,
                 truth_log: TruthLog | None = None) -> None:
        self.world, self.clock = world, clock
        self.gate = world.gate  # where the cable from the output GH leads: "microwave" or "cavity"
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
        self.tones: dict[str, Tone] = {}
        self.tuning = 0.0  # [Hz] by the tuner's piston
        self.loop = Coupled(world)
        self.repetition_rate = 10.0
        self._wrote = ""
        self.begin("", 0)

    # --- runs ----------------------------------------------------------------------------------------

    def begin(self, run: str, seed: int) -> None:
        """A run: shot numbers, random streams, drift and physical time start again."""
        self.run, self.seed = run, seed
        self.triggers = self.digitised = 0
        self._sweeps: dict[str, int] = {}
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

    def sweep_noise(self, role: str = "analyser") -> np.random.Generator:
        """The stream of the next sweep or reading of a role, which no shot numbers."""
        self._sweeps[role] = self._sweeps.get(role, 0) + 1
        return stream(self.seed, role, self._sweeps[role])

    # --- tone and reflection ---------------------------------------------------------------------------

    @property
    def rf_on(self) -> bool:
        """True while the output of any source is on; what an output that is off leaks does not count."""
        return any(tone.on for tone in self.tones.values())

    @property
    def frequency(self) -> float:
        """The mode's frequency now [Hz], tuner, loop, drift and faults included."""
        declared = self.world.parameters.cavity_frequency / (2.0 * math.pi)
        return declared + self.tuning + self.loop.pull + self._offset + self._jump

    @property
    def temperature(self) -> float:
        """What cavity and crystal are at now [K]: the temperature that its drift follows."""
        return mode_temperature(self.world.parameters) + self._drift.warming(self.time)

    @property
    def _jump(self) -> float:
        return self.faults.lasting.get("cavity_drift", 0.0)

    @property
    def loaded_quality(self) -> float:
        """Q_L of the mode now."""
        p = self.world.parameters
        left = 1.0 - self.faults.lasting.get("quality_drop", 0.0)
        return p.cavity_frequency / p.cavity_decay / self.loop.broader * left

    def reflection(self, frequency: Any) -> Any:
        """Complex S11 at the loop, at one frequency or many [Hz]: 1 - 2k/(1 + k)/(1 + 2i Q_L (f - f0)/f0)."""
        k = self.loop.factor
        detuning = (frequency - self.frequency) / self.frequency
        return 1.0 - 2.0 * k / (1.0 + k) / (1.0 + 2j * self.loaded_quality * detuning)

    def reflected_tone(self) -> tuple[float, float] | None:
        """(frequency [Hz], level [dBm]) that the cavity reflects of the microwave source, leak included."""
        tone = self.tones.get("microwave")
        if tone is None:
            return None
        reflected = 20.0 * math.log10(max(abs(self.reflection(tone.frequency)), 1e-9))
        return tone.frequency, tone.level() + reflected

    def _incoming(self, on: dict[str, float]) -> Incoming:
        """What arrives at the loop."""
        return incoming(self.tones, self.gate == "microwave", self.frequency, self.loaded_quality,
                        self.loop.world.receivers["burst"], on.get("rf_leakage", 0.0))

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
        burst = self._compute(shot, pulses, on, taken, moment, edges.gate_window(moment))
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
                 trigger: float, gate: tuple[float, float] | None) -> Future[Burst] | None:
        """The shot's physics, and from it the record, on the executor."""
        watched = self.analyser is not None and self.analyser.watching
        if taken is None and not (pulses and watched):
            return None
        relative = tuple((energy, first - trigger) for energy, first in pulses)
        begin, until = 0.0, _WATCHED
        if taken is not None:
            timebase = taken[0]
            ends = timebase.start, timebase.start + timebase.interval * timebase.points
            begin, until = (min(max(end, _SIMULATED[0]), _SIMULATED[1]) for end in ends)
        world = self.loop.world
        order = Order(self._parameters(on), world.pump, relative, (self.seed, shot), until,
                      world.richness == 0, self._incoming(on), world.receivers["burst"].external_decay,
                      world.shared_reference, begin, world.spread, gate, self._gated_decay(),
                      turning(self.tones.get("microwave_45"), self.gate == "microwave",
                              world.rabi_per_sqrt_watt, world.parameters.frequency_45))
        burst = self._executor.submit(compute, order)
        if taken is not None:
            timebase, channels, record = taken
            recording = Recording(world, timebase, channels, (self.seed, shot), relative, on)
            where = {"shot": self.digitised, "run": self.run}
            _chain(self._executor.submit(self._record, burst, recording, order, where), record)
        return burst

    def _gated_decay(self) -> float | None:
        """Decay of the mode [rad/s] while the gate spoils it; None where the gate does not."""
        return 2.0 * math.pi * self.frequency / self.world.spoiled_quality if self.gate == "cavity" else None

    def _parameters(self, on: dict[str, float]) -> Any:
        p = self.world.parameters
        changes: dict[str, float] = {"cavity_frequency": 2.0 * math.pi * self.frequency}
        if "quality_drop" in on or self.loop.broader != 1.0:
            left = 1.0 - min(on.get("quality_drop", 0.0), 0.99)
            changes["cavity_decay"] = p.cavity_decay * self.loop.broader / left
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
            self._truth_log.write(where | shot_truth(burst, order, recording, recording.world))
        previous, self._previous = self._previous, codes
        return previous if previous and "stale_data" in recording.faults else codes

    # --- what is known outside ---------------------------------------------------------------------------

    def note_bench(self) -> None:
        """The bench's state into the truth log, at the start of a run and when more than drift changed it."""
        if not self._truth_log.wanted:
            return
        key = str((self.run, self.tuning, self.loop.relative, self.faults.lasting))
        if key != self._wrote:
            truth = bench_truth(self.loop.world, self._parameters(self.faults.lasting), self.faults.lasting)
            self._truth_log.write({"shot": None, "run": self.run, "bench": truth})
            self._wrote = key

    def safe(self) -> bool:
        """True when nothing can come out: laser not armed, blade shut, RF off."""
        return not self.laser.armed and not self.blade.open and not self.rf_on

    def make_safe(self) -> None:
        """What the hardware does when nobody is left."""
        self.laser.level, self.laser.power = "OFF", False
        self.blade.command(False)
        self.tones = {role: replace(tone, on=False) for role, tone in self.tones.items()}


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
