"""The tuning piston over the cavity: position to frequency, with backlash and a slightly bent slope."""

from __future__ import annotations

BACKLASH = 10e-6  # [m] that the drive turns before the piston follows
BEND = 2.0  # [1/m] relative change of the slope with the distance from where it was parked


class Piston:
    """Follows the stage within `backlash`; `slope` [Hz/m] of the mode, `parked` [m] where it was tuned."""

    def __init__(self, slope: float = -10e9, parked: float = 12.7e-3, backlash: float = BACKLASH) -> None:
        self.slope, self.parked, self.backlash = slope, parked, backlash
        self.position = parked

    def follow(self, stage: float) -> None:
        """The stage has come to a position [m] straight from where it was."""
        play = 0.5 * self.backlash
        self.position = min(max(self.position, stage - play), stage + play)

    @property
    def tuning(self) -> float:
        """Offset of the mode's frequency [Hz]."""
        moved = self.position - self.parked
        return self.slope * moved * (1.0 + BEND * moved)
