"""`maserbench status`: what a run on this computer tells, readable, or line by line as it comes."""

from __future__ import annotations

import json as json_text
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from procedures.machinery.records.failures import BenchFailure, WrongUse
from procedures.machinery.status.lines import VERSION
from procedures.machinery.status.note import told_ports
from procedures.machinery.status.stream import LOOPBACK
from twin.quantity import show

_CONNECT_TIME = 2.0  # [s]


def status(port: int | None, once: bool, json: bool) -> None:
    """Print until the run ends, or the state alone with `once`. WrongUse without a run, BenchFailure (1) when
    the one at `port` says nothing that can be read."""
    for text in _lines(_found() if port is None else port):
        if json:
            print(text, flush=True)
        elif shown := _readable(json_text.loads(text)):
            print(shown, flush=True)
        if once:
            return


def _found() -> int:
    """The port of the only run that tells its status."""
    ports = told_ports()
    if len(ports) == 1:
        return ports[0]
    if ports:
        raise WrongUse(f"{len(ports)} runs tell their status, on the ports {', '.join(map(str, ports))}; say "
                       f"which: maserbench status {ports[0]}")
    raise WrongUse("no run of yours tells its status on this computer; start one with 'maserbench run "
                   "PROCEDURE --status 0'")


def _lines(port: int) -> Iterator[str]:
    try:
        connection = socket.create_connection((LOOPBACK, port), _CONNECT_TIME)
    except OSError as refused:
        raise BenchFailure(f"nobody tells a status at {LOOPBACK}:{port} ({refused.strerror or refused}); the "
                           "run may be over. Without a port, 'maserbench status' looks for one") from None
    with connection, connection.makefile(encoding="utf-8", errors="replace") as lines:
        try:
            first = _understood(lines.readline(), port)
            connection.settimeout(None)
            yield first
            for text in lines:
                yield text.rstrip("\n")
        except OSError as lost:
            raise BenchFailure(f"the status of the run at {LOOPBACK}:{port} broke off ({lost})") from None


def _understood(text: str, port: int) -> str:
    """The first line; BenchFailure unless it is one of a status that this program can read."""
    try:
        version = json_text.loads(text)["version"]
    except (ValueError, KeyError, TypeError):
        raise BenchFailure(f"what listens at {LOOPBACK}:{port} tells no status of a run") from None
    if version != VERSION:
        raise BenchFailure(f"the run at {LOOPBACK}:{port} tells version {version} of the status, and this "
                           f"program reads version {VERSION}")
    return text.rstrip("\n")


def _readable(told: Mapping[str, Any]) -> str:
    """One line as a person reads it; "" for what says nothing new."""
    clock, event = str(told["moment"])[11:19], told["event"]
    words = {"State": _state, "RunStarted": lambda t: f"{t['procedure']} begins, {t['shots']} shots, "
                                                      f"{t['origin']}: {t['path']}",
             "Armed": lambda t: f"armed by {t['user']} for {t['reason']}, up to "
                                f"{show(t['pump_energy'], 'J')}",
             "ShotStored": _shot, "ShotFitted": _fit, "SafeState": _safe,
             "TakenOver": lambda t: f"the guard took over, because {t['reason']}; {_safe(t)}",
             "Notice": lambda t: f"note: {t['text']}", "Progress": lambda t: t["text"],
             "Dropped": lambda t: f"{t['lines']} lines were lost, because this reader was too slow",
             "RunEnded": lambda t: f"{t['state']}{': ' if t['message'] else ''}{t['message']}"}
    text = words[event](told) if event in words else ""
    return f"{clock}  {text}" if text else ""


def _state(told: Mapping[str, Any]) -> str:
    if told["run"] is None:
        return "no run has begun yet"
    shots = f"{told['stored']} of {told['shots']} shots stored, {told['fitted']} fitted"
    return f"{told['phase']}: {told['procedure']}, {shots}, {told['origin']}: {told['run']}"


def _shot(told: Mapping[str, Any]) -> str:
    energy = "" if told["energy"] is None else f", {show(told['energy'], 'J')}"
    return f"shot {told['shot']} stored{energy}"


def _fit(told: Mapping[str, Any]) -> str:
    quality = "" if told["chi2_per_dof"] is None else f", chi2/dof {told['chi2_per_dof']:.3f}"
    return f"shot {told['shot']} fitted: {told['verdict']}{quality}"


def _safe(told: Mapping[str, Any]) -> str:
    word = "safe" if told["verified"] else "STATE UNKNOWN"
    return f"{word}: laser {told['laser']}, shutter {told['shutter']}, rf {told['rf']} ({told['message']})"
