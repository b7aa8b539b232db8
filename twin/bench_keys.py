"""Every key that a bench file may have, from the records themselves: `maserbench check --explain`."""

from __future__ import annotations

import dataclasses
from typing import Any

from .bench_roles import OPTIONS, ROLES
from .bench_tables import LIMITS, TIME_SCALE, VISA
from .bench_truth import CavityTruth, Imperfections
from .optical_pump import OpticalPump
from .pentacene import SETS
from .photodiode import Photodiode
from .receiver import Receiver

Row = tuple[str, str, Any, str]
"""(key, unit, default, meaning)."""

_LISTED = {"energy_table": ("s, J", "pairs [Q-switch delay, pulse energy], both rising"),
           "gains_db": ("dB", "table of the line's elements and their power gains"),
           "detector": ("", "if, log or direct"),
           "gate": ("", "what the output GH does: pulses the microwave sources, or spoils the cavity"),
           "channels": ("", "table of records (burst, photodiode, log) and the inputs that carry them")}


def describe_keys() -> list[Row]:
    """(key, unit, default, meaning) of every key, in the order in which a file would have them."""
    rows: list[Row] = [
        ("virtual", "", False, "the instruments are software, served by maserbench itself"),
        ("time_scale", "", 1.0, TIME_SCALE.meaning),
        ("title", "", "", "a line for the reader"),
        ("visa", "", VISA[0], "VISA library: @py (pyvisa-py), or @ivi for the system's (NI, Keysight)"),
        ("fsync", "", False, "each shot is written through to the disk before it counts, for power cuts"),
        ("reference", "", "free", "shared: sources and digitiser are locked to one 10 MHz"),
        ("ROLE.driver", "", "required", f"dotted path of the driver; ROLE is one of {', '.join(ROLES)}"),
        ("ROLE.resource", "", "required", "VISA resource; on a virtual bench TCPIP::127.0.0.1::0::SOCKET"),
        ("ROLE.real", "", False, "a real instrument behind a loopback address on a virtual bench")]
    for role in ROLES:
        rows += _rows(role, OPTIONS[role]())
    rows += _rows("pump", OpticalPump()) + _rows("receiver.burst|log", Receiver())
    rows += _rows("photodiode", Photodiode())
    rows += [("expected.parameters", "", "bench_default", f"named set: {', '.join(SETS)}"),
             ("expected.pentacene.NAME", "", None, "what differs from that set"),
             ("expected.prior.NAME", "", None, "[mean, sigma] of a fitted quantity"),
             ("expected.model_error.NAME", "", 0.0, "relative error, quoted beside the fit's own sigma")]
    rows += [(f"limits.{name}", q.unit, None, f"{q.meaning}: a maximum or [minimum, maximum]")
             for name, q in LIMITS.items()]
    rows += [("mocks.console", "", None, "127.0.0.1:PORT of the software instruments' console"),
             ("truth.richness", "", 1, "0, 1 or 2: how rich the physics of a virtual bench is"),
             ("truth.faults", "", (), 'list of lines as the console takes them: "misfire at=shot:3"'),
             ("truth.pentacene|receiver|pump.NAME", "", None, "a true value, or '+x%' of the declared one")]
    return rows + _rows("truth.cavity", CavityTruth()) + _rows("truth.imperfections", Imperfections())


def _rows(prefix: str, record: Any) -> list[Row]:
    quantities = record.quantities()
    rows = []
    for f in dataclasses.fields(record):
        unit, meaning = _LISTED.get(f.name, ("", ""))
        if f.name in quantities:
            unit, meaning = quantities[f.name].unit, quantities[f.name].meaning
        default = getattr(record, f.name)
        whole = f.name in ("points", "bits")
        rows.append((f"{prefix}.{f.name}", unit, int(default) if whole else default, meaning))
    return rows
