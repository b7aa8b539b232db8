"""The tuning piston over the cavity: position to frequency, with backlash and a slightly bent slope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .carried import BACKLASH, PARKED, Carried

if TYPE_CHECKING:
    from .virtual_cavity import VirtualCavity

BEND = 2.0  # [1/m] relative change of the slope with the distance from where it was parked


class Piston(Carried):
    """`slope` [Hz/m] of the mode by its position, `parked` [m] where the mode was tuned."""

    def __init__(self, slope: float = -10e9, parked: float = PARKED, backlash: float = BACKLASH) -> None:
        super().__init__(parked, backlash)
        self.slope = slope

    @property
    def tuning(self) -> float:
        """Offset of the mode's frequency [Hz]."""
        moved = self.position - self.parked
        return self.slope * moved * (1.0 + BEND * moved)

    def act_on(self, cavity: VirtualCavity) -> None:
        cavity.tuning = self.tuning
