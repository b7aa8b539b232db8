"""The safe state: the one order in which everything is turned off, tried to the end, and read back.

Software asks, hardware decides: this is no protection of persons, and it never resets an interlock. Each step
is independent, has its own short timeout and is tried even if the last one failed. What cannot be read
back is unknown, and unknown is never called safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .events import SafeState

ORDER = ("timing", "shutter", "pump", "microwave", "microwave_45", "vna", "analyser", "digitiser", "tuner")
"""Laser inhibited, shutter closed, laser off, every RF source off, digitiser and tuner stopped."""

_LASER, _SHUTTER, _RF = ("pump",), ("shutter",), ("microwave", "microwave_45", "vna")
VITAL = (*_LASER, *_SHUTTER, *_RF)


@dataclass(frozen=True)
class Finding:
    """What was read back of one role: `safe` None when it could not be read."""

    role: str
    safe: bool | None
    found: str


def make_safe(roles: Mapping[str, Any], unreachable: Mapping[str, Exception] | None = None) -> SafeState:
    """Drive all `roles` into their safe state and verify each; never raises for an instrument that fails.

    `unreachable` are roles of the bench that could not be connected at all.
    """
    problems: dict[str, str] = {}
    for role in _ordered(roles):
        try:
            roles[role].make_safe()
        except Exception as failure:  # whatever one instrument does, the next must still be made safe
            problems[role] = str(failure)
    findings = [_verified(role, roles[role], problems.get(role)) for role in _ordered(roles)]
    findings += [Finding(role, None, str(failure)) for role, failure in (unreachable or {}).items()]
    return _summary(findings)


def _ordered(roles: Mapping[str, Any]) -> list[str]:
    return [role for role in ORDER if role in roles]


def _verified(role: str, instrument: Any, problem: str | None) -> Finding:
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
