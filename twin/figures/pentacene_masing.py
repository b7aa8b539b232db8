"""Fig. 4 of Wang, Wu and Zhao 2025: the photons that the battery gives to the cavity."""

from __future__ import annotations

from ..pentacene import Parameters
from .asking import between, exponent, merits, over, power_law, trajectory, verdict
from .axes import PHOTONS, PUMP_RATE, RABI_35, RABI_45, SIZE, TIME
from .effort import Effort, slope
from .figure import Axis, Claim, Figure, Guide

_RANGE = "Axis ranges are ours."
_PRINTED = "frame=printed"
_MOST = Axis("highest_photons", "", "most photons in the window", log=True)
_PHOTONS = Axis("photons", "", "photons in the mode")


def _map(effort: Effort, name: str, title: str, axis: str, y: Axis, duration: str, claims: tuple[Claim, ...],
         *settings: str, inset: Figure | None = None) -> Figure:
    found = effort.series("photons", over(axis, f"time,{y.name},photons", duration, *settings,
                                          points=effort.points(201, 11)))
    return Figure(name, title, TIME, y, (found,), claims, z=PHOTONS,
                  notes=() if name.endswith("inset") else (_RANGE,), inset=inset)


def figure_4a(effort: Effort) -> Figure:
    """n(t) over the pump rate; inset: the ringing at 6.2e7 /s."""
    late, = merits("latency", "2us", "pump_rate=1e6/s")
    early, dip = merits("latency,minimum_energy_time", "2us")
    claims = (Claim("a latency of about 500 ns to 1 us, shorter for stronger pumping",
                    f"{early * 1e9:.0f} ns at 6.2e7 /s, {late * 1e9:.0f} ns at 1e6 /s",
                    verdict(between(early, 450e-9, 550e-9) and between(late, 0.9e-6, 1.1e-6))),
              Claim("the burst coincides with the first energy dip",
                    f"{early * 1e9:.1f} and {dip * 1e9:.1f} ns", verdict(abs(early - dip) < 5e-9)))
    axis = f"pump_rate=log:1e6/s:1e8/s:{effort.points(81, 5)}"
    return _map(effort, "pentacene-4a", "Photons against time and pump rate", axis, PUMP_RATE, "1.5us",
                claims, inset=_ringing(effort))


def _ringing(effort: Effort) -> Figure:
    period, share = merits("ringing_period,ringing_ratio", "2us")
    claim = Claim("the photon number shows Rabi oscillation",
                  f"period {period * 1e9:.0f} ns, frequency {share:.2f} of 2 g sqrt(N|s55-s33|), which small "
                  "swings have: a full one is slower", verdict(between(period, 140e-9, 156e-9)))
    rings = effort.series("photons", trajectory("time,photons", effort.points(801, 21), "2us"))
    return Figure("pentacene-4a-inset", "Ringing at ξ = 6.2e7 /s", TIME, _PHOTONS, (rings,), (claim,))


def figure_4b(effort: Effort) -> Figure:
    """Most photons over the battery's size, which the number of molecules varies; threshold drawn."""
    axis = f"molecules=log:1e6:1e17:{effort.points(89, 12)}"
    short, long = (effort.series(window, over(axis, "battery_size,highest_photons", window))
                   for window in ("2us", "5us"))
    size, energy, molecules = merits("battery_size,relative_maximum_energy,molecules", "2us")
    inversion = 2.0 * energy - size / molecules
    threshold = Parameters().threshold_molecules(inversion)
    at = threshold * size / molecules
    linear = slope(short.x, short.y, 1e16, 1e17)
    weak, = merits("highest_photons", "2us", "molecules=2e6")
    claims = (Claim("three regions: negligible, nonlinear, linear in N",
                    f"n stays at n_th up to N_pen = 1e13; C = 1 at N_pen = {threshold:.1e} (inversion "
                    f"{inversion:.2f}); slope {exponent(linear)} over N = 1e16 .. 1e17",
                    verdict(between(linear[0], 0.95, 1.2), "not fitted: too few points")),
              Claim("stimulated emission starts at N about 2e6",
                    f"there n differs from n_th by {weak / Parameters().thermal_photons - 1.0:.0e}",
                    verdict(weak > 1.01 * Parameters().thermal_photons,
                            "impossible, seven decades below threshold: a misprint, perhaps of 2e15")))
    low, high = float(short.y.min()), float(short.y.max())
    return Figure("pentacene-4b", "Photons against the battery's size at ξ = 6.2e7 /s", SIZE, _MOST,
                  (short, long), claims, notes=(_RANGE,),
                  guides=(Guide("C = 1", (at, at), (low, high)),
                          power_law("slope 1", (2e15, 1e14), 1.0, 20.0)))


def figure_4c(effort: Effort) -> Figure:
    """n(t) over Omega_35."""
    axis = f"rabi_35=log:1e5:1e9:{effort.points(61, 5)}"
    first = over("rabi_35=1e5,1e6,1e7", "first_burst_time", "1us").rows()[:, 0]
    most = over("rabi_35=1e7,1e8,1e9", "highest_photons", "1us").rows()[:, 0]
    undriven, = merits("first_burst_time", "1us")
    claims = (Claim("Omega_35 shortens the latency up to 1e7",
                    "first burst at " + " ".join(f"{t * 1e9:.0f}" for t in (undriven, *first))
                    + " ns for 0 1e5 1e6 1e7 rad/s", verdict(undriven > first[0] > first[1] > first[2])),
              Claim("above about 1e8 it inhibits photons",
                    " ".join(f"{n:.1e}" for n in most) + " at most for 1e7 1e8 1e9 rad/s",
                    verdict(most[0] > 10.0 * most[1] > 100.0 * most[2]) + " (several Rabi peaks swap rank)"))
    return _map(effort, "pentacene-4c", "Photons under a tone on 3-5", axis, RABI_35, "1us", claims)


def figure_4d(effort: Effort) -> Figure:
    """n(t) over Omega_45, resonant; inset: as printed."""
    axis = f"rabi_45=log:1e5:1e9:{effort.points(61, 5)}"
    printed = over("rabi_45=1e8,3.2e8,4.2e8", "latency", "1us", _PRINTED).rows()[:, 0]
    gone = [merits("highest_photons", "1us", drive, *frame)[0]
            for drive, frame in (("rabi_45=5e7", ()), ("rabi_45=5.6e8", (_PRINTED,)))]
    soft = over("rabi_45=1e6,2e6", "first_burst_time", "1us").rows()[:, 0]
    undriven, = merits("first_burst_time", "1us")
    claim = Claim("no effect of Omega_45 on the burst below 1e9, a delay above",
                  f"resonant: first burst at {soft[0] * 1e9:.0f} and {soft[1] * 1e9:.0f} ns for 1e6 and 2e6 "
                  f"rad/s, {gone[0]:.0e} photons at 5e7",
                  verdict(soft[1] - undriven < 5e-9, "NOT with a resonant tone"))
    inset = _map(effort, "pentacene-4d-inset", "The same in the frame as printed", axis, RABI_45, "1us",
                 (Claim("as above", "burst at " + " ".join(f"{t * 1e9:.0f}" for t in printed)
                        + f" ns for 1e8 3.2e8 4.2e8, {gone[1]:.0e} photons at 5.6e8",
                        "within a factor 2 to 3, by the light shift of a tone that is off resonance"),),
                 _PRINTED)
    return _map(effort, "pentacene-4d", "Photons under a resonant tone on 4-5", axis, RABI_45, "1us",
                (claim,), inset=inset)


FIGURES = {"pentacene-4a": figure_4a, "pentacene-4b": figure_4b, "pentacene-4c": figure_4c,
           "pentacene-4d": figure_4d}
