"""The coupling loop at the cavity: its depth sets how strongly the mode is coupled, and so how broad it is.

Outside the ring the mode's field falls off exponentially, and the coupling goes with its square; what the
mode loses by itself stays as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from .bench_file import World
from .carried import BACKLASH, PARKED, Carried

if TYPE_CHECKING:
    from .virtual_cavity import VirtualCavity

PULL = -0.1  # [Hz/Hz] by which the loop's reactance moves the mode, of what it adds to its width


class Loop(Carried):
    """`slope` [dB/m] of the coupling factor by its position, `parked` [m] where it has its declared one."""

    def __init__(self, slope: float = 3e3, parked: float = PARKED, backlash: float = BACKLASH) -> None:
        super().__init__(parked, backlash)
        self.slope = slope

    def act_on(self, cavity: VirtualCavity) -> None:
        relative = 10.0 ** (0.1 * self.slope * (self.position - self.parked))
        cavity.loop = replace(cavity.loop, relative=relative)


@dataclass(frozen=True)
class Coupled:
    """A world with the loop where its coupling factor is `relative` to the one that was set up."""

    set_up: World
    relative: float = 1.0

    @property
    def factor(self) -> float:
        """k of the loop."""
        return self.set_up.receivers["burst"].coupling_factor * self.relative

    @property
    def broader(self) -> float:
        """Width of the mode over that with the loop where it was set up."""
        return 1.0 if self.relative == 1.0 else (1.0 + self.factor) / (1.0 + self.factor / self.relative)

    @property
    def pull(self) -> float:
        """What the mode's frequency moves by [Hz]."""
        width = self.set_up.parameters.cavity_decay / (2.0 * math.pi)
        return 0.0 if self.relative == 1.0 else PULL * (self.broader - 1.0) * width

    @cached_property
    def world(self) -> World:
        """The receivers as they are and as a fit may know them: whoever moves the loop can measure it."""
        if self.relative == 1.0:
            return self.set_up
        true, declared = ({name: r.at_coupling(r.coupling_factor * self.relative) for name, r in side.items()}
                          for side in (self.set_up.receivers, self.set_up.declared))
        return replace(self.set_up, receivers=true, declared=declared)
