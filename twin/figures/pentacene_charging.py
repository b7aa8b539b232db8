"""Fig. 2b, 2d, 2e of Wang, Wu and Zhao 2025: charging and discharging without a drive."""

from __future__ import annotations

from .asking import between, merits, over, trajectory, verdict
from .axes import ENERGY, POWER, PUMP_RATE, TIME
from .effort import Effort
from .figure import Axis, Claim, Figure

_UNLOADED = "coupling=0"
_RANGE = "The range of ξ is ours: the text names 5e6, 1e7 and 6.2e7 /s only."
_QUALITY = Axis("quality", "", "loaded quality factor Q", log=True)
_EFFICIENCY = Axis("efficiency", "", "W/E_max")
_DISCHARGE = Axis("discharge_power", "W", "mean discharge power P_W")


def figure_2b(effort: Effort) -> Figure:
    """E(t) over the pump rate; inset: with and without the cavity at 6.2e7 /s."""
    points = effort.points(501, 21)
    inset = Figure("pentacene-2b-inset", "Loaded and unloaded at ξ = 6.2e7 /s", TIME, ENERGY, (
        effort.series("loaded", trajectory("time,energy", points, "1us")),
        effort.series("unloaded", trajectory("time,energy", points, "1us", _UNLOADED), dashed=True)),
        (_recharging(),))
    axis = f"pump_rate=log:1e6/s:1e8/s:{effort.points(81, 5)}"
    energy = effort.series("energy", over(axis, "time,pump_rate,energy", "1us",
                                          points=effort.points(201, 11)))
    return Figure("pentacene-2b", "Stored energy against time and pump rate", TIME, PUMP_RATE, (energy,),
                  (_largest_energy(), _work(), _slow_pump()), z=ENERGY, notes=(_RANGE,), inset=inset)


def _largest_energy() -> Claim:
    energy, time = merits("relative_maximum_energy,maximum_energy_time", "2us")
    return Claim("E_max/(N_pen hbar w35) about 0.75 at about 300 ns", f"{energy:.3f} at {time * 1e9:.0f} ns",
                 verdict(between(energy, 0.74, 0.76) and between(time, 250e-9, 350e-9)))


def _work() -> Claim:
    energy, share = merits("relative_maximum_energy,efficiency", "2us")
    return Claim("W/(N_pen hbar w35) about 0.65", f"{energy * share:.3f}",
                 verdict(between(energy * share, 0.64, 0.67)))


def _slow_pump() -> Claim:
    loaded, = merits("relative_maximum_energy", "5us", "pump_rate=5e6/s")
    free, = merits("relative_maximum_energy", "20us", "pump_rate=5e6/s", _UNLOADED)
    return Claim("below 5e6 /s charging fails because k_sp and triplet decay are not compensated",
                 f"at 5e6 /s {loaded:.2f} with and {free:.2f} without the cavity",
                 "NOT the cause: a smooth crossover without threshold, and the burst comes before the "
                 "battery is full" if free > 0.95 * 0.754 else "OK")


def _recharging() -> Claim:
    rows = trajectory("time,s5", 2001, "1us").rows()
    late = rows[(rows[:, 0] > 0.48e-6) & (rows[:, 0] < 0.64e-6)]
    again = float(late[:, 1].max())
    return Claim("the battery recharges itself after the burst", f"s55 comes back to {again:.3f}",
                 verdict(again > 0.3))


def figure_2d(effort: Effort) -> Figure:
    """W/E_max and P_W over the cavity's quality."""
    axis = f"cavity_decay=log:182e6:91e3:{effort.points(41, 7)}"
    here, power = merits("efficiency,discharge_power", "2us")
    best, = merits("efficiency", "2us", "cavity_decay=91e3")
    claims = (Claim("W/E_max exceeds 0.87 at the experiment's Q",
                    f"{here:.4f} at Q = 4300, P_W = {power:.3f} W",
                    verdict(here > 0.87) + " for one shot; lower in the mean over thermal seeds"),
              Claim("larger Q is better, and the experiment is nearly at the optimum",
                    f"{best:.4f} at Q = 1e5", verdict(here < best < 1.01 * here)))
    return Figure("pentacene-2d", "Work extraction against the cavity's quality", _QUALITY, _EFFICIENCY,
                  (effort.series("W/E_max", over(axis, "quality,efficiency", "2us")),
                   effort.series("P_W", over(axis, "quality,discharge_power", "2us"), right=True,
                                 dashed=True)),
                  claims, right=_DISCHARGE, notes=("The range of Q is ours.",))


def figure_2e(effort: Effort) -> Figure:
    """P(t) = E/t over the pump rate; inset: with and without the cavity at 6.2e7 /s."""
    points = effort.points(501, 21)
    inset = Figure("pentacene-2e-inset", "Loaded and unloaded at ξ = 6.2e7 /s", TIME, POWER, (
        effort.series("loaded", trajectory("time,power", points, "1us")),
        effort.series("unloaded", trajectory("time,power", points, "1us", _UNLOADED), dashed=True)),
        (_collapse(),))
    axis = f"pump_rate=log:1e6/s:1e8/s:{effort.points(81, 5)}"
    power = effort.series("power", over(axis, "time,pump_rate,power", "1us", points=effort.points(201, 11)))
    largest, when, full = merits("maximum_power,maximum_power_time,maximum_energy_time", "2us")
    claim = Claim("P_max is reached at tau_max before t_max, and the power collapses with the burst",
                  f"{largest:.3f} W at {when * 1e9:.1f} ns, t_max = {full * 1e9:.0f} ns",
                  verdict(when < full))
    return Figure("pentacene-2e", "Charging power against time and pump rate", TIME, PUMP_RATE, (power,),
                  (claim,), z=POWER,
                  notes=(_RANGE, "P = E/t is the mean power since t = 0, as the paper defines it."),
                  inset=inset)


def _collapse() -> Claim:
    dip, = merits("minimum_energy_time", "2us")
    powers = [trajectory("power", 2, f"{dip!r}", *settings).rows()[-1, 0] for settings in ((), (_UNLOADED,))]
    return Claim("the burst makes the charging power collapse",
                 f"{powers[0]:.4f} W at {dip * 1e9:.0f} ns, {powers[1]:.4f} W without the cavity",
                 verdict(powers[0] < 0.5 * powers[1]))


FIGURES = {"pentacene-2b": figure_2b, "pentacene-2d": figure_2d, "pentacene-2e": figure_2e}
