"""`maserbench procedures`: the catalogue in words or as JSON."""

from __future__ import annotations

import dataclasses
import json as json_text
import textwrap
from collections.abc import Iterator
from typing import Any

from procedures import catalogue
from procedures.machinery.records.settings import Setting
from twin.quantity import show


def list_procedures(name: str | None, json: bool) -> None:
    """Print every procedure with its settings, or all about one."""
    if json:
        print(json_text.dumps(catalogue.as_json(name), indent=1))
        return
    if name is not None:
        print("\n".join(_told(name)))
        return
    for name in catalogue.names():
        cls = catalogue.procedure(name)
        print(f"{name}: {catalogue.summary(cls)} Needs {', '.join(cls.ROLES)}.")
        for s in catalogue.settings(name):
            print(f"    {s.name} = {_value(s, s.default)}  ({s.meaning})")


def _told(name: str) -> Iterator[str]:
    cls = catalogue.procedure(name)
    yield f"{name}: {catalogue.summary(cls)}"
    for title, text in dataclasses.asdict(cls.ABOUT).items():
        yield from textwrap.wrap(text, 96, initial_indent=f"    {title:<8}", subsequent_indent=" " * 12)
    gate = getattr(cls, "GATE", None)
    wired = "" if gate is None else f"; the output GH of timing wired to the {gate}"
    yield f"    {'needs':<8}{', '.join(cls.ROLES)}{wired}"
    took = show(catalogue.duration(name), "s", 2)
    yield f"    {'takes':<8}about {took} at the defaults, and what the instruments need to answer"
    yield "settings, for --set:"
    for s in catalogue.settings(name):
        choices = " or ".join(s.choices) if s.choices else ""
        bounds = choices or f"{_value(s, s.minimum)} .. {_value(s, s.maximum)}"
        yield f"    {f'{s.name} = {_value(s, s.default)}':<32}{s.meaning}  [{bounds}]"


def _value(setting: Setting, value: Any) -> str:
    return show(value, setting.unit) if isinstance(value, float) else str(value)
