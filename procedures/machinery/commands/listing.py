"""`maserbench procedures`: the catalogue in words or as JSON."""

from __future__ import annotations

import json as json_text

from procedures import catalogue
from twin.quantity import show


def list_procedures(json: bool) -> None:
    """Print every procedure with its settings."""
    if json:
        print(json_text.dumps(catalogue.as_json(), indent=1))
        return
    for name in catalogue.names():
        cls = catalogue.procedure(name)
        print(f"{name}: {catalogue.summary(cls)} Needs {', '.join(cls.ROLES)}.")
        for s in catalogue.settings(name):
            value = show(s.default, s.unit) if isinstance(s.default, float) else str(s.default)
            print(f"    {s.name} = {value}  ({s.meaning})")
