"""Figs. 5 to 7 of Shaghaghi et al. 2023: coherent charging of a lossy cavity; and the same over the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..micromaser import Run
from .asking import between, verdict
from .effort import Effort
from .figure import Axis, Claim, Figure, Guide, Series
from .micromaser_asking import (
    COHERENT,
    COLLISION,
    ENERGY,
    FANO,
    LOSSY,
    PURITY,
    RANGE,
    along,
    escape,
    less,
    over,
    run,
)

_ENDS = 250
_PLATEAU = 1000
_LOSS = Axis("loss", "", "loss per collision γtᵣ", log=True)
_SHARES = Axis("final_purity", "", "P, and E/k [ħω]")
_CASES = {f"m = {m:g}, γtᵣ = {loss:g}": (m, loss) for loss in (0.1, 1e-3) for m in (15.0, 15.6)}
_WELLS = {15.0: 15, 15.6: 16}
"""Levels of the first well."""


def _curves(effort: Effort, column: str, first: int = 0) -> tuple[Series, ...]:
    at = f"lin:{first}:{_ENDS}:{effort.points(_ENDS - first + 1, 26)}"
    return tuple(effort.series(label, along(f"collision,{column}", m, _ENDS, LOSSY | {"loss": loss}, at),
                               dashed=m != 15.0) for label, (m, loss) in _CASES.items())


def _pair(loss: float) -> list[Run]:
    """m = 15 and 15.6 on their plateaus."""
    return [run(m, _PLATEAU, **LOSSY, loss=loss) for m in (15.0, 15.6)]


def _listed(values: Sequence[float], digits: int = 4) -> str:
    return " and ".join(f"{v:.{digits}f}" for v in values)


def figure_5(effort: Effort) -> Figure:
    """E(k)."""
    return Figure("micromaser-5", "Energy in a lossy cavity, q = 0.25, n̄ = 0.15", COLLISION, ENERGY,
                  _curves(effort, "energy"), (_weak_loss(), _stable(), _strong_loss()),
                  notes=("θ = π/√m.", "The paper plots no power: ours is the largest E/k.", RANGE))


def _weak_loss() -> Claim:
    free = [float(run(m, _PLATEAU, **COHERENT).energy[-1]) for m in (15.0, 15.6)]
    lossy = [float(r.energy[-1]) for r in _pair(1e-3)]
    return Claim("γtᵣ = 1e-3 stores almost the same energy as no loss",
                 f"{_listed(lossy, 6)} for {_listed(free, 6)}",
                 verdict(all(0.98 < a / b < 1.0 for a, b in zip(lossy, free, strict=True))))


def _stable() -> Claim:
    rates = [escape(run(m, 2000, **LOSSY, loss=1e-3), levels, 1000, 2000) for m, levels in _WELLS.items()]
    return Claim("it is a stable value", "at γtᵣ = 1e-3 thermal photons carry it to the second well at "
                 + " and ".join(f"{r:.1e}" for r in rates) + " per collision",
                 verdict(max(rates) < 1e-12, "OK for 1e9 collisions, but metastable: a steady-state solver "
                                             "finds another state"))


def _strong_loss() -> Claim:
    free, lossy = run(15.0, _PLATEAU, **COHERENT), run(15.0, _PLATEAU, **LOSSY, loss=0.1)
    most = [float(np.nanmax(r.power)) for r in (free, lossy)]
    return Claim("γtᵣ = 0.1 lowers energy and charging power, slightly says the abstract",
                 f"E = {lossy.energy[-1]:.6f} ({less(lossy.energy[-1], free.energy[-1])}), power "
                 f"{most[1]:.3f} ({less(most[1], most[0])}) at m = 15",
                 verdict(bool(lossy.energy[-1] < free.energy[-1]))
                 + verdict(bool(lossy.energy[-1] > 0.8 * free.energy[-1]), "; NOT slightly"))


def figure_6(effort: Effort) -> Figure:
    """Purity."""
    weak, strong = ([float(r.purity[-1]) for r in _pair(loss)] for loss in (1e-3, 0.1))
    claims = (Claim("γtᵣ = 1e-3 ends almost pure", _listed(weak), verdict(min(weak) > 0.99)),
              Claim("γtᵣ = 0.1 ends at P about 0.85", _listed(strong),
                    verdict(all(between(p, 0.845, 0.86) for p in strong))),
              Claim("curves overlap in pairs",
                    f"apart by {abs(weak[0] - weak[1]):.4f} and {abs(strong[0] - strong[1]):.4f}",
                    verdict(max(abs(weak[0] - weak[1]), abs(strong[0] - strong[1])) < 0.01)))
    return Figure("micromaser-6", "Purity in a lossy cavity, q = 0.25, n̄ = 0.15", COLLISION, PURITY,
                  _curves(effort, "purity"), claims, notes=("θ = π/√m.", RANGE))


def figure_7(effort: Effort) -> Figure:
    """Fano factor, from the first collision on: the vacuum has none."""
    runs = [r for loss in (0.1, 1e-3) for r in _pair(loss)]
    most = max(float(np.nanmax(r.fano)) for r in runs)
    ends = " ".join(f"{r.fano[-1]:.5f}" for r in runs)
    claim = Claim("the field is sub-Poissonian throughout", f"F = {ends} at the end (order of the legend), "
                  f"{most:.4f} at most", verdict(most < 1.0))
    return Figure("micromaser-7", "Photon statistics in a lossy cavity, q = 0.25, n̄ = 0.15", COLLISION, FANO,
                  _curves(effort, "fano", first=1), (claim,),
                  notes=("θ = π/√m.", "From k = 1: for the vacuum F is 0/0.", RANGE))


def figure_loss(effort: Effort) -> Figure:
    """Energy, power and purity on the plateau over gamma t_r."""
    axis = f"loss=log:1e-4:1:{effort.points(49, 9)}"
    series = tuple(effort.series(label, over(axis, f"loss,{column}", 15.6, _PLATEAU, LOSSY), right=right,
                                 dashed=right)
                   for label, column, right in (("energy E", "final_energy", False),
                                                ("purity P", "final_purity", True),
                                                ("largest E/k", "maximum_power", True)))
    free = run(15.6, _PLATEAU, **COHERENT)
    text = []
    for loss in (0.01, 0.1):
        lossy = run(15.6, _PLATEAU, **LOSSY, loss=loss)
        text.append(f"γtᵣ = {loss:g}: E {less(lossy.energy[-1], free.energy[-1])}, power "
                    f"{less(np.nanmax(lossy.power), np.nanmax(free.power))}, P "
                    f"{less(lossy.purity[-1], free.purity[-1])}")
    claim = Claim("energy, power and purity are slightly degraded up to moderate loss, γtᵣ = 0.1",
                  "; ".join(text),
                  verdict(bool(lossy.energy[-1] > 0.8 * free.energy[-1]),
                          "OK up to 0.01; NOT at 0.1, where two fifths of the energy are missing"))
    return Figure("micromaser-loss", f"After {_PLATEAU} collisions, q = 0.25, m = 15.6, n̄ = 0.15", _LOSS,
                  ENERGY, series, (claim,), right=_SHARES,
                  notes=("θ = π/√m. Dotted: the paper's larger loss.",),
                  guides=(Guide("", (0.1, 0.1), (0.0, 6.5)),))


FIGURES = {"micromaser-5": figure_5, "micromaser-6": figure_6, "micromaser-7": figure_7}
OWN = {"micromaser-loss": figure_loss}
"""Of ours."""
