"""What stands behind a header: numbers with units, booleans, choices, text; read and shown.

A `Kind` turns an argument of a message into a value and a value into the text of a reply. It knows
the bounds, so that the command table of a device says everything about a setting in one line.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Protocol

from .scpi import Argument, ScpiError

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:\s*[eE]\s*[+-]?\d+)?)\s*([A-Za-z][A-Za-z0-9/]*)?")
_BASED = re.compile(r"#(?:H([0-9A-F]+)|Q([0-7]+)|B([01]+))", re.IGNORECASE)
_SCALES = {"EX": 1e18, "PE": 1e15, "T": 1e12, "G": 1e9, "MA": 1e6, "K": 1e3, "": 1.0, "M": 1e-3, "U": 1e-6,
           "N": 1e-9, "P": 1e-12, "F": 1e-15, "A": 1e-18}
_PLAIN_UNITS = {"DBM", "DB", "PCT", "DEG"}


def _factor(suffix: str, unit: str) -> float:
    """What a number with `suffix` is multiplied by to be in `unit`; ScpiError -131 or -138."""
    if not unit:
        raise ScpiError(-138, suffix)
    suffix, unit = suffix.upper(), unit.upper()
    if suffix == unit or (unit == "V" and suffix == "VP"):
        return 1.0
    if suffix.endswith(unit) and unit not in _PLAIN_UNITS:
        prefix = suffix[:-len(unit)]
        if prefix == "M" and unit in ("HZ", "OHM"):
            return 1e6  # SCPI-99: MHZ and MOHM are mega, everywhere else M is milli
        if prefix in _SCALES:
            return _SCALES[prefix]
    raise ScpiError(-131, f"{suffix} where {unit} was expected")


def read_number(text: str, unit: str = "") -> float:
    """A finite decimal number with an optional SI suffix of `unit`, or #H, #Q, #B.

    ScpiError -104, -121, -131, -138; -222 for one that no float can hold.
    """
    if text.startswith("#"):
        value = _based(text)
    else:
        hit = _NUMBER.fullmatch(text.strip())
        if hit is None:
            raise ScpiError(-104, f"{text!r} is no number")
        digits, suffix = hit.groups()
        value = float(re.sub(r"\s", "", digits)) * (_factor(suffix, unit) if suffix else 1.0)
    if not math.isfinite(value):
        raise ScpiError(-222, f"{text[:20]} is beyond any number")
    return value


def _based(text: str) -> float:
    """#H1F, #Q17, #B11; infinite where no float can hold it."""
    hit = _BASED.fullmatch(text)
    if hit is None:
        raise ScpiError(-121, text)
    hexadecimal, octal, binary = hit.groups()
    try:
        return float(int(hexadecimal or octal or binary, 16 if hexadecimal else 8 if octal else 2))
    except OverflowError:
        return math.inf


def _word(argument: Argument) -> str:
    if argument.kind != "word":
        raise ScpiError(-104, f"a {argument.kind} where a word was expected")
    return str(argument.value)


def _short(name: str) -> str:
    """The short form of a mnemonic printed as in manuals: its capitals, digits and underscores."""
    return "".join(c for c in name if not c.islower())


class Kind(Protocol):
    """Reads one argument (ScpiError if it cannot) and shows one value."""

    def read(self, argument: Argument) -> Any: ...

    def show(self, value: Any) -> str: ...


@dataclass(frozen=True)
class Number:
    """A float in `unit` between closed bounds; MIN and MAX are accepted. `form` is the reply's format."""

    unit: str = ""
    minimum: float = -math.inf
    maximum: float = math.inf
    form: str = ".15g"

    def read(self, argument: Argument) -> float:
        text = _word(argument)
        value = {"MIN": self.minimum, "MINIMUM": self.minimum, "MAX": self.maximum,
                 "MAXIMUM": self.maximum}.get(text.upper())
        value = read_number(text, self.unit) if value is None else value
        if not math.isfinite(value) or not self.minimum <= value <= self.maximum:
            bounds = f"{self.minimum:g} .. {self.maximum:g} {self.unit}".rstrip()
            raise ScpiError(-222, f"{value:g} is not in {bounds}")
        return value

    def show(self, value: float) -> str:
        return format(value, self.form)


@dataclass(frozen=True)
class Integer:
    """A whole number between closed bounds; decimals are rounded as 488.2 asks."""

    minimum: int = -(2**31)
    maximum: int = 2**31 - 1
    unit: str = ""

    def read(self, argument: Argument) -> int:
        return round(Number(self.unit, self.minimum, self.maximum).read(argument))

    def show(self, value: int) -> str:
        return str(value)


@dataclass(frozen=True)
class Boolean:
    """ON, OFF or a number that rounds to 0 or not; shown as 1 or 0."""

    def read(self, argument: Argument) -> bool:
        text = _word(argument).upper()
        return text == "ON" if text in ("ON", "OFF") else round(read_number(text)) != 0

    def show(self, value: bool) -> str:
        return str(int(value))


class Choice:
    """One of several names, printed as in manuals (`IMMediate`); the value is the short form."""

    def __init__(self, *names: str) -> None:
        self.names = {_short(n): n.upper() for n in names}

    def read(self, argument: Argument) -> str:
        text = _word(argument).upper()
        for short, full in self.names.items():
            if text in (short, full):
                return short
        raise ScpiError(-224, f"{text} is none of {', '.join(self.names)}")

    def show(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class Text:
    """A quoted string, or a bare word as many instruments take it, of at most `limit` characters."""

    limit: int = 256

    def read(self, argument: Argument) -> str:
        if argument.kind == "block":
            raise ScpiError(-104, "a block where a string was expected")
        text = str(argument.value)
        if len(text) > self.limit:
            raise ScpiError(-223, f"{len(text)} characters, at most {self.limit}")
        return text

    def show(self, value: str) -> str:
        return '"' + value.replace('"', '""') + '"'


@dataclass(frozen=True)
class Block:
    """Binary data."""

    def read(self, argument: Argument) -> bytes:
        if argument.kind != "block":
            raise ScpiError(-104, f"a {argument.kind} where a block was expected")
        return bytes(argument.value)  # type: ignore[arg-type]

    def show(self, value: bytes) -> str:
        raise TypeError("blocks are replied as bytes, see scpi.block")
