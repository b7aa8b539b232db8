"""A bench: its file, its instruments by role, and, where it is virtual, the process that plays them.

Reads one bench file, opens the connections it names, closes what it opened. A bench file names no command to
run; drivers come from `instruments`, PyMeasure or installed entry points only.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.bench_description import LIMITS, BenchDescription

from ..records.failures import BenchFailure, StateUnknown
from ..records.settings import describe
from ..records.shot import Origin
from .bench_lock import BenchLock
from .guard import Guard
from .opening import Opening, bench_file, describe_bench
from .safety import make_safe
from .software_instruments import Console, SoftwareInstruments

if TYPE_CHECKING:
    from pymeasure.experiment import Procedure


def open_bench(bench: str | Path | Opening = "virtual", truth_log: str | Path | None = None,
               tolerant: bool = False) -> Bench:
    """Open a bench; use it in a `with`. A virtual bench whose instruments do not answer yet is started.

    `tolerant`: roles that cannot be reached are listed in `unreachable` instead of ending it all, for
    looking at a bench and for making it safe. Raises BenchFailure and InstrumentError otherwise.
    """
    opening = bench if isinstance(bench, Opening) else Opening(bench, truth_log)
    description, process = opening.hand_over()
    return Bench(description, process, tolerant)


def check_wishes(description: BenchDescription, name: str, procedure: type[Procedure],
                 settings: Mapping[str, Any]) -> None:
    """Whether a procedure may run there with these settings; ValueError names role, setting or limit."""
    missing = [role for role in procedure.ROLES if role not in description.roles]
    if missing:
        raise ValueError(f"{name} needs the role {', '.join(missing)}, which the bench file "
                         f"{description.name} lacks; it has {', '.join(description.roles)}")
    wired, gate = _wiring(description), getattr(procedure, "GATE", None)
    if gate not in (None, wired) and not description.roles["timing"].software:
        raise ValueError(f"{name} needs [timing] gate = {gate!r}: the output GH wired to the {gate}; the "
                         f"bench file {description.name} says {wired!r}")
    _check_limits(description, settings, {known.name: known.unit for known in describe(procedure)})


def _wiring(description: BenchDescription) -> str:
    """Where the output GH leads."""
    return str(description.roles["timing"].options["gate"])


def _check_limits(description: BenchDescription, settings: Mapping[str, Any],
                  units: Mapping[str, str]) -> None:
    """Settings against the bench's limits; ValueError names setting and limit."""
    for name, value in settings.items():
        if name.startswith("pump_energy"):
            description.limit("pump_energy", value)
            description.limit("crystal_dose", description.pump.efficiency * value / description.pump.area)
            description.pump.delay_for(value)
        elif name.startswith("power"):
            watts = value if units[name] == "W" else 1e-3 * 10.0 ** (value / 10.0)
            description.limit("rf_power", watts)
        elif name in LIMITS:
            description.limit(name, value)


class Bench:
    """Connected instruments by role. `description` is the bench file; `unreachable` what did not answer."""

    def __init__(self, description: BenchDescription, process: SoftwareInstruments | None = None,
                 tolerant: bool = False) -> None:
        self.description, self._process = description, process
        self._as_declared = description
        self.roles: dict[str, Any] = {}
        self.unreachable: dict[str, Exception] = {}
        self.identities: dict[str, str] = {}
        self._software: dict[str, bool] = {}
        self.seed: int | None = None
        self.console: Console | None = None
        self._guard: Guard | None = None
        self._lock: BenchLock | None = None
        try:
            if not tolerant:
                self._lock = BenchLock(description)
                self._guard = Guard(description)
            if description.virtual and description.console:
                self.console = Console(description.console)
            self._connect(tolerant)
            if self._guard is not None:
                self._guard.connect()
                self._start_safe()
        except BaseException:
            self.close()
            raise

    def _start_safe(self) -> None:
        """Nobody knows how the last program left the bench; StateUnknown when it cannot be read back."""
        if self.console is not None:
            self.console.ask(f"gate {_wiring(self.description)}")
        state = make_safe(self.roles)
        if not state.verified:
            raise StateUnknown(f"the bench is not used, because {state.message}")

    def _connect(self, tolerant: bool) -> None:
        from instruments import connect

        for role, declared in self.description.roles.items():
            try:
                instrument = connect(declared.driver, declared.resource, role,
                                     timeout=declared.options.get("timeout", 5.0),
                                     visa_library=self.description.visa)
                self.identities[role] = instrument.identity
                self._software[role] = instrument.simulated
                self.roles[role] = instrument
            except Exception as failure:
                if not tolerant:
                    raise
                self.unreachable[role] = failure

    # what it is

    @property
    def origin(self) -> Origin:
        """REAL, SIMULATED or MIXED, from what the instruments themselves said they are when they answered."""
        software = self._software.values()
        if all(software):
            return Origin.SIMULATED
        return Origin.MIXED if any(software) else Origin.REAL

    @property
    def guard(self) -> Guard:
        """The guard process that makes this bench safe should this program fail; BenchFailure without one."""
        if self._guard is None:
            raise BenchFailure("this bench was opened for looking at it and has no guard, without which no "
                               "run starts; open it without 'tolerant'")
        return self._guard

    # how it is used

    def channels(self) -> dict[str, tuple[int, float, float]]:
        """{name: (input, full scale [V], offset [V])} of the digitiser, as the receivers declare them."""
        d = self.description
        sources = {**d.receivers, "photodiode": d.photodiode}
        inputs = d.roles["digitiser"].options["channels"]
        return {name: (int(number), *_range(sources[name])) for name, number in inputs.items()}

    def pulse(self, waveforms: Mapping[str, Any]) -> Any:
        """The laser pulse on the photodiode: energy [J] and start [s], nan where there is none."""
        from twin.photodiode import NO_PULSE

        record = waveforms.get("photodiode")
        return NO_PULSE if record is None else self.description.photodiode.read(record.time, record.volts)

    def gate(self, rise: float, fall: float) -> dict[str, float]:
        """The gate high between two times after the trigger [s]; what was read back, for the shot."""
        start, length = self.roles["timing"].set_gate(rise, fall - rise)
        return {"timing.gate_start": start, "timing.gate_length": length}

    def wire_for(self, procedure: type[Procedure]) -> tuple[str, ...]:
        """Software instruments: the gate's cable where a procedure needs it, else where the bench file has
        it. What was moved, in words. On a real delay generator people do that: `check_wishes` refuses."""
        wanted = getattr(procedure, "GATE", None) or _wiring(self._as_declared)
        if wanted == _wiring(self.description):
            return ()
        if self.console is None:
            raise BenchFailure(f"timing: GH must be wired to the {wanted}, and these software instruments "
                               f"have no console; say gate = {wanted!r} in the bench file's [timing]")
        self.console.ask(f"gate {wanted}")
        self.description = self.description.with_gate(wanted)
        if wanted == _wiring(self._as_declared):
            return ()  # back where the bench file has it
        return (f"timing: the software instruments' output GH was wired to the {wanted}; on a real bench "
                "somebody has to do that",)

    def seconds(self, physical: float) -> float:
        """Wall-clock time [s] that a time of the bench takes; a virtual bench may run faster or slower."""
        return physical / self.description.time_scale if self.description.virtual else physical

    def announce(self, run: str, repetition_rate: float) -> None:
        """Tell a virtual bench that a run begins: its random streams, drift and physical time start anew."""
        if self.console is not None:
            self.console.ask(f"begin {run} {self.seed or 0}")
            self.console.ask(f"repetition {repetition_rate!r}")

    def close(self) -> None:
        """Safe state, then close all connections, and end the software instruments if they are ours."""
        with ExitStack() as last_first:
            for part in (self._lock, self._process, self.console):
                if part is not None:
                    last_first.callback(part.close)
            for instrument in self.roles.values():
                last_first.callback(_disconnect, instrument)
            if self._guard is not None:
                last_first.callback(self._guard.close)
            if self._lock is not None:
                last_first.callback(make_safe, self.roles)
        self.roles, self.console, self._process, self._guard, self._lock = {}, None, None, None, None

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _disconnect(instrument: Any) -> None:
    try:
        instrument.disconnect()
    except Exception:
        pass  # a connection that is broken is closed


def _range(source: Any) -> tuple[float, float]:
    return float(source.full_scale), float(getattr(source, "middle", source.offset))


__all__ = ["Bench", "BenchFailure", "bench_file", "check_wishes", "describe_bench", "open_bench"]
