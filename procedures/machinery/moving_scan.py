"""A scan that moves the mode between shots, with piston or loop, and leaves it where it was found."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from .apparatus.tuning import Mover
from .scan import Scan

Moves = TypeVar("Moves", bound=Mover)


class MovingScan(Scan, Generic[Moves]):
    """`MOVER` says by what; `mover` is there from the first point to the last."""

    MOVER: ClassVar[type[Mover]]
    POINT_TIME = 0.5
    _moving: Moves | None = None

    @property
    def mover(self) -> Moves:
        """What moves the mode, while the scan is under way."""
        assert self._moving is not None
        return self._moving

    def startup(self) -> None:
        self._moving = self.MOVER(self.acquisition.bench)  # type: ignore[assignment]
        super().startup()

    def conclude(self) -> None:
        self.mover.go_home()
        self._moving = None

    def shutdown(self) -> None:
        try:
            super().shutdown()  # the laser first
        finally:
            if self._moving is not None:  # cut short: nothing is measured any more
                self._moving.park()
