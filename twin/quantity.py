"""Quantities: a number with its unit, its bounds, its meaning and its source.

A record of the twin (`pentacene.Parameters`, `Receiver`, ...) is a frozen dataclass
whose fields are made by `quantity(...)`. What stands in the field feeds the checks,
the text reader below, bench files, forms and tooltips, so it is typed once.

Inside, everything is an SI float. Text is read here and nowhere else: the trap that
this page closes is the factor 2 pi between a frequency in Hz and an angular frequency
in rad/s, and between a line width in Hz and a rate in 1/s.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

TWO_PI = 2.0 * math.pi


@dataclass(frozen=True)
class Quantity:
    """What a number means: SI `unit`, closed bounds, one line of meaning, the source of its default."""

    unit: str
    minimum: float = -math.inf
    maximum: float = math.inf
    meaning: str = ""
    source: str = ""


def quantity(default: Any, unit: str, minimum: float = -math.inf, maximum: float = math.inf,
             meaning: str = "", source: str = "") -> Any:
    """A dataclass field that carries a `Quantity`; for a tuple, unit and bounds hold for each member."""
    return field(default=default, metadata={"quantity": Quantity(unit, minimum, maximum, meaning, source)})


def nearest(name: str, known: Iterable[str]) -> str:
    """`name` is unknown: the words 'unknown NAME; did you mean X?' for an error message."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else "known: " + ", ".join(sorted(known))
    return f"unknown name {name!r}; {hint}"


def check(name: str, value: float, q: Quantity) -> float:
    """`value` as a float within the bounds of `q`; ValueError with field, value and range otherwise."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected a number [{q.unit or 'no unit'}], found {value!r}") from None
    if not math.isfinite(number) or not q.minimum <= number <= q.maximum:
        advice = ""
        if q.unit == "rad/s" and q.minimum <= TWO_PI * number <= q.maximum:
            advice = f". {number:g} looks like a frequency in Hz: multiply by 2 pi (2*pi*{number:g})"
        unit = f" {q.unit}" if q.unit else ""
        raise ValueError(f"{name} = {number:g}{unit} is outside its range "
                         f"{q.minimum:g} .. {q.maximum:g}{unit}{advice}")
    return number


_PREFIX = {"": 1.0, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3,
           "c": 1e-2, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
# Units that take an SI prefix, per SI unit of the field; each with the factor to the field's unit.
_PREFIXED = {"rad/s": {"Hz": TWO_PI, "rad/s": 1.0}, "1/s": {}, "Hz": {"Hz": 1.0}, "s": {"s": 1.0},
             "J": {"J": 1.0}, "W": {"W": 1.0}, "V": {"V": 1.0}, "K": {"K": 1.0}, "m": {"m": 1.0},
             "m2": {}, "V/dB": {"V/dB": 1.0}, "J/m2": {"J/m2": 1.0}, "ohm": {"ohm": 1.0},
             "Hz/K": {"Hz/K": 1.0}, "V*s/J": {"V*s/J": 1.0}}
# Units that stand as they are.
_FIXED = {"1/s": {"/s": 1.0, "1/s": 1.0, "s^-1": 1.0, "/ms": 1e3, "1/ms": 1e3, "/us": 1e6, "1/us": 1e6,
                  "/ns": 1e9, "1/ns": 1e9},
          "m2": {"m2": 1.0, "m^2": 1.0, "cm2": 1e-4, "cm^2": 1e-4, "mm2": 1e-6, "mm^2": 1e-6,
                 "um2": 1e-12, "um^2": 1e-12},
          "dB": {"dB": 1.0}, "dBm": {"dBm": 1.0}, "": {"%": 1e-2},
          "J/m2": {"J/cm2": 1e4, "J/cm^2": 1e4, "mJ/cm2": 10.0},
          "s": {"min": 60.0, "h": 3600.0, "d": 86400.0}}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
# The number is atomic: it may not give digits back to the unit. "1/s" after a space is a unit too.
_TEXT = re.compile(rf"\s*(2\s*\*\s*pi\s*\*\s*)?((?>{_NUMBER}))\s*(1/\S.*?|[^\d\s].*?)?\s*", re.DOTALL)


def read(text: str | float | int, unit: str, name: str = "value") -> float:
    """The SI number of `text` ("1.4493GHz", "2.5e6/s", "5 mJ", 3.0) for a field in `unit`.

    A field in rad/s takes Hz (times 2 pi), rad/s or a bare number in rad/s. A field in 1/s refuses Hz with
    advice. "2*pi*" before a number in Hz means exactly that factor, once. Raises ValueError naming the field.
    """
    if isinstance(text, bool):
        raise ValueError(f"{name}: expected a number in {unit or 'no unit'}, found {text!r}")
    if isinstance(text, (int, float)):
        return float(text)
    match = _TEXT.fullmatch(text)
    if match is None:
        expected = f"a number with a unit of {unit}" if unit else "a number without a unit"
        raise ValueError(f"{name}: cannot read {text!r}; expected {expected}, for example {_example(unit)}")
    turns, number, suffix = match.group(1), float(match.group(2)), match.group(3) or ""
    if turns:
        return _two_pi_times(name, text, number, suffix, unit)
    if unit == "dBm" and suffix.endswith("W") and suffix[:-1] in _PREFIX:
        return 10.0 * math.log10(_positive(name, number) * _PREFIX[suffix[:-1]] / 1e-3)
    if unit == "W" and suffix == "dBm":
        return 1e-3 * 10.0 ** (number / 10.0)
    if not suffix:
        return number
    if unit == "1/s" and suffix.endswith("Hz"):
        raise ValueError(f"{name}: {text!r} is a frequency, but {name} is a rate in 1/s; write "
                         f"2*pi*{match.group(2)}{suffix} if it is a line width, or {_example(unit)}")
    factor = _factor(suffix, unit)
    if factor is None:
        raise ValueError(f"{name}: {suffix!r} in {text!r} is not a unit of {unit or 'a plain number'}; "
                         f"write for example {_example(unit)}")
    return number * factor


def _two_pi_times(name: str, text: str, number: float, suffix: str, unit: str) -> float:
    prefix = suffix[:-2] if suffix.endswith("Hz") else None
    if unit not in ("rad/s", "1/s") or prefix not in ("", "k", "M", "G"):
        raise ValueError(f"{name}: {text!r} is not understood; 2*pi* may stand before a number in "
                         f"Hz, kHz, MHz or GHz, for a quantity in rad/s or 1/s")
    return TWO_PI * number * _PREFIX[prefix]


def _positive(name: str, number: float) -> float:
    if number <= 0.0:
        raise ValueError(f"{name}: a power of {number:g} W has no value in dBm; it must be positive")
    return number


def _factor(suffix: str, unit: str) -> float | None:
    fixed = _FIXED.get(unit, {})
    if suffix in fixed:
        return fixed[suffix]
    for base, factor in _PREFIXED.get(unit, {}).items():
        if suffix.endswith(base) and suffix[: len(suffix) - len(base)] in _PREFIX:
            return factor * _PREFIX[suffix[: len(suffix) - len(base)]]
    return None


def _example(unit: str) -> str:
    return {"rad/s": "1.4493GHz or 9.1e9rad/s", "1/s": "2*pi*0.4MHz or 2.5e6/s", "Hz": "1.4493GHz",
            "s": "5us", "J": "5mJ", "W": "20kW", "V": "8mV",
            "K": "293K", "m": "592nm", "m2": "1.9mm2", "dBm": "-10dBm",
            "dB": "-20dB", "": "0.25"}.get(unit, f"1 {unit}")


_SCALES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"))


def show(value: float, unit: str, digits: int = 4) -> str:
    """`value` for a reader, in engineering notation: `show(9.107e9, "rad/s")` is '9.107 Grad/s'."""
    if not math.isfinite(value):
        return f"{value} {unit}".rstrip()
    if unit in ("", "dB", "dBm", "1/s", "m2", "K", "V/dB") or value == 0.0:
        return f"{value:.{digits}g} {unit}".rstrip()
    for scale, prefix in _SCALES:
        if abs(value) >= scale * (1.0 - 1e-12):
            return f"{value / scale:.{digits}g} {prefix}{unit}"
    return f"{value:.{digits}g} {unit}"
