"""`--set name=value` and `--axis name=points` as they are typed, taken apart."""

from __future__ import annotations

from collections.abc import Sequence


def assignments(texts: Sequence[str], option: str = "--set", example: str = "shots=5") -> dict[str, str]:
    """["a=1", "b=5mJ"] -> {"a": "1", "b": "5mJ"}; ValueError for anything without '=' or a name twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise ValueError(f"{option} {text!r}: expected name=value, for example {option} {example}")
        if name.strip() in found:
            raise ValueError(f"{option} {name.strip()} is given twice")
        found[name.strip()] = value.strip()
    return found
