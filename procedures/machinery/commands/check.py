"""`maserbench check` and `safe`: who is on the bench, whether it is safe, and making it so."""

from __future__ import annotations

import json as json_text
from typing import Any

from procedures.machinery.apparatus.bench import Bench, describe_bench, open_bench
from procedures.machinery.apparatus.bench_lock import ask_controller
from procedures.machinery.apparatus.guard import rehearse
from procedures.machinery.apparatus.guard_process import STALL
from procedures.machinery.apparatus.preparation import loose_references
from procedures.machinery.apparatus.safety import ORDER, VITAL, make_safe
from procedures.machinery.records.failures import BenchFailure, StateUnknown
from procedures.machinery.records.shot import Origin
from twin.quantity import show


def check(bench: str, json: bool, explain: bool) -> None:
    """Print what every role answers. BenchFailure when one is not there or outside its limits, StateUnknown
    when laser, shutter or RF answer but cannot be read back safe."""
    if explain:
        _explain(json)
        return
    with open_bench(bench, tolerant=True) as opened:
        answer = report(opened) | {"guard": rehearse(opened.description)}
        crystal = opened.description.expected.parameters
    if json:
        print(json_text.dumps(answer, indent=1))
    else:
        _print(answer)
        print("crystal and cavity that the bench file expects:")
        for name, q in crystal.quantities().items():
            print(f"    {name} = {show(crystal.value(name), q.unit)}  ({q.meaning})")
    if answer["verdict"] != "OK":
        unknown = any(r["identity"] and r["safe"] is None for r in map(answer["roles"].get, VITAL) if r)
        raise (StateUnknown if unknown else BenchFailure)(answer["verdict"])


_LOOSE = 'not locked to the 10 MHz that the bench file calls "shared"'


def report(bench: Bench) -> dict[str, Any]:
    """{"verdict", "roles": {role: {identity, origin, safe, limits_ok, message}}}; changes nothing."""
    roles = {role: _role(bench, role) for role in bench.description.roles}
    wrong = [f"{role}: {r['message']}" for role, r in roles.items()
             if not r["identity"] or r["limits_ok"] is False or (role in VITAL and r["safe"] is not True)]
    return {"verdict": "; ".join(wrong) or "OK", "roles": roles}


def _role(bench: Bench, role: str) -> dict[str, Any]:
    if role in bench.unreachable:
        return {"identity": "", "origin": None, "safe": None, "limits_ok": None,
                "message": str(bench.unreachable[role])}
    instrument = bench.roles[role]
    origin = (Origin.SIMULATED if instrument.simulated else Origin.REAL).value
    finding = instrument.verify_safe() if role in ORDER else None
    within, message = _limits(bench, role)
    loose = role in loose_references(bench)
    messages = [finding.found if finding else "", message, _LOOSE if loose else ""]
    return {"identity": bench.identities[role], "origin": origin, "safe": finding.safe if finding else True,
            "limits_ok": within and not loose, "message": "; ".join(filter(None, messages))}


def _limits(bench: Bench, role: str) -> tuple[bool, str]:
    """Whether what the instrument is set to now lies within [limits]."""
    if not role.startswith("microwave") or "rf_power" not in bench.description.limits:
        return True, ""
    watts = 1e-3 * 10.0 ** (float(bench.roles[role].power) / 10.0)
    try:
        bench.description.limit("rf_power", watts)
    except ValueError as outside:
        return False, str(outside)
    return True, ""


def _print(answer: dict[str, Any]) -> None:
    for role, r in answer["roles"].items():
        # A timing generator that is not inhibited endangers nobody while the laser itself is off.
        unsafe = "NOT SAFE" if role in VITAL else "released"
        state = {True: "safe", False: unsafe, None: "unknown"}[r["safe"]]
        print(f"{role:<13} {state:<9} {r['origin'] or '-':<10} {r['identity'] or '-'}")
        if r["message"]:
            print(f"{'':<13} {r['message']}")
    print(_takeover(answer["guard"]))
    print(f"verdict: {answer['verdict']}")


def _takeover(guard: dict[str, Any]) -> str:
    """What the guard process would do for this bench, in one line; `guard` is what `rehearse` tells."""
    later = f", {len(guard['later'])} more once it is needed" if guard["later"] else ""
    return (f"guard: starts in {guard['start']:.2f} s with {len(guard['connections'])} connections of its own"
            f"{later}; takes over at once when the program dies, {STALL:g} s after it stalls, and has read "
            f"all back {guard['seconds']:.3f} s later")


def _explain(json: bool) -> None:
    from twin.bench_description import describe_keys

    rows = [dict(zip(("key", "unit", "default", "meaning"), row, strict=True)) for row in describe_keys()]
    if json:
        print(json_text.dumps({"verdict": "OK", "keys": rows}, indent=1, default=str))
        return
    for row in rows:
        unit = f" [{row['unit']}]" if row["unit"] else ""
        print(f"{row['key']}{unit} = {row['default']}\n    {row['meaning']}")


def safe(bench: str) -> None:
    """Ask a running controller to stop, then drive everything into the safe state; never refused."""
    description = describe_bench(bench)
    if ask_controller(description):
        print("the program that runs this bench was asked to stop")
    with open_bench(bench, tolerant=True) as opened:
        state = make_safe(opened.roles, opened.unreachable)
    print(f"laser {state.laser}, shutter {state.shutter}, rf {state.rf}: {state.message}")
    if not state.verified:
        raise StateUnknown(f"STATE UNKNOWN, use the emergency stop: {state.message}")
    if opened.unreachable:
        raise BenchFailure(f"laser, shutter and RF are safe, but {state.message}")
