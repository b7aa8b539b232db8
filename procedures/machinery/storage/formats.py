"""Formats of a run's folder: which one this program writes, which it reads, and what to say of others."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import Any

FORMAT = 1
NEEDS = "0.1.0"
"""The first version of maserbench that reads what this one writes; stands in every manifest."""


def refusal(manifest: Mapping[str, Any]) -> str | None:
    """Why a run with this manifest cannot be read here, or None."""
    found = manifest.get("format")
    if found == FORMAT and not isinstance(found, bool):
        return None
    if not isinstance(found, int) or found < FORMAT:
        return f"manifest.toml says format = {found!r}, which no version of maserbench has written"
    needs = f"maserbench {manifest['needs']}" if "needs" in manifest else "a later version of maserbench"
    return (f"it needs {needs}: its format is {found}, and this is version {version()}, which reads format "
            f"{FORMAT}; install that version, the run itself is all right")


def version() -> str:
    """The version of this program; "unknown" where it runs without being installed."""
    try:
        return metadata.version("maserbench")
    except metadata.PackageNotFoundError:
        return "unknown"
