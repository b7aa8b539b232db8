"""Figs. 3 and 4 of Shaghaghi et al. 2023, coherent qubits; and the two wells behind their purity."""

from __future__ import annotations

import numpy as np

from ..micromaser import Run, purity
from .asking import between, verdict
from .effort import Effort
from .figure import Axis, Claim, Figure, Guide
from .micromaser_asking import (
    COHERENT,
    COLLISION,
    ENERGY,
    IMPURITY,
    INCOHERENT,
    LOG_COLLISION,
    PURITY,
    RANGE,
    along,
    over,
    run,
    settled,
)

_ENDS = 200
_PLATEAU = 1000
_WELL = 16
"""Levels of the first well at m = 15.6."""
_Q = Axis("q", "", "ground-state share q")
_LEVEL = Axis("level", "", "photon number n")
_POPULATION = Axis("population", "", "P(n)", log=True, low=1e-20)


def figure_3(effort: Effort) -> Figure:
    """E(k); inset: the plateau at m = 15 over q."""
    at = f"lin:0:{_ENDS}:{effort.points(201, 26)}"
    series = tuple(effort.series(f"m = {m:g}", along("collision,energy", m, _ENDS, COHERENT, at),
                                 dashed=m != 15.0) for m in (15.0, 15.6))
    return Figure("micromaser-3", "Coherent charging, q = 0.25", COLLISION, ENERGY, series,
                  (_lower_energy(), _same_time_scale()), notes=("θ = π/√m.", RANGE), inset=_over_q(effort))


def _lower_energy() -> Claim:
    energies = [float(run(m, _PLATEAU, **COHERENT).energy[-1]) for m in (15.0, 15.6)]
    without = float(run(15.0, 3000, **INCOHERENT).energy[-1])
    return Claim("the final energy is significantly lower than in the incoherent setup",
                 f"{energies[0]:.6f} (m = 15) and {energies[1]:.6f} (15.6), {without:.2f} incoherent",
                 verdict(max(energies) < 0.6 * without))


def _same_time_scale() -> Claim:
    found = run(15.0, _PLATEAU, **COHERENT)
    times = [settled(values, share) for share in (0.01, 0.001) for values in (found.energy, found.purity)]
    return Claim("energy and purity saturate on one time scale",
                 f"within 1 % at k = {times[0]} and {times[1]}, 0.1 % at {times[2]} and {times[3]}",
                 verdict(times[1] < 2 * times[0] and times[3] < 2 * times[2]))


def _over_q(effort: Effort) -> Figure:
    axis = f"q=lin:0.005:0.995:{effort.points(67, 12)}"
    series = effort.series("m = 15", over(axis, "q,final_energy", 15.0, 2000, {"c": 1.0}))
    closed = np.array([_cotangent_energy(q) for q in series.x])
    away = float(np.max(np.abs(series.y - closed)))
    claim = Claim("by Eq. (15) the energy tends to the incoherent value as q → 0 and vanishes as q → 1",
                  f"{series.y[0]:.3f} at q = {series.x[0]:g}, {series.y[-1]:.3f} at {series.x[-1]:g}; after "
                  f"2000 collisions {away:.0e} at most from Eq. (15)",
                  verdict(away < 1e-2 and series.y[0] > 12.0 and series.y[-1] < 0.1))
    return Figure("micromaser-3-inset", "Where charging ends, m = 15", _Q, ENERGY, (series,), (claim,))


def _cotangent_energy(q: float, m: int = 15) -> float:
    """<n> of Eq. (15)."""
    n = np.arange(m)
    ratio = (1.0 - q) / q / np.tan(0.5 * np.pi * np.sqrt(n[1:] / m)) ** 2
    populations = np.cumprod(np.concatenate(([1.0], ratio)))
    return float(n @ populations / populations.sum())


def figure_4(effort: Effort) -> Figure:
    """Purity; inset: how far it is from 1."""
    at = f"lin:0:{_ENDS}:{effort.points(201, 26)}"
    series = tuple(effort.series(f"m = {m:g}", along("collision,purity", m, _ENDS, COHERENT, at),
                                 dashed=m != 15.0) for m in (15.0, 15.6))
    return Figure("micromaser-4", "Coherent charging, q = 0.25", COLLISION, PURITY, series,
                  (_tuned(), _generic()), notes=("θ = π/√m.", RANGE), inset=_impurity(effort))


def _impurity(effort: Effort) -> Figure:
    at = f"log:1:10000:{effort.points(161, 21)}"
    series = tuple(effort.series(f"m = {m:g}", along("collision,impurity", m, 10_000, COHERENT, at),
                                 dashed=m != 15.0) for m in (15.0, 15.6))
    return Figure("micromaser-4-inset", "How far from pure", LOG_COLLISION, IMPURITY, series,
                  (_all_q(),))


def _tuned() -> Claim:
    left = abs(1.0 - float(run(15.0, _PLATEAU, **COHERENT).purity[-1]))
    return Claim("m = 15 ends in a pure state", f"1 − P = {left:.0e}", verdict(left < 1e-13))


def _generic() -> Claim:
    impurity = [1.0 - float(run(15.6, k, **COHERENT).purity[-1]) for k in (500, 10_000)]
    steady = abs(impurity[1] - impurity[0]) < 1e-9
    return Claim("m = 15.6 is pure up to the best numerical precision, perhaps metastable",
                 f"1 − P = {impurity[0]:.3e} at k = 500, {impurity[1]:.3e} at 10 000",
                 verdict(impurity[1] < 1e-12, "NOT pure: a second well, see micromaser-wells")
                 + ("; metastable it is" if steady else ""))


def _all_q() -> Claim:
    shares = (0.49, 0.25, 0.1, 0.05, 0.01)
    found = [1.0 - float(run(15.4, _PLATEAU, q=q, c=1.0).purity[-1]) for q in shares]
    return Claim("long-lived and pure for all θ and q",
                 "m = 15.4, k = 1000: 1 − P = " + " ".join(f"{p:.0e}" for p in found) + " for q = "
                 + " ".join(f"{q:g}" for q in shares), verdict(max(found) < 1e-3, "NOT for small q"))


def figure_wells(effort: Effort) -> Figure:
    """P(n) on the plateau; inset: purity with and without the second well."""
    labels = {"m = 15.6": (15.6, COHERENT), "m = 15.6, q = 0.05": (15.6, COHERENT | {"q": 0.05}),
              "m = 15": (15.0, COHERENT)}
    series = tuple(effort.series(label, along("level,population", m, _PLATEAU, settings), dashed=m == 15.0)
                   for label, (m, settings) in labels.items())
    edge = Guide("", (15.6, 15.6), (1e-20, 1.0))
    return Figure("micromaser-wells", f"Two wells after {_PLATEAU} collisions", _LEVEL, _POPULATION, series,
                  (_second_well(run(15.6, _PLATEAU, **COHERENT)),), guides=(edge,),
                  notes=("c = 1, θ = π/√m, q = 0.25 unless said. Dotted: n = 15.6.",),
                  inset=_without_second(effort))


def _second_well(found: Run) -> Claim:
    state, n = found.state(_PLATEAU), np.arange(found.dimension)
    wells = (slice(0, _WELL), slice(_WELL, None))
    weight, energy, impurity = zip(*(_well(state, n, levels) for levels in wells), strict=True)
    return Claim("(not in the paper) of what the plateau at m = 15.6 is made",
                 f"{weight[1]:.4e} of the weight above n = 15, at E = {energy[1]:.1f}; the rest at E = "
                 f"{energy[0]:.3f}; taken alone they have 1 − P = {max(impurity[0], 0.0):.0e} and "
                 f"{impurity[1]:.0e}",
                 verdict(between(weight[1], 2.7e-4, 2.9e-4) and max(impurity) < 1e-6, "unclear")
                 + ": two pure states that do not interfere, 1 − P is twice the weight of the second")


def _well(state: np.ndarray, n: np.ndarray, levels: slice) -> tuple[float, float, float]:
    """Weight, energy and 1 - purity of some levels taken alone."""
    p = np.real(np.diag(state))[levels]
    weight = float(p.sum())
    return weight, float(n[levels] @ p) / weight, 1.0 - purity(state[levels, levels])


def _without_second(effort: Effort) -> Figure:
    at = f"log:1:{_PLATEAU}:{effort.points(121, 21)}"
    asked = "collision,impurity"
    series = (effort.series("all levels", along(asked, 15.6, _PLATEAU, COHERENT, at)),
              effort.series("n < 16 alone", along(asked, 15.6, _PLATEAU, COHERENT, at, dimension=_WELL),
                            dashed=True))
    ends = [float(s.y[-1]) for s in series]
    claim = Claim("pure to the best numerical precision", f"1 − P = {ends[0]:.1e}, and {ends[1]:.0e} of what "
                  "stays below n = 16",
                  verdict(ends[0] < 1e-12, "an artefact of a cut-off between 16 and 40"))
    return Figure("micromaser-wells-inset", "Purity with and without the second well, m = 15.6",
                  LOG_COLLISION, IMPURITY, series, (claim,))


FIGURES = {"micromaser-3": figure_3, "micromaser-4": figure_4}
OWN = {"micromaser-wells": figure_wells}
"""Of ours."""
