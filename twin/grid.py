"""Points along an axis of a sweep, as they are typed: log:1e5/s:1e8/s:41, lin:0:1us:11 or 1e6,2e6,5e6."""

from __future__ import annotations

import numpy as np

from .quantity import nearest, read

LARGEST = 1_000_000
"""Points on one axis."""


def grid(text: str, unit: str, name: str, option: str | None = None) -> np.ndarray:
    """The points (T,) of an axis `name` in SI `unit`, first and last exactly as typed.

    ValueError names the option (None: `--axis NAME`), what was found and the three forms that are understood.
    """
    option = option or f"--axis {name}"
    kind, colon, rest = text.partition(":")
    if not colon:
        return np.array([read(part, unit, name) for part in text.split(",")])
    if kind not in ("log", "lin"):
        raise ValueError(f"{option}: {nearest(kind, ('log', 'lin'))}")
    parts = rest.split(":")
    if len(parts) != 3:
        raise ValueError(f"{option}: cannot read {text!r}; write {kind}:FIRST:LAST:POINTS or values "
                         "parted by commas")
    first, last, count = read(parts[0], unit, name), read(parts[1], unit, name), _count(parts[2], option)
    if kind == "lin":
        return np.linspace(first, last, count)
    if not (first > 0.0 and last > 0.0):
        raise ValueError(f"{option}: a logarithmic axis needs both ends above 0, found {first:g} and "
                         f"{last:g}")
    points = np.geomspace(first, last, count)
    points[[0, -1]] = first, last
    return points


def _count(text: str, option: str) -> int:
    if not text.strip().isdigit() or not 2 <= int(text) <= LARGEST:
        raise ValueError(f"{option}: POINTS = {text!r} must be a whole number in 2 .. {LARGEST}")
    return int(text)
