"""What a run needs to know of those before it: its sample's dose, and the calibrations in force.

Looks at the folder of runs before a run begins; touches no instrument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.bench_description import BenchDescription

from ..records.shot import Origin
from ..storage.run_notes import Remarks
from .calibrations import in_force, warnings
from .samples import check_dose, history


@dataclass(frozen=True)
class Before:
    """What a run begins with: ids of the calibrations in force, and what a person should hear first."""

    remarks: Remarks
    calibrations: tuple[str, ...]
    notices: tuple[str, ...]


def look_up(folder: Path, remarks: Remarks, bench: BenchDescription, settings: Mapping[str, Any],
            origin: Origin | None = None) -> Before:
    """What stands in the lab's book; ValueError for a sample that is unknown or would get too much light.

    `origin` None: what the bench file says its instruments are, before anybody has asked them.
    """
    origin = origin or _declared(bench)
    notices = warnings(folder, bench, origin)
    energies = [float(value) for name, value in settings.items() if name.startswith("pump_energy")]
    if remarks.sample:
        before = history(folder, remarks.sample)
        if energies:
            shots = int(settings.get("shots", 1)) * int(settings.get("repeats", 1))
            notices.append(check_dose(bench, before, shots, max(energies)))
    return Before(remarks, in_force(folder, origin), tuple(notices))


def _declared(bench: BenchDescription) -> Origin:
    software = [role.software for role in bench.roles.values()]
    if all(software):
        return Origin.SIMULATED
    return Origin.MIXED if any(software) else Origin.REAL
