"""The safe state: everything is turned off at once, each on its own connection, and read back.

Software asks, hardware decides: this is no protection of persons, and it never resets an interlock. Every
role has a thread of its own, so that a transfer that hangs delays no other; they are begun in one order, the
laser first. What cannot be read back in time is unknown, and unknown is never called safe.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..records.events import SafeState

ORDER = ("timing", "shutter", "pump", "microwave", "microwave_45", "vna", "analyser", "digitiser", "tuner",
         "loop")
"""Laser inhibited, shutter closed, laser off, every RF source off, digitiser and stages stopped."""

DEADLINE = 0.45
"""[s] from the first command to the last read-back, whatever hangs."""

_LASER, _SHUTTER, _RF = ("pump",), ("shutter",), ("microwave", "microwave_45", "vna")
VITAL = (*_LASER, *_SHUTTER, *_RF)


@dataclass(frozen=True)
class Finding:
    """What was read back of one role: `safe` None when it could not be read."""

    role: str
    safe: bool | None
    found: str


def make_safe(roles: Mapping[str, Any], unreachable: Mapping[str, Exception] | None = None) -> SafeState:
    """Drive all `roles` into their safe state and verify each, within DEADLINE; never raises for any of them.

    `unreachable` are roles of the bench that could not be connected at all.
    """
    return _side_by_side(roles, unreachable or {}, _made_safe)


def read_back(roles: Mapping[str, Any], unreachable: Mapping[str, Exception] | None = None) -> SafeState:
    """Whether all `roles` are safe now, as `make_safe` tells it; commands nothing."""
    return _side_by_side(roles, unreachable or {}, _verified)


def _side_by_side(roles: Mapping[str, Any], unreachable: Mapping[str, Exception],
                  step: Callable[[str, Any], Finding]) -> SafeState:
    """One thread per role, begun in ORDER; what has not answered at the deadline is unknown."""
    found: dict[str, Finding] = {}

    def take(role: str) -> None:
        try:
            found[role] = step(role, roles[role])
        except BaseException as failure:  # of this routine itself; it ends no other role's step
            found[role] = Finding(role, None, f"the safe state itself failed ({type(failure).__name__})")

    present, threads = [role for role in ORDER if role in roles], []
    end = time.monotonic() + DEADLINE
    for role in present:
        thread = threading.Thread(target=take, args=(role,), name=f"safe state of {role}", daemon=True)
        try:
            thread.start()
            threads.append(thread)
        except RuntimeError:  # no more threads to be had: one after another is better than not at all
            take(role)
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0.0))
    silent = f"no answer within {DEADLINE:g} s"
    findings = [found.get(role) or Finding(role, None, silent) for role in present]
    findings += [Finding(role, None, str(failure)) for role, failure in unreachable.items()]
    return _summary(findings)


def _made_safe(role: str, instrument: Any) -> Finding:
    """Off, then read back, whatever came of the command."""
    try:
        instrument.make_safe()
    except Exception as failure:  # a switch may have moved all the same
        return _verified(role, instrument, str(failure))
    return _verified(role, instrument)


def _verified(role: str, instrument: Any, problem: str = "") -> Finding:
    try:
        report = instrument.verify_safe()
    except Exception as failure:
        return Finding(role, None, problem or str(failure))
    return Finding(role, report.safe, report.found if report.safe is not None else problem or report.found)


def _summary(findings: list[Finding]) -> SafeState:
    by_role = {finding.role: finding for finding in findings}
    doubtful = [f for f in findings if f.role in VITAL and f.safe is not True]
    others = [f for f in findings if f.role not in VITAL and f.safe is not True]
    message = "; ".join(f"{f.role}: {'NOT SAFE, ' if f.safe is False else 'unknown, '}{f.found.rstrip('.')}"
                        for f in (*doubtful, *others))
    return SafeState(not doubtful, _word(by_role, _LASER, "off"), _word(by_role, _SHUTTER, "closed"),
                     _word(by_role, _RF, "off"), message or "all read back safe")


def _word(by_role: Mapping[str, Finding], roles: tuple[str, ...], safe: str) -> str:
    found = [by_role[role].safe for role in roles if role in by_role]
    if not found:
        return "none"
    if any(state is None for state in found):
        return "unknown"
    return safe if all(found) else "NOT " + safe
