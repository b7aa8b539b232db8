"""Fig. 2 of Wang, Wu and Zhao 2025: charging, storing and discharging without a drive."""

from __future__ import annotations

from ..calculation import Calculation, Pairs
from .axes import ENERGY, PUMP_RATE, TIME
from .effort import Effort
from .figure import Axis, Claim, Figure

UNLOADED: Pairs = (("coupling", "0"),)


def _along_time(columns: str, points: int, duration: str = "1us", settings: Pairs = ()) -> Calculation:
    return Calculation("pentacene", tuple(columns.split(",")), settings=settings,
                       options=(("duration", duration), ("points", str(points))))


def _pump_map(column: Axis, effort: Effort) -> Calculation:
    return Calculation("pentacene", ("time", "pump_rate", column.name),
                       (("pump_rate", f"log:1e6/s:1e8/s:{effort.points(81, 5)}"),),
                       options=(("duration", "1us"), ("points", str(effort.points(201, 11)))))


def figure_2b(effort: Effort) -> Figure:
    """E(t) over the pump rate; inset: E(t) at 6.2e7/s with and without the cavity."""
    inset = Figure(
        "pentacene-2b-inset", "Stored energy at ξ = 6.2e7 /s", TIME, ENERGY,
        (effort.series("loaded", _along_time("time,energy", effort.points(501, 21))),
         effort.series("unloaded", _along_time("time,energy", effort.points(501, 21), settings=UNLOADED),
                       dashed=True)), ())
    claim = Claim("E_max/(N_pen hbar w35) about 0.75 at about 300 ns", "", "OK")
    return Figure("pentacene-2b", "Stored energy against time and pump rate", TIME, PUMP_RATE,
                  (effort.series("energy", _pump_map(ENERGY, effort)),), (claim,), z=ENERGY, inset=inset)


FIGURES = {"pentacene-2b": figure_2b}
