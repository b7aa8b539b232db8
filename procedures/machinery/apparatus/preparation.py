"""What a run does to a bench in its safe state before it takes anything: 10 MHz, channels, delays, gate and
sources, and the names of what will be stored."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..records.failures import BenchFailure
from ..records.shot import BELONGS
from ..storage.store_block import Channel, Layout
from .bench import Bench


class Records:
    """The records that a bench takes: how long they are, and the bench set up for them."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self._options = bench, bench.description.roles["digitiser"].options
        self.points: int = self._options["points"]

    def configure(self) -> None:
        """Delays and channels as the bench file has them; the gate at rest and sources silent, as the gate of
        an earlier run would spoil the cavity in this one, and its tone leak into it."""
        roles = self._bench.roles
        roles["timing"].configure_shot(q_switch_delay=float(self._bench.description.pump.delays[0]))
        roles["timing"].set_gate(0.0, 0.0)
        for role in ("microwave", "microwave_45"):
            if role in roles:
                roles[role].silence()
        self._configure_digitiser()

    def _configure_digitiser(self) -> None:
        self._bench.roles["digitiser"].configure(
            self._options["sample_rate"], self.points, self._options["pretrigger"], self._bench.channels(),
            self._options["bits"])

    def lengthen(self, end: float) -> bool:
        """Have them reach at least to `end` [s] after the trigger; whether they did not before.

        Their length is doubled as often as that takes, so that few lengths occur in a run.
        """
        wanted = (end + self._options["pretrigger"]) * self._options["sample_rate"]
        if wanted <= self.points:
            return False
        self.points *= 2 ** math.ceil(math.log2(wanted / self.points))
        self._configure_digitiser()
        return True

    def layout(self, settings: Iterable[str]) -> Layout:
        """What a shot holds."""
        bits = self._options["bits"]
        return Layout({name: Channel(self.points, f"CHAN{number}", bits)
                       for name, (number, _, _) in self._bench.channels().items()}, {}, tuple(settings))


def read_settings(bench: Bench) -> dict[str, float]:
    """{"role.setting": SI value} of every instrument, as each reads back now; nan: told with each shot."""
    found: dict[str, float] = dict.fromkeys(("pump.energy", *BELONGS), math.nan)
    for role in bench.roles:
        found |= read_role(bench, role)
    if "energy" in bench.roles:
        found["energy.last_energy"] = math.nan
    return found


def read_role(bench: Bench, role: str) -> dict[str, float]:
    """{"role.setting": SI value} of one instrument."""
    return {f"{role}.{name}": float(value) for name, value in bench.roles[role].settings().items()
            if isinstance(value, (int, float))}


def loose_references(bench: Bench) -> list[str]:
    """Roles that say they are not locked to the bench's 10 MHz, where the bench file says that all are."""
    if bench.description.reference != "shared":
        return []
    return [role for role, instrument in bench.roles.items() if instrument.reference_locked is False]


def require_reference(bench: Bench) -> None:
    """BenchFailure where the bench file has one 10 MHz for all, and an instrument does not follow it."""
    if loose := loose_references(bench):
        raise BenchFailure(f"{', '.join(loose)}: not locked to the bench's 10 MHz, though the bench file "
                           'says reference = "shared"; look at the cable, and at which reference is chosen')
