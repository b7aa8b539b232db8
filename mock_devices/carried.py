"""What a linear stage carries, with the play between the drive and it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .virtual_cavity import VirtualCavity

BACKLASH = 10e-6  # [m] that the drive turns before what it carries follows
PARKED = 12.7e-3  # [m] where a stage stands when the bench was set up


class Carried(ABC):
    """Follows the stage within `backlash`; `parked` [m] is where the bench was set up."""

    def __init__(self, parked: float = PARKED, backlash: float = BACKLASH) -> None:
        self.parked, self.backlash = parked, backlash
        self.position = parked

    def follow(self, stage: float) -> None:
        """The stage has come to a position [m] straight from where it was."""
        play = 0.5 * self.backlash
        self.position = min(max(self.position, stage - play), stage + play)

    @abstractmethod
    def act_on(self, cavity: VirtualCavity) -> None:
        """What its position does to the cavity."""
