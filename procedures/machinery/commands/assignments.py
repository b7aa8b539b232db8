"""`--set name=value` as it is typed, taken apart."""

from __future__ import annotations

from collections.abc import Sequence


def assignments(texts: Sequence[str]) -> dict[str, str]:
    """["a=1", "b=5mJ"] -> {"a": "1", "b": "5mJ"}; ValueError for anything without '=' or a name twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise ValueError(f"--set {text!r}: expected name=value, for example --set shots=5")
        if name.strip() in found:
            raise ValueError(f"--set {name.strip()} is given twice")
        found[name.strip()] = value.strip()
    return found
