"""Fig. 2c and 2f of Wang, Wu and Zhao 2025: scaling with the battery's size, which the pump rate varies."""

from __future__ import annotations

from .asking import between, exponent, over, power_law, steady, verdict
from .axes import PUMP_RATE, SIZE
from .effort import Effort, slope
from .figure import Axis, Claim, Figure, Series

_TIME = Axis("charging_time", "s", "t_max", log=True)
_ENERGY = Axis("maximum_energy", "J", "E_max", log=True)
_POWER = Axis("maximum_power", "W", "P_max", log=True)
_POWER_TIME = Axis("maximum_power_time", "s", "τ_max", log=True)
_WINDOWS = ("1us", "2us", "5us")
_SATURATION = ("N saturates at 0.84 N_pen while P_max, τ_max and ξ go on, so that any exponent can be had "
               "near its end; P = E/t makes 1 - (-2) = 3 an identity.")


def _sweep(effort: Effort, name: str, columns: str, window: str, right: bool = False) -> Series:
    axis = f"pump_rate=log:1e3/s:1e8/s:{effort.points(101, 11)}"
    return effort.series(name, over(axis, columns, window), right=right, dashed=right)


def figure_2c(effort: Effort) -> Figure:
    """t_max with three windows and E_max; inset: the pump rate over N."""
    times = [_sweep(effort, f"t_max in {window}", "battery_size,charging_time", window)
             for window in _WINDOWS]
    energy = _sweep(effort, "E_max", "battery_size,maximum_energy", "2us", right=True)
    middle = times[1]
    anchor = 2.5e15, 2.6e-6
    start = float(energy.x[len(energy.x) // 4]), 2.0 * float(energy.y[len(energy.y) // 4])
    return Figure(
        "pentacene-2c", "Charging time and stored energy against the battery's size", SIZE, _TIME,
        (*times, energy), (_charging_time(middle), _onset(times), _stored(energy)), right=_ENERGY,
        guides=(power_law("slope -0.5", anchor, -0.5, 8.0),
                power_law("slope 1", start, 1.0, 30.0, right=True)),
        notes=("Without a maximum in the window, t_max is the window's end; this makes the plateaus.",
               "ξ runs over 1e3 .. 1e8 /s, a range of ours."), inset=_pump(effort))


def _charging_time(found: Series) -> Claim:
    low, high = slope(found.x, found.y, 2.3e15, 1e16), slope(found.x, found.y, 2.3e15, 2e16)
    return Claim("t_max ~ N^-0.55 above N = 2e15",
                 f"{exponent(low)} over N = 2.3e15 .. 1e16, {exponent(high)} over 2.3e15 .. 2e16 in a 2 us "
                 "window",
                 verdict(between(low[0], -0.58, -0.52) and between(high[0], -0.58, -0.52),
                         "not fitted: too few points" if low[1] < 3 else "NOT reproduced"))


def _onset(times: list[Series]) -> Claim:
    """Where t_max leaves the window's end."""
    onsets, words = [], []
    for window, series in zip((1e-6, 2e-6, 5e-6), times, strict=True):
        inside = series.x[series.y < 0.999 * window]
        onsets.append(float(inside.min()))
        words.append(f"{onsets[-1]:.1e} ({window * 1e6:.0f} us)")
    return Claim("t_max starts to drop at N = 2e15", "it leaves the window's end at N = " + ", ".join(words),
                 verdict(max(onsets) < 1.3 * min(onsets),
                         "the onset is the end of a 2 us window, not physics"))


def _stored(found: Series) -> Claim:
    fit = slope(found.x, found.y, 1e14, 2e16)
    return Claim("E_max ~ N", f"{exponent(fit)} over N = 1e14 .. 2e16",
                 verdict(between(fit[0], 0.98, 1.04), "not fitted: too few points") + " (by definition)")


def _pump(effort: Effort) -> Figure:
    pump = _sweep(effort, "pump rate", "battery_size,pump_rate", "2us")
    windows = ((1e14, 1e16), (1e16, 2e16), (1.9e16, 2.45e16))
    fits = [exponent(slope(pump.x, pump.y, *window)) for window in windows]
    claim = Claim("ξ scales with N like P_max",
                  f"exponents {', '.join(fits)} over N = 1e14 .. 1e16, 1e16 .. 2e16, 1.9e16 .. 2.45e16",
                  "OK: neither is a power law")
    return Figure("pentacene-2c-inset", "Pump rate that makes a battery of size N", SIZE, PUMP_RATE, (pump,),
                  (claim,))


def figure_2f(effort: Effort) -> Figure:
    """P_max and tau_max over N."""
    power = _sweep(effort, "P_max", "battery_size,maximum_power", "2us")
    when = _sweep(effort, "τ_max", "battery_size,maximum_power_time", "2us", right=True)
    early = float(power.x[0]), 2.0 * float(power.y[0])
    late = 4e15, 1.5e-3
    windows = ((1e13, 1e15), (2e15, 5e15), (1.2e16, 2e16), (2e16, 2.4e16), (1e16, 2.4e16))
    powers, times = ([slope(s.x, s.y, *window) for window in windows] for s in (power, when))
    local = "; ".join(f"{exponent(a)} and {exponent(b)} over {low:.1e} .. {high:.1e}"
                      for a, b, (low, high) in zip(powers[1:], times[1:], windows[1:], strict=True))
    claims = (Claim("P_max ~ N below 1e15", f"{exponent(powers[0])} over 1e13 .. 1e15 in a 2 us window",
                    verdict(between(powers[0][0], 0.97, 1.05), "not fitted: too few points")),
              Claim("P_max ~ N^3 and tau_max ~ N^-2 for large N", local,
                    verdict(steady([value for value, _ in powers[1:4]], 0.3), "NOT a power law")))
    return Figure("pentacene-2f", "Charging power and its time against the battery's size", SIZE, _POWER,
                  (power, when), claims, right=_POWER_TIME, notes=(_SATURATION,),
                  guides=(power_law("slope 1", early, 1.0, 30.0), power_law("slope 2", late, 2.0, 5.0),
                          power_law("slope 3 (paper)", (8e15, 1.5e-2), 3.0, 3.0)))


FIGURES = {"pentacene-2c": figure_2c, "pentacene-2f": figure_2f}
