"""One shot after another: set the energy, arm, fire, read, store, show, fit. What every procedure works with.

Talks to instruments only through the roles of the bench, writes only through the run's folder. The
order inside `take` is the promise of the whole suite: a shot is on disk before anyone sees it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .apparatus.arming import Arming
from .apparatus.bench import Bench
from .apparatus.firing import Firing
from .apparatus.preparation import Records, read_role, read_settings, require_reference
from .apparatus.watched_limits import WatchedLimits
from .fits_beside import FitsBeside
from .fitting.shot_checks import as_measured, is_free_burst, oddities, seen_without_light
from .hold import Hold
from .records import events
from .records.failures import HoldAsked, Stopped
from .records.points import Plan, Visit
from .records.shot import Shot, finite
from .storage.measured import Measured, Written, joined
from .storage.run_folder import RunFolder, moment
from .storage.store_block import Layout

ROLES = ("pump", "timing", "digitiser")
"""What every procedure that fires the laser needs."""

_POLL = 0.02  # [s] between two looks at what a person wants, while a run is held


class Acquisition:
    """The bench in the hands of one run of one procedure. `former` is what a run has measured that this one
    continues."""

    def __init__(self, bench: Bench, folder: RunFolder, publish: events.Publish, total: int,
                 hold: Hold | None = None, former: Measured | None = None) -> None:
        self.bench, self.folder, self.total = bench, folder, total
        self._hold, self._former = hold or Hold(), former
        self._lit = self._may_hold = False
        self._publish = publish
        self._procedure: Any = None
        self._settings: dict[str, float] = {}
        self._number = 0
        self._records = Records(bench)
        self._limits = WatchedLimits(bench.description, bench.seconds)
        self._firing = Firing(bench, self._limits, self.note)
        self._arming = Arming(bench.roles, self.note)
        self._fits = FitsBeside(folder, self.note)

    @property
    def measured(self) -> Measured:
        """What the run has measured so far, after what it continues."""
        now = Measured(self.bench.description, Written(self.folder.store), self._fits.rows)
        return now if self._former is None else joined(self._former, now)

    def note(self, event: events.Event) -> None:
        """Into events.jsonl first, then to all who watch."""
        self.folder.note(event)
        self._publish(event)

    # the bench

    def begin(self, procedure: Any, also: Sequence[str] = ()) -> None:
        """Safe state first, then store, delays, channels and laser. BenchFailure, StateUnknown.

        `also` names values that the procedure measures before a shot and hands to `take`.
        """
        self._take_over(procedure, lit=True)
        self._fits.start(self.bench.description)
        self._arming.start_from_safe()
        self._ask()
        self._prepare(procedure, also)
        self._arming.arm()
        self._firing.start()

    def begin_dark(self, procedure: Any, also: Sequence[str] = ()) -> None:
        """As `begin`, for records without laser: it stays off and the shutter shut, only the timing runs."""
        self._take_over(procedure)
        self._arming.start_from_safe()
        self._prepare(procedure, also)
        self._arming.release_timing()
        self._firing.start()

    def _take_over(self, procedure: Any, lit: bool = False) -> None:
        require_reference(self.bench)
        self._procedure, self._lit, self._fits.emit = procedure, lit, procedure.emit

    def _ask(self) -> None:
        settings = self._procedure.parameter_values()
        self._arming.ask(type(self._procedure).__name__, settings, self.bench.description.limits)

    def _prepare(self, procedure: Any, also: Sequence[str]) -> None:
        self._records.configure()
        self._settings = read_settings(self.bench) | dict.fromkeys(also, math.nan)
        self._start_store(self._records.layout(self._settings))
        self.bench.announce(self.folder.path.name, procedure.repetition_rate)
        self._firing.start(self.bench.seconds(1.0 / procedure.repetition_rate))
        self._on_guard()

    def begin_sweep(self, procedure: Any, traces: Mapping[str, int]) -> None:
        """The bench for a measurement without laser: safe state, and a store for `traces` (name: points)."""
        self._take_over(procedure)
        self._arming.start_from_safe()
        self._settings = read_settings(self.bench)
        self._start_store(Layout({}, traces, tuple(self._settings)))
        self.bench.announce(self.folder.path.name, 1.0)
        self._on_guard()

    def _on_guard(self) -> None:
        """From here on something may be on, and silence of this program counts."""
        self.bench.guard.await_ready()
        self._fits.await_process()
        self.bench.guard.announce(self.folder.path)

    def _start_store(self, layout: Layout) -> None:
        snapshot = {"identities": self.bench.identities, "settings": finite(self._settings)}
        self.folder.start_store(layout, snapshot)

    def switch_on(self, role: str) -> None:
        """The output of a microwave source, once what it is set to has been read back within the limits."""
        self._arming.still_allowed()
        source = self.bench.roles[role]
        self._limits.before_output(role, source)
        source.output = True

    # the plan of a run, and a person's hand on it

    def visits(self, plan: Plan) -> Iterator[Visit]:
        """What is still to be taken of a plan; from now on the run may be held between shots."""
        taken = frozenset[tuple[int, int]]() if self._former is None else self._former.visited()
        self._may_hold = True
        return plan.visits(self.bench.seed, taken)

    def visit(self, visit: Visit) -> None:
        """The records taken from now on belong to this visit."""
        self._settings |= visit.settings()

    def stand_still(self) -> None:
        """Safe state, until a person lets the run go on, then armed anew. StateUnknown, Stopped."""
        self._arming.hold()
        self.note(events.Paused(self._number))
        while self._hold.wanted:
            self._heed_end()
            self._fits.collect()
            time.sleep(_POLL)
        if self._lit:
            self._ask()
        self._records.configure()
        (self._arming.arm if self._lit else self._arming.release_timing)()
        self._firing.start()

    # one shot

    def record_until(self, end: float) -> None:
        """Records reach at least to `end` [s] after the trigger from now on, and never get shorter again."""
        if self._records.lengthen(end):
            self._settings |= read_role(self.bench, "digitiser")
            self.folder.expect(self._records.layout(self._settings))

    def take(self, energy: float, also: Mapping[str, float] | None = None) -> Shot:
        """One shot at a pump energy [J], stored and acknowledged. InstrumentError names role and resource.

        `also` are SI values that were set or measured since the last shot, stored with this one.
        """
        self._look_around()
        timing, pump = self.bench.roles["timing"], self.bench.description.pump
        delay = timing.set_q_switch_delay(pump.delay_for(energy))
        waveforms = self._firing.record(self._number, self._heed)
        self._settings |= {"timing.q_switch_delay": delay, "pump.energy": pump.energy_at(delay)}
        self._settings |= also or {}
        if "energy" in self.bench.roles:
            self._settings["energy.last_energy"] = self.bench.roles["energy"].last_energy()
        pulse = self.bench.pulse(waveforms)
        shot = self._store(waveforms, pulse)
        known = as_measured(self.bench.description, shot)
        self._tell(shot, oddities(known, shot, pulse, shot.settings["pump.energy"]))
        if is_free_burst(self.bench.description, shot):
            self._fits.offer(shot.number)
        else:
            self._fits.complete(shot.number)
        self._limits.after_shot(shot.number, pulse.energy)
        self._fits.collect()
        return shot

    def take_control(self) -> Shot:
        """One record as any other, but that lamp and Q-switch get no trigger; stored, never fitted."""
        self._look_around()
        self._settings |= {"pump.energy": 0.0}
        with self._arming.without_light():
            waveforms = self._firing.record(self._number, self._heed)
        shot = self._store(waveforms, self.bench.pulse(waveforms))
        self._fits.complete(shot.number)
        self._tell(shot, seen_without_light(self.bench.description, shot))
        self._fits.collect()
        return shot

    def take_dark(self, also: Mapping[str, float] | None = None) -> Shot:
        """One record without laser, stored and acknowledged; there is no burst in it to be fitted."""
        self._heed()
        waveforms = self._firing.record(self._number, self._heed)
        self._settings |= also or {}
        shot = self._store(waveforms)
        self._fits.complete(shot.number)
        return shot

    def take_trace(self, traces: Mapping[str, np.ndarray]) -> Shot:
        """A sweep as a shot of its own, stored and acknowledged."""
        self._settings |= {k: v for k, v in read_settings(self.bench).items() if v == v}
        shot = self._store({}, traces=traces)
        self._fits.rows.completed(shot.number, None)
        return shot

    def progress(self, done: int, total: int, text: str = "") -> None:
        """Tell those who watch how far a sweep has come."""
        self._publish(events.Progress(done, total, text))

    def _look_around(self) -> None:
        self._heed()
        self._firing.look_at_laser(self._heed_end)

    def _heed(self) -> None:
        self._heed_end()
        if self._may_hold and self._hold.wanted:
            raise HoldAsked

    def _heed_end(self) -> None:
        if self._procedure.should_stop():
            raise Stopped

    def _store(self, waveforms: Mapping[str, Any], pulse: Any = None,
               traces: Mapping[str, np.ndarray] | None = None) -> Shot:
        """What was recorded as a shot, on disk first, then known to all who watch."""
        start, energy = (math.nan, math.nan) if pulse is None else (pulse.start, pulse.energy)
        shot = Shot(self._number, moment(), dict(self._settings), waveforms, self.bench.origin,
                    dict(traces or {}), start, energy)
        self.folder.append(shot)
        self._number += 1
        self._fits.stored(shot)
        self.note(events.ShotStored(shot))
        self._publish(events.Progress(self._number, self.total))
        return shot

    def _tell(self, shot: Shot, found: Sequence[str]) -> None:
        if found:
            self.note(events.Notice(f"shot {shot.number}: {'; '.join(found)}"))

    # the end

    def finish(self) -> None:
        """The last shot is taken: safe state, then the fits that are still under way, unless aborted."""
        self.make_safe()
        while (left := self._fits.waiting) and not self._procedure.should_stop():
            text = f"fitting, {self._number - left} of {self._number} done"
            self._publish(events.Progress(self._number, self.total, text))
            self._fits.collect(timeout=0.2)

    def make_safe(self) -> events.SafeState:
        """The verified safe state, told to all who watch. Never raises for an instrument."""
        return self._arming.make_safe()

    def cut_short(self) -> None:
        """From another thread, at any time: everything off at once, and the procedure ends by itself."""
        self._arming.cut_short()

    def end(self) -> None:
        """However it came to this: safe state, the fit's process ended, rows of shots without an answer."""
        try:
            self.make_safe()
            self._fits.collect()
        finally:
            self._fits.close()
