"""A run as a walk over points: what every procedure that takes shot after shot has in common.

A procedure says what is swept (`points`), how one point is taken (`take`), and what is turned on before
the first and off after the last (`prepare`, `conclude`). Order, repeats, controls without light, holding
a run and going on with what an earlier one has left are done here, once for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pymeasure.experiment import IntegerParameter, ListParameter, Procedure

from .acquire import ROLES, Acquisition
from .records.failures import HoldAsked
from .records.points import ORDERS, Plan, Point, Visit
from .records.rows import COLUMNS


class Walk(Procedure):
    """Points one after another, whatever is taken at each."""

    ROLES: tuple[str, ...]
    DATA_COLUMNS = COLUMNS  # of run.csv, one row per shot
    GATE: ClassVar[str | None] = None  # what the timing's output GH must be wired to, if that matters
    MEASURED: ClassVar[tuple[str, ...]] = ()  # values that `take` measures before a shot and hands on
    POINT_TIME: ClassVar[float] = 0.0  # [s] that a point takes beside its shot
    acquisition: Acquisition  # handed over by the session

    order = ListParameter("Order", choices=list(ORDERS), default="forward",
                          description="in which points are visited; random: anew for each repeat")
    repeats = IntegerParameter("Repeats", default=1, minimum=1, maximum=100_000,
                               description="how often all points are visited; every shot counts")
    repetition_rate: float

    def points(self) -> Sequence[Point]:
        """What is swept, point by point, in its natural order: a function of the settings alone."""
        raise NotImplementedError

    def prepare(self) -> None:
        """What stays on from point to point; called again after a run was held."""

    def take(self, point: Point) -> Any:
        """Set a point and take its record."""
        raise NotImplementedError

    def conclude(self) -> None:
        """What is to be put back after the last point, while the laser is still armed."""

    def plan(self) -> Plan:
        """Which points are visited how often."""
        return Plan(self.points(), self.order, self.repeats)

    def duration(self) -> float:
        """About how long all this takes [s], without what the instruments need to answer."""
        plan = self.plan()
        return len(plan) / self.repetition_rate + plan.shots * self.POINT_TIME

    def execute(self) -> None:
        self.prepare()
        for visit in self.acquisition.visits(self.plan()):
            if not self._visited(visit):
                return
        self.conclude()
        self.acquisition.finish()  # safe state first, then wait for the fits that are still under way

    def _visited(self, visit: Visit) -> bool:
        while not self.should_stop():
            self.acquisition.visit(visit)
            try:
                if visit.point is None:
                    self.acquisition.take_control()
                else:
                    self.take(visit.point)
                return True
            except HoldAsked:
                self.acquisition.stand_still()
                self.prepare()
        return False

    def shutdown(self) -> None:
        self.acquisition.end()  # also after an error or an abort


class Scan(Walk):
    """A walk with the laser armed."""

    ROLES: tuple[str, ...] = ROLES  # what the bench file must name for the procedure

    control_every = IntegerParameter("Control every", default=0, minimum=0, maximum=1_000_000,
                                     description="shots between two controls without light; 0: none")

    def startup(self) -> None:
        self.acquisition.begin(self, also=self.MEASURED)

    def plan(self) -> Plan:
        return Plan(self.points(), self.order, self.repeats, self.control_every)


class DarkWalk(Walk):
    """A walk with the laser off and the shutter shut."""

    ROLES: tuple[str, ...] = ROLES

    def startup(self) -> None:
        self.acquisition.begin_dark(self, also=self.MEASURED)
