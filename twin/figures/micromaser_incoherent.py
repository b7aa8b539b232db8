"""Figs. 1 and 2 of Shaghaghi et al. 2023: charging with qubits that have no coherence."""

from __future__ import annotations

import math

import numpy as np

from .asking import between, verdict
from .effort import Effort
from .figure import Axis, Claim, Figure, Guide, Series
from .micromaser_asking import (
    COLLISION,
    INCOHERENT,
    LOG_COLLISION,
    PURITY,
    RANGE,
    along,
    escape,
    run,
    settled,
)

_INVERTED = {"q": 0.0, "c": 0.0}
_LOG_ENERGY = Axis("energy", "", "energy E = ⟨n⟩ [ħω]", log=True)
_NEAR = (15.01, 15.02, 15.05, 15.1, 15.2)
_TRAP = 390
"""15.6 = 390/25: theta sqrt(390) = 5 pi."""


def figure_1(effort: Effort) -> Figure:
    """E(k) with and without fine tuning; inset: m close to 15."""
    last = effort.points(1_000_000, 100_000)
    at = f"log:1:{last}:{effort.points(241, 31)}"
    series = tuple(effort.series(f"q = {s['q']:g}, m = {m:g}", along("collision,energy", m, last, s, at),
                                 dashed=s["q"] == 0.0)
                   for s in (INCOHERENT, _INVERTED) for m in (15.0, 15.6))
    trap = Guide(f"trap at n = {_TRAP}", (1.0, float(last)), (_TRAP - 1.0, _TRAP - 1.0))
    return Figure("micromaser-1", "Incoherent charging", LOG_COLLISION, _LOG_ENERGY, series,
                  (_saturation(), _lower_q(), _no_bound(series[1], series[3])), guides=(trap,),
                  notes=("θ = π/√m.", RANGE), inset=_close_to_15(effort))


def _saturation() -> Claim:
    energy = run(15.0, 2000, **_INVERTED).energy
    return Claim("q = 0, m = 15 saturates after about 300 collisions, in |m>",
                 f"within 1 % of {energy[-1]:.4f} from k = {settled(energy, 0.01)} on, 0.1 % from "
                 f"{settled(energy, 0.001)}",
                 verdict(between(settled(energy, 0.005), 200, 400)) + ", but the state is |m-1>, E = 14")


def _lower_q() -> Claim:
    found = float(run(15.0, 3000, **INCOHERENT).energy[-1])
    return Claim("q = 0.25, m = 15 stays close to that", f"{found:.4f}", verdict(between(found, 13.4, 13.6)))


def _no_bound(mixed: Series, inverted: Series) -> Claim:
    energies = [float(series.y[-1]) for series in (inverted, mixed)]
    bounded = max(energies) <= _TRAP - 1 + 1e-6
    return Claim("without fine tuning levels fill without any upper bound",
                 f"m = 15.6: E = {energies[0]:.1f} (q = 0) and {energies[1]:.1f} (q = 0.25) at k = "
                 f"{mixed.x[-1]:.0e}",
                 verdict(not bounded, f"NOT unbounded: 15.6 = {_TRAP}/25 is fine-tuned at n = {_TRAP}, where "
                         "θ√n = 5π; any rational m is at some n"))


def _close_to_15(effort: Effort) -> Figure:
    last = effort.points(200_000, 20_000)
    at = f"log:1:{last}:{effort.points(181, 25)}"
    series = tuple(effort.series(f"m = {m:g}", along("collision,energy", m, last, INCOHERENT, at))
                   for m in _NEAR)
    return Figure("micromaser-1-inset", "Close to m = 15, q = 0.25", LOG_COLLISION, _LOG_ENERGY, series,
                  (_departure(),))


def _departure() -> Claim:
    """t*: the first collision with one quantum more than the plateau of 13.5."""
    products, rates = [], []
    for m in _NEAR:
        found = run(m, 60_000, **INCOHERENT)
        away = (math.pi / math.sqrt(15.0) - math.pi / math.sqrt(m)) ** 2
        products.append(float(np.argmax(found.energy > 14.5)) * away)
        rates.append(escape(found, 15, 1000, 2000) / away)
    close = max(products[:2]) < 1.1 * min(products[:2])
    far = products[-1] > 1.5 * products[0]
    holds = max(rates) < 1.05 * min(rates)
    return Claim("the metastable state is left at t* ~ 1/Δθ²",
                 f"t*Δθ² = {' '.join(f'{p:.4f}' for p in products)} for E = 14.5; the rate of leaving, over "
                 f"Δθ², is {' '.join(f'{r:.2f}' for r in rates)}",
                 verdict(close and not far, "OK below m = 15.02; beyond it t* is the time of charging"
                         if close else "NOT reproduced")
                 + ("; the rate goes with Δθ² throughout" if holds else ""))


def figure_2(effort: Effort) -> Figure:
    """Purity at m = 15."""
    last = 1500
    at = f"lin:0:{last}:{effort.points(301, 26)}"
    series = (effort.series("q = 0.25", along("collision,purity", 15.0, last, INCOHERENT, at)),
              effort.series("q = 0", along("collision,purity", 15.0, last, _INVERTED, at), dashed=True))
    return Figure("micromaser-2", "Incoherent charging, m = 15", COLLISION, PURITY, series,
                  (_unit_purity(), _time_scales(), _lost_purity()), notes=(RANGE,),
                  guides=(Guide("1 − 2q", (0.0, float(last)), (0.5, 0.5)),))


def _impure_until(share: float) -> int:
    """The first collision from which on 1 - Tr rho^2 of the inverted stream stays below `share`."""
    impurity = 1.0 - run(15.0, 2000, **_INVERTED).purity
    return int(np.flatnonzero(impurity > share)[-1]) + 1


def _unit_purity() -> Claim:
    found = run(15.0, 1000, **_INVERTED).purity
    return Claim("q = 0 reaches unit purity after almost 1000 collisions",
                 f"1 − P = {1 - found[300]:.3f} at k = 300, {1 - found[1000]:.0e} at 1000",
                 verdict(bool(1.0 - found[1000] < 1e-4 < 1.0 - found[300])))


def _time_scales() -> Claim:
    energy = settled(run(15.0, 2000, **_INVERTED).energy, 0.01)
    purity = _impure_until(0.01)
    return Claim("energy and purity saturate an order of magnitude apart",
                 f"within 1 % at k = {energy} and {purity}, a factor {purity / energy:.1f}",
                 verdict(purity > 8 * energy,
                         "NOT an order of magnitude, nor are the paper's own 300 and 1000"))


def _lost_purity() -> Claim:
    q, m = INCOHERENT["q"], 15
    found, r = run(15.0, 3000, **INCOHERENT).purity[-1], (1.0 - q) / q
    closed = (r - 1.0) / (r + 1.0) * (r ** (2 * m) - 1.0) / (r**m - 1.0) ** 2
    printed = (r**m - 1.0) / (r ** (m + 1) - 1.0)
    return Claim("q = 0.25 stays at P = 1 − 2q, Eq. (12)", f"{found:.8f}",
                 verdict(bool(abs(found - closed) < 1e-9))
                 + f" with m for m + 1 in Eqs. (11, 12): as printed the trace is {printed:.3f}")


FIGURES = {"micromaser-1": figure_1, "micromaser-2": figure_2}
