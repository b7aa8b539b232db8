"""What a run needs to know of those before it: its sample's dose, and the calibrations in force.

Looks at the folder of runs before a run begins; touches no instrument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.bench_description import BenchDescription

from .run_notes import Remarks
from .samples import check_dose, history


@dataclass(frozen=True)
class Before:
    """What a run begins with: ids of the calibrations in force, and what a person should hear first."""

    remarks: Remarks
    calibrations: tuple[str, ...]
    notices: tuple[str, ...]


def look_up(folder: Path, remarks: Remarks, bench: BenchDescription, settings: Mapping[str, Any]) -> Before:
    """What stands in the lab's book; ValueError for a sample that is unknown or would get too much light."""
    notices = []
    energies = [float(value) for name, value in settings.items() if name.startswith("pump_energy")]
    if remarks.sample:
        before = history(folder, remarks.sample)
        if energies:
            notices.append(check_dose(bench, before, int(settings.get("shots", 1)), max(energies)))
    return Before(remarks, (), tuple(notices))
