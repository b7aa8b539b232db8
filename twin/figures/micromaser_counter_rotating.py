"""Beyond Jaynes-Cummings: counter-rotating terms with losses, and the modulation that is to stop them.

The paper leaves both as open questions (Sec. 6); these figures are ours.
"""

from __future__ import annotations

import numpy as np

from ..micromaser.parameters import FIRST_ZERO
from .asking import between, exponent, power_law, verdict
from .effort import Effort, slope
from .figure import Axis, Claim, Figure, Guide, Series
from .micromaser_asking import COHERENT, COLLISION, ENERGY, LOSSY, PURITY, Settings, along, over, run

_ENDS = 60
_LOSSY = LOSSY | {"loss": 0.1}
_STRONG = {**COHERENT, "coupling_ratio": 0.3}
_LOG_ENERGY = Axis("energy", "", "energy E = ⟨n⟩ [ħω]", log=True)
_RATIO = Axis("coupling_ratio", "", "coupling g/ω")
_ERROR = Axis("collision_error", "", "error ‖U − U(JC)‖", log=True)
_FREQUENCY = Axis("modulation_frequency", "", "modulation frequency ν/ω", log=True)
_AMPLITUDE = Axis("modulation_amplitude", "", "modulation amplitude η")


def figure_rabi(effort: Effort) -> Figure:
    """E(k) under the full Rabi Hamiltonian; inset: energy and purity over the coupling."""
    series = tuple(_charging(effort, f"g/ω = {g:g}", _ENDS, _LOSSY | {"coupling_ratio": g})
                   for g in (0.05, 0.1, 0.15, 0.2))
    far = _charging(effort, "g/ω = 0.3", effort.points(_ENDS, 20), _LOSSY | {"coupling_ratio": 0.3})
    free = _charging(effort, "0.3, no loss", effort.points(20, 15), _STRONG, dashed=True)
    return Figure("micromaser-rabi", "Counter-rotating terms, m = 15.6, γtᵣ = 0.1", COLLISION, _LOG_ENERGY,
                  (*series, far, free), (_stabilised(series[2], series[3], far, free),),
                  notes=("q = 0.25, c = 1, n̄ = 0.15; each collision begins at the same phase of the field.",),
                  inset=_over_coupling(effort))


def _charging(effort: Effort, label: str, ends: int, settings: Settings, dashed: bool = False) -> Series:
    at = f"lin:0:{ends}:{effort.points(ends + 1, ends // 5 + 1)}"
    return effort.series(label, along("collision,energy", 15.6, ends, settings, at, "rabi"), dashed=dashed)


def _stabilised(held: Series, lost: Series, far: Series, free: Series) -> Claim:
    """From E(k) at 0.15, 0.2 and 0.3, and at 0.3 without loss."""
    late, later = (np.array([s.y[np.searchsorted(s.x, k)] for s in (held, lost)])
                   for k in (_ENDS // 2, _ENDS))
    steady = np.abs(later / late - 1.0) < 0.01
    pure = run(15.6, _ENDS, **_LOSSY, coupling_ratio=0.15, collision="rabi").purity[-1]
    return Claim("losses may stabilise the battery even with counter-rotating terms (Sec. 6, open)",
                 f"γtᵣ = 0.1 holds g/ω = 0.15 at E = {later[0]:.2f}, P = {pure:.2f}; 0.2 climbs from "
                 f"{late[1]:.1f} to {later[1]:.1f} between k = {_ENDS // 2} and {_ENDS}; 0.3 to "
                 f"{far.y[-1]:.0f} by {far.x[-1]:.0f}, and without loss to {free.y[-1]:.0f} by "
                 f"{free.x[-1]:.0f}",
                 verdict(bool(steady.all()),
                         "OK at g/ω = 0.15, NOT at 0.2: it runs away" if steady[0] else "NOT stabilised"))


def _over_coupling(effort: Effort) -> Figure:
    axis = f"coupling_ratio=lin:0.02:0.2:{effort.points(25, 4)}"
    series = tuple(effort.series(label, over(axis, f"coupling_ratio,{column}", 15.6, _ENDS, _LOSSY,
                                             "rabi"), right=right, dashed=right)
                   for label, column, right in (("energy", "final_energy", False),
                                                ("purity", "final_purity", True)))
    plain = run(15.6, _ENDS, **_LOSSY)
    energy, pure = plain.energy[-1], plain.purity[-1]
    weak = series[0].y[series[0].x <= 0.1]
    claim = Claim("the Jaynes-Cummings model holds for g/ω << 1, and needs help from 0.1 on",
                  f"up to 0.1 E is {weak.min():.2f} .. {weak.max():.2f} (Jaynes-Cummings {energy:.2f}, P = "
                  f"{pure:.2f}): the phase 2ωτ = 2θω/g matters",
                  verdict(between(float(weak.min()), 0.95 * energy, energy),
                          f"within {100 * np.max(np.abs(weak / energy - 1.0)):.0f} % up to 0.1"))
    return Figure("micromaser-rabi-inset", f"After {_ENDS} collisions", _RATIO, ENERGY, series, (claim,),
                  right=PURITY)


def figure_modulation(effort: Effort) -> Figure:
    """How far a modulated collision is from Jaynes-Cummings; inset: purity with an imperfect amplitude."""
    axis = f"modulation_frequency=log:4:200:{effort.points(11, 3)}"
    series = tuple(effort.series(f"g/ω = {g:g}", over(axis, "modulation_frequency,collision_error", 15.6, 1,
                                                       COHERENT | {"coupling_ratio": g}, "modulated"))
                   for g in (1.0, 0.3, 0.1))
    return Figure("micromaser-modulation", "One modulated collision, J₀(2η) = 0", _FREQUENCY, _ERROR, series,
                  (_extended(series[1]),), guides=(power_law("slope −1", (6.0, 0.025), -1.0, 8.0),),
                  notes=("q = 0.25, c = 1, m = 15.6, no loss; error on fields below 10 photons.",),
                  inset=_over_amplitude(effort))


def _extended(error: Series) -> Claim:
    fitted = slope(error.x, error.y, 10.0, 200.0)
    bare, = over("coupling_ratio=0.3", "collision_error", 15.6, 1, COHERENT, "rabi").rows()[0]
    plain, charged = (run(15.6, _ENDS, **settings)
                      for settings in (COHERENT, _STRONG | {"collision": "modulated"}))
    return Claim("a simultaneous modulation extends Jaynes-Cummings to 0.1 < g/ω < 1",
                 f"g/ω = 0.3: {error.y[-1]:.4f} at ν = {error.x[-1]:.0f} ω ({bare:.2f} unmodulated), going "
                 f"as ν^{exponent(fitted)}; at ν = 50 ω E = {charged.energy[-1]:.3f}, P = "
                 f"{charged.purity[-1]:.4f} after {_ENDS} collisions for {plain.energy[-1]:.3f}, "
                 f"{plain.purity[-1]:.4f}",
                 verdict(bool(error.y[-1] < 0.05 * bare and charged.purity[-1] > 0.99),
                         "NOT at these frequencies") + ", with ν some 50 times ω")


def _over_amplitude(effort: Effort) -> Figure:
    axis = f"modulation_amplitude=lin:1.14:1.26:{effort.points(7, 3)}"
    pure = effort.series("purity", over(axis, "modulation_amplitude,final_purity", 15.6, _ENDS,
                                        _STRONG | {"modulation_frequency": 50.0}, "modulated"))
    right = pure.y[np.argmin(np.abs(pure.x - FIRST_ZERO))]
    claim = Claim("stability under imperfect modulation should be investigated (Sec. 6, open)",
                  f"P = {pure.y[0]:.3f} {right:.3f} {pure.y[-1]:.3f} for η = {pure.x[0]:g} (5 % low), right, "
                  f"{pure.x[-1]:g} (5 % high)",
                  verdict(bool(pure.y.min() > 0.99),
                          "sensitive: η is wanted to 1 or 2 %, rather high than low"))
    return Figure("micromaser-modulation-inset", f"After {_ENDS} collisions, g/ω = 0.3, ν = 50 ω", _AMPLITUDE,
                  PURITY, (pure,), (claim,),
                  guides=(Guide("J₀(2η) = 0", (FIRST_ZERO, FIRST_ZERO), (float(pure.y.min()), 1.0)),))


FIGURES = {"micromaser-rabi": figure_rabi, "micromaser-modulation": figure_modulation}
