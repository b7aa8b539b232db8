"""Frequency sweeps that others measured, from text: CSV or Touchstone.

CSV: frequency [Hz], magnitude [dB] and, unless the sweep is scalar, phase [degrees], with or without
a header line (whose first cell may name kHz, MHz or GHz). Touchstone 1: one or two ports, RI, MA or DB.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import numpy as np

KINDS = ("reflection", "transmission")
_SCALE = {"hz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9}
_SEPARATOR = re.compile(r"[,;\s]+")


class Sweep(NamedTuple):
    """frequency [Hz] (P,), rising; s (P,) complex, or its modulus where `scalar`."""

    frequency: np.ndarray
    s: np.ndarray
    scalar: bool


def read_sweep(text: str, kind: str = "reflection") -> Sweep:
    """The sweep in `text`; of a two-port file S11 for "reflection", S21 for "transmission". ValueError."""
    lines = [line.split("!")[0].strip() for line in text.lstrip("﻿").splitlines()]
    option = next((line for line in lines if line.startswith("#")), None)
    if option is not None and re.search(r"\b[SYZGH]\b", option.upper()):
        return _touchstone(lines, option, kind)
    return _csv(lines)


def _csv(lines: list[str]) -> Sweep:
    scale = 1.0
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        cells = _numbers(line)
        if cells is None and not rows:  # a header, perhaps of several lines
            unit = re.search(r"\b([kMG]?Hz)\b", re.split(r"[,;\t]", line)[0].replace("_", " "), re.IGNORECASE)
            scale = _SCALE[unit.group(1).lower()] if unit else scale
            continue
        if cells is None or len(cells) not in (2, 3) or len(cells) != len(rows[0] if rows else cells):
            raise ValueError(f"line {number}: expected frequency [Hz], dB and degrees, found {line[:60]!r}")
        rows.append(cells)
    table = _table(rows)
    magnitude = 10.0 ** (table[:, 1] / 20.0)
    if table.shape[1] == 2:
        return Sweep(table[:, 0] * scale, magnitude, True)
    return Sweep(table[:, 0] * scale, magnitude * np.exp(1j * np.radians(table[:, 2])), False)


def _touchstone(lines: list[str], option: str, kind: str) -> Sweep:
    words = option[1:].lower().split()
    form = next((w for w in words if w in ("ri", "ma", "db")), "ma")
    scale = next((_SCALE[w] for w in words if w in _SCALE), 1e9)
    if any(w in ("y", "z", "g", "h") for w in words):
        raise ValueError(f"{option!r}: expected scattering parameters (S)")
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith(("#", "[")):
            continue
        cells = _numbers(line)
        if cells is None or len(cells) not in (3, 9):
            raise ValueError(f"line {number}: expected 3 (one port) or 9 (two ports) numbers, "
                             f"found {line[:60]!r}")
        rows.append(cells)
    table = _table(rows)
    first = 3 if kind == "transmission" and table.shape[1] == 9 else 1
    a, b = table[:, first], table[:, first + 1]
    if form == "ri":
        s = a + 1j * b
    else:
        s = (a if form == "ma" else 10.0 ** (a / 20.0)) * np.exp(1j * np.radians(b))
    return Sweep(table[:, 0] * scale, s, False)


def _numbers(line: str) -> list[float] | None:
    try:
        return [float(cell) for cell in _SEPARATOR.split(line.strip(" ,;"))]
    except ValueError:
        return None


def _table(rows: list[list[float]]) -> np.ndarray:
    if len(rows) < 20:
        raise ValueError(f"found {len(rows)} points of a sweep; a fit needs 20 at least")
    if len({len(row) for row in rows}) > 1:
        raise ValueError("the rows have different numbers of columns")
    table = np.array(rows)
    if not np.isfinite(table).all():
        raise ValueError("the sweep holds values that are not finite")
    table = table[np.argsort(table[:, 0], kind="stable")]
    if table[0, 0] <= 0.0 or math.isclose(table[0, 0], table[-1, 0]) or np.any(np.diff(table[:, 0]) <= 0.0):
        raise ValueError("frequencies must be positive and all different")
    return table
