"""The settings of an earlier run put back, one by one and read back: never what emits, opens or arms.

Only what stands on the list below is ever set. Whatever is not on it is told with the reason, so that nobody
believes that all is as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from instruments.errors import InstrumentError
from twin.bench_description import BenchDescription

from .bench import Bench
from .snapshot import Difference, RoleState, differences, read_states

RESTORED: Mapping[str, tuple[str, ...]] = {
    "timing": ("lamp_delay", "q_switch_delay", "digitiser_delay", "gate_start", "gate_length"),
    "digitiser": ("sample_rate", "points", "bandwidth", "timebase_reference", "timebase_range",
                  "timebase_position", "interpolation", "trigger_level", "channels.*.input",
                  "channels.*.coupling", "channels.*.probe", "channels.*.inverted",
                  "channels.*.bandwidth_limited", "channels.*.full_scale", "channels.*.offset",
                  "channels.*.display"),
    "microwave": ("frequency", "power", "gated"), "microwave_45": ("frequency", "power", "phase", "gated"),
    "analyser": ("centre", "span", "resolution_bandwidth", "video_bandwidth", "points", "sweep_time",
                 "reference_level", "detector"),
    "vna": ("centre", "span", "points", "bandwidth", "averages", "averaging", "power"),
    "energy": ("wavelength",), "pump": ("wavelength",), "thermometer": ("input_name",),
    "tuner": ("speed", "position"), "loop": ("speed", "position"),
}
"""{role: what may be set there, in this order}; `*` is any channel. No output, emission, shutter, trigger or
inhibition, no level or polarity of a pulse that lamp, Q-switch or gate would see."""

_EMITS = ("output", "emission", "propagation", "energy_level", "commanded", "inhibited", "trigger_source")


@dataclass(frozen=True)
class Outcome:
    """What became of one difference: `restored`, or why not."""

    difference: Difference
    restored: bool
    reason: str = ""


def restore(bench: Bench, then: Mapping[str, RoleState]) -> list[Outcome]:
    """Set what differs and may be set, within the bench's limits; the others with their reasons.

    The bench is in its safe state and stays there. An instrument that refuses is told, and the rest goes on.
    """
    found = list(differences(then, read_states(bench)))
    wanted = sorted(((place, each) for each in found if (place := _place(each)) is not None),
                    key=lambda pair: pair[0])
    outcomes = {(each.role, each.path): Outcome(each, False, _reason(each)) for each in found}
    for _, each in wanted:
        outcomes[each.role, each.path] = _try(bench, each, then[each.role])
    now = {(left.role, left.path) for left in differences(then, read_states(bench))}
    return [_looked_at(outcome, key in now) for key, outcome in outcomes.items()]


def _place(each: Difference) -> int | None:
    """Where a setting stands in the order of its role; None for one that is not restored."""
    pattern = ".".join("*" if part.isdigit() else part for part in each.path.split("."))
    order = RESTORED.get(each.role, ())
    return order.index(pattern) if pattern in order else None


def _reason(each: Difference) -> str:
    last = each.path.rpartition(".")[2]
    if last in _EMITS or last.startswith("output"):
        return "never: it emits, opens, triggers or arms"
    return "not among what a restore may set; see whether it follows from the others, or set it by hand"


def _try(bench: Bench, each: Difference, then: RoleState) -> Outcome:
    try:
        _check_limits(bench.description, each)
        _setter(bench, each, then)()
    except (InstrumentError, ValueError, TypeError, AttributeError, LookupError) as problem:
        return Outcome(each, False, str(problem))
    return Outcome(each, True)


def _check_limits(bench: BenchDescription, each: Difference) -> None:
    """ValueError for a value beyond [limits]: an old run may come from before they were drawn."""
    last = each.path.rpartition(".")[2]
    if last == "power":
        bench.limit("rf_power", 1e-3 * 10.0 ** (float(each.then) / 10.0))
    elif last == "q_switch_delay":
        bench.limit("pump_energy", bench.pump.energy_at(float(each.then)))


def _setter(bench: Bench, each: Difference, then: RoleState) -> Callable[[], Any]:
    instrument = bench.roles[each.role]
    if each.role == "timing":  # its delays belong together
        values = then.values
        if each.path.startswith("gate"):
            return lambda: instrument.set_gate(values["gate_start"], values["gate_length"])
        return lambda: instrument.configure_shot(values["q_switch_delay"], values["lamp_delay"],
                                                 values["digitiser_delay"])
    if each.role in ("tuner", "loop") and each.path == "position":
        return lambda: instrument.move_to(each.then)
    owner, name = instrument, each.path
    if "." in name:
        group, number, name = name.split(".")
        owner = getattr(instrument, group)[int(number)]
    return lambda: setattr(owner, name, each.then)


def _looked_at(outcome: Outcome, differs: bool) -> Outcome:
    """A setting counts as restored when the last look at the bench says so, whatever was set."""
    if outcome.restored and differs:
        return Outcome(outcome.difference, False, "it was set and still reads back otherwise")
    if not differs and not outcome.restored:
        return Outcome(outcome.difference, True, "it reads back so, as the others do")
    return outcome
