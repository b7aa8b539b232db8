"""Bench files as text: where a key stands, what an error says, and writing TOML again.

Text in, text out: nothing here opens a file.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\-\"' ]+?)\s*=")


class BenchFileError(ValueError):
    """What is wrong in a bench file, with the file's name, table (`role`) and line (0: not known)."""

    def __init__(self, message: str, name: str, role: str = "", line: int = 0) -> None:
        place = name + (f", line {line}" if line else "") + (f", [{role}]" if role else "")
        super().__init__(f"{place}: {message}")
        self.name, self.role, self.line = name, role, line


def lines_of(text: str) -> dict[tuple[str, ...], int]:
    """Line (from 1) of every table and key, by its path."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _path(header.group(1))
            found.setdefault(table, number)
        elif (key := _KEY.match(line)) and not line.lstrip().startswith("#"):
            path = (*table, *_path(key.group(1)))
            for length in range(len(table) + 1, len(path) + 1):
                found.setdefault(path[:length], number)
    return found


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def load(text: str, name: str) -> dict[str, Any]:
    """The tables of a bench file; BenchFileError with the line where it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        line = int(at.group(1)) if at else 0
        raise BenchFileError(f"this is not valid TOML: {error}", name, line=line) from None


def dump(tables: Mapping[str, Any]) -> str:
    """TOML text of nested tables of strings, numbers, booleans and lists."""
    return "\n".join(_table((), tables)).strip() + "\n"


def _table(path: tuple[str, ...], table: Mapping[str, Any]) -> list[str]:
    lines = [f"\n[{'.'.join(_key(part) for part in path)}]"] if path else []
    lines += [f"{_key(k)} = {_value(v)}" for k, v in table.items() if not isinstance(v, Mapping)]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += _table((*path, key), value)
    return lines


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, (int, float)):
        return repr(value)
    raise TypeError(f"a bench file cannot hold {value!r}")


def without_truth(text: str) -> str:
    """The bench file without its [truth] tables; comments are lost."""
    return dump({key: table for key, table in tomllib.loads(text).items() if key != "truth"})
