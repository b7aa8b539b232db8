"""`maserbench settings` and `restore`: the bench as a run found it, and as it is now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from procedures.machinery.apparatus.bench import open_bench
from procedures.machinery.apparatus.restore import Outcome
from procedures.machinery.apparatus.restore import restore as put_back
from procedures.machinery.apparatus.snapshot import Difference, RoleState, differences, read_states, states
from procedures.machinery.records.failures import BenchFailure
from procedures.machinery.storage.runs import open_run
from twin.quantity import show

from .table import print_table


def settings(run: Path, bench: str | None) -> None:
    """Print the snapshot of a run, or how the bench differs from it now."""
    with open_run(run) as opened:
        then = states(opened)
    if bench is None:
        _print_states(then)
        return
    with open_bench(bench, tolerant=True) as now:
        states_now = read_states(now)
        found, gone = list(differences(then, states_now)), dict(now.unreachable)
        missing = [role for role in then if role not in now.description.roles]
    _print_differences(found)
    for role, state in states_now.items():
        if role in then and state.identity != then[role].identity:
            print(f"note: {role} was {then[role].identity} and is {state.identity}")
    for role, problem in gone.items():
        print(f"note: {role} was not compared: {problem}")
    for role in missing:
        print(f"note: {role} was not compared: this bench has no such role")
    print(f"{len(found)} settings differ")


def restore(run: Path, bench: str) -> None:
    """Put back what may be; BenchFailure when an instrument did not take what it should have."""
    with open_run(run) as opened:
        then = states(opened)
    with open_bench(bench) as now:
        _print_differences(list(differences(then, read_states(now))))
        outcomes = put_back(now, then)
    done = [outcome for outcome in outcomes if outcome.restored]
    left = [outcome for outcome in outcomes if not outcome.restored]
    print(f"{len(done)} settings restored and read back, {len(left)} not:")
    print_table(("not restored", "because"), [(_name(each.difference), each.reason) for each in left])
    if refused := [outcome for outcome in left if _should_have(outcome)]:
        raise BenchFailure("; ".join(f"{_name(each.difference)}: {each.reason}" for each in refused))


def _should_have(outcome: Outcome) -> bool:
    return not outcome.reason.startswith(("never", "not among"))


def _name(each: Difference) -> str:
    return f"{each.role}.{each.path}"


def _print_states(then: Mapping[str, RoleState]) -> None:
    for role, state in then.items():
        print(f"{role}: {state.origin.upper()}, {state.identity} ({state.driver})")
        for path, value in state.values.items():
            print(f"    {path} = {_shown(value, state.units[path])}")
        for path, reason in state.unread.items():
            print(f"    {path} was not read: {reason}")


def _print_differences(found: Iterable[Difference]) -> None:
    rows = [(_name(each), _shown(each.then, each.unit), _shown(each.now, each.unit)) for each in found]
    print_table(("setting", "in the run", "now"), rows)


def _shown(value: Any, unit: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return show(float(value), unit, 9)
    return str(value)
