"""Storage and energy balance: what the paper says about both, and figures of our own for them."""

from __future__ import annotations

from ..pentacene import Parameters
from ..storage import storage
from .asking import between, merits, trajectory, verdict
from .axes import ENERGY, TIME
from .effort import Effort
from .figure import Axis, Claim, Figure, Guide

_UNLOADED = "coupling=0"
_POPULATION = Axis("s4", "", "population per molecule")
_ENERGY = Axis("energy", "J", "energy")
_POWER = Axis("radiated_power", "W", "power that leaves")


def figure_storage(effort: Effort) -> Figure:
    """E(t) over 100 us without a cavity, pump on and off; inset: level 4."""
    points, kept = effort.points(401, 21), storage(Parameters())
    top, = merits("global_maximum_energy", "5us", _UNLOADED)
    stop = f"pump_off_at={kept.maximum_energy_time!r}"
    series = (effort.series("unloaded, pump on", trajectory("time,energy", points, "100us", _UNLOADED)),
              effort.series("unloaded, pump off at E_max",
                            trajectory("time,energy", points, "100us", _UNLOADED, stop)),
              effort.series("loaded, pump on", trajectory("time,energy", points, "100us"), dashed=True))
    claims = (
        Claim("tau_s = 25 us with charging stopped",
              f"{kept.lifetime_pump_off * 1e6:.1f} us until E is 1/e of E_max",
              verdict(between(kept.lifetime_pump_off, 23e-6, 28e-6))),
        Claim("tau_s = 30 us with charging going on",
              f"{kept.lifetime_pump_on * 1e6:.1f} us until the distance to the steady state is 1/e",
              verdict(between(kept.lifetime_pump_on, 28e-6, 33e-6))
              + f", but E never falls to 1/e: it stays at {kept.steady_energy:.3f} N hbar w35"),
        Claim("with the pump on the energy does not fluctuate",
              f"it relaxes from {kept.maximum_energy:.3f} to {kept.steady_energy:.3f} without oscillating",
              f"partly: {100 * (1 - kept.steady_energy / kept.maximum_energy):.0f} % is lost"))
    return Figure("pentacene-storage", "Energy stored without and with the cavity", TIME, ENERGY, series,
                  claims, guides=(Guide("E_max/e", (0.0, 100e-6), (top / 2.718281828459045,) * 2),),
                  inset=_level_4(effort))


def _level_4(effort: Effort) -> Figure:
    points = effort.points(301, 21)
    series = tuple(effort.series(f"level {level}", trajectory(f"time,s{level}", points, "3us"),
                                 dashed=level == 4) for level in (5, 3, 4))
    rows = trajectory("time,s4", 1001, "3us").rows()
    late = rows[rows[:, 0] > 0.3e-6, 1]
    claim = Claim("the population of level 4 is relatively small and stable",
                  f"{late.min():.3f} .. {late.max():.3f} from 0.3 to 3 us",
                  verdict(late.max() - late.min() < 0.05, "NOT stable")
                  + ": stable it is, the burst leaves it alone; small only beside level 5")
    return Figure("pentacene-storage-inset", "Triplet sublevels with the cavity", TIME, _POPULATION, series,
                  (claim,))


def figure_energy(effort: Effort) -> Figure:
    """The account of energy through the burst; inset: the power that leaves."""
    points = effort.points(601, 21)
    names = {"stored in level 5": "stored_energy", "in the cavity": "cavity_energy",
             "left": "radiated_energy",
             "brought by crossing": "crossed_energy", "relaxed": "relaxed_energy", "ergotropy": "ergotropy"}
    series = tuple(effort.series(label, trajectory(f"time,{name}", points, "1.2us"),
                                 dashed=name == "ergotropy") for label, name in names.items())
    work, cavity, emitted, power = merits("extractable_work,energy_in_cavity,emitted_energy_at_minimum,"
                                          "discharge_power", "1.2us")
    left = trajectory("radiated_power", 2401, "1.2us").rows()[:, 0].max()
    rows = trajectory("residual_energy,crossed_energy", 1201, "1.2us").rows()
    closed = abs(rows[:, 0]).max() / rows[:, 1].max()
    claims = (
        Claim("all of W can power the load",
              f"at the energy minimum {100 * cavity / work:.0f} % of W is in the cavity and "
              f"{100 * emitted / work:.0f} % has left",
              verdict(cavity < 0.5 * work, "it swings back into the crystal unless it is taken out")),)
    leaving = Claim("P_W is the discharge power",
                    f"{power:.3f} W into the mode, at most {left:.3f} W leave it",
                    verdict(left > 0.9 * power, "OK as defined, but a load sees the second"))
    inset = Figure("pentacene-energy-inset", "Power that leaves through the cavity's decay", TIME, _POWER,
                   (effort.series("leaves", trajectory("time,radiated_power", points, "1.2us")),), (leaving,),
                   guides=(Guide("P_W", (0.0, 1.2e-6), (power, power)),))
    return Figure("pentacene-energy", "Where the energy is, ξ = 6.2e7 /s", TIME, _ENERGY, series, claims,
                  notes=(f"The account closes to {closed:.0e} of the energy brought in.",
                         "Ergotropy: of the triplets, each molecule for itself."), inset=inset)


FIGURES = {"pentacene-storage": figure_storage, "pentacene-energy": figure_energy}
