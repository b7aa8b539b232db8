"""Readings of a declared system: rate equations, mean field (first order), second-order cumulants.

Each returns complex equations of motion, at most bilinear in its moments:

  x  = <a>/sqrt N          s(A)    = <A>                     u(A) = s([X, A]), v(A) = s([Y, A])
  mu = <a+ a>_c / N        g(A)    = <a A>_c / sqrt N        X = sigma^53, Y = sigma^35
  nu = <a a>_c / N         p(A, B) = <A_1 B_2>_c             G = g sqrt N

The index c means connected: the product of means is subtracted, so nothing large cancels, and
N enters only as 1/N (spontaneous emission) and n_th/N. Derived from Eq. (1) of Wang, Wu and
Zhao 2025 with the closure <UVW> = sum <UV><W> - 2 <U><V><W>; the same-molecule product A Y is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .system import LOWERING, OPERATORS, RAISING, Linear, Operator, System

Rate = tuple[str, ...]
"""A product of named rates; () is the number 1."""


@dataclass(frozen=True, order=True)
class Moment:
    """One complex moment. `conjugated` marks x*, nu* and <a+ A>_c = conj g(A+)."""

    kind: str
    first: Operator = (0, 0)
    second: Operator = (0, 0)
    conjugated: bool = False


Expression = dict[tuple[Moment, ...], dict[Rate, complex]]
Equations = dict[Moment, Expression]

FIELD, FIELD_CONJ = Moment("x"), Moment("x", conjugated=True)
PHOTONS, ANOMALOUS = Moment("mu"), Moment("nu")


def mean(a: Operator) -> Moment:
    return Moment("s", a)


def field_spin(a: Operator) -> Moment:
    """g(A) = <a A>_c / sqrt N."""
    return Moment("g", a)


def conj_field_spin(a: Operator) -> Moment:
    """<a+ A>_c / sqrt N = conj g(A+)."""
    return Moment("g", (a[1], a[0]), conjugated=True)


def pair(a: Operator, b: Operator) -> Moment:
    """p(A, B); the same for both orders."""
    first, second = sorted((a, b))
    return Moment("p", first, second)


def add(into: Expression, coefficient: complex, rate: Rate, *moments: Moment) -> None:
    """into += coefficient * rate * product of moments."""
    place = into.setdefault(tuple(sorted(moments)), {})
    place[rate] = place.get(rate, 0.0) + coefficient


def commutator(a: Operator, b: Operator) -> list[tuple[float, Operator]]:
    """[sigma^a, sigma^b] as weighted operators."""
    found = []
    if a[1] == b[0]:
        found.append((1.0, (a[0], b[1])))
    if b[1] == a[0]:
        found.append((-1.0, (b[0], a[1])))
    if len(found) == 2 and found[0][1] == found[1][1]:
        return []
    return found


def mean_field(system: System) -> Equations:
    """First order: x and s alone."""
    adjoint = system.adjoint()
    equations: Equations = {FIELD: _field_equation()}
    for a in OPERATORS:
        equation: Expression = {}
        _spin_generator(equation, adjoint[a], a, lambda b: (mean(b),))
        equations[mean(a)] = equation
    return equations


def cumulants(system: System) -> Equations:
    """Second order in connected, scaled moments (module docstring)."""
    adjoint = system.adjoint()
    equations = mean_field(system)
    for a in OPERATORS:
        for weight, c in commutator(RAISING, a):
            add(equations[mean(a)], 1j * weight, ("collective",), field_spin(c))
        for weight, c in commutator(LOWERING, a):
            add(equations[mean(a)], 1j * weight, ("collective",), conj_field_spin(c))
    equations[PHOTONS] = _photon_equation()
    equations[ANOMALOUS] = _anomalous_equation()
    for a in OPERATORS:
        equations[field_spin(a)] = _field_spin_equation(adjoint[a], a)
    for i, a in enumerate(OPERATORS):
        for b in OPERATORS[i:]:
            equations[pair(a, b)] = _pair_equation(adjoint, a, b)
    return equations


def rate_equations(system: System) -> Equations:
    """Populations and photon number; coherence and pair correlation eliminated adiabatically."""
    adjoint = system.adjoint()
    equations: Equations = {}
    for a in ((i, i) for i in range(1, 6)):
        equation: Expression = {}
        for b, coefficients in adjoint[a].items():
            for rate, c in coefficients.items():
                if b[0] == b[1]:
                    add(equation, c, (rate,), mean(b))
        equations[mean(a)] = equation
    photons: Expression = {}
    add(photons, -1.0, ("cavity_decay",), PHOTONS)
    add(photons, 1.0, ("thermal_input",))
    for equation, sign in ((photons, 1.0), (equations[mean((5, 5))], -1.0), (equations[mean((3, 3))], 1.0)):
        add(equation, sign, ("exchange",), mean((5, 5)), PHOTONS)
        add(equation, -sign, ("exchange",), mean((3, 3)), PHOTONS)
        add(equation, sign, ("exchange_per_molecule",), mean((5, 5)))
    equations[PHOTONS] = photons
    return equations


def _field_equation() -> Expression:
    equation: Expression = {}
    add(equation, -1j, ("mode_detuning",), FIELD)
    add(equation, -0.5, ("cavity_decay",), FIELD)
    add(equation, -1j, ("collective",), mean(LOWERING))
    add(equation, -1j, ("cavity_drive_re", "per_root_molecules"))
    add(equation, 1.0, ("cavity_drive_im", "per_root_molecules"))
    return equation


def _photon_equation() -> Expression:
    equation: Expression = {}
    add(equation, -1.0, ("cavity_decay",), PHOTONS)
    add(equation, 1.0, ("thermal_input",))
    add(equation, 1j, ("collective",), field_spin(RAISING))
    add(equation, -1j, ("collective",), conj_field_spin(LOWERING))
    return equation


def _anomalous_equation() -> Expression:
    equation: Expression = {}
    add(equation, -2j, ("mode_detuning",), ANOMALOUS)
    add(equation, -1.0, ("cavity_decay",), ANOMALOUS)
    add(equation, -2j, ("collective",), field_spin(LOWERING))
    return equation


def _spin_generator(into: Expression, adjoint: Linear, a: Operator,
                    moments: Callable[[Operator], tuple[Moment, ...]]) -> None:
    """into += moments(K A), K = L+ + i G (x [X, .] + x* [Y, .])."""
    for b, coefficients in adjoint.items():
        for rate, c in coefficients.items():
            add(into, c, (rate,), *moments(b))
    for weight, b in commutator(RAISING, a):
        add(into, 1j * weight, ("collective",), FIELD, *moments(b))
    for weight, b in commutator(LOWERING, a):
        add(into, 1j * weight, ("collective",), FIELD_CONJ, *moments(b))


def _field_spin_equation(adjoint: Linear, a: Operator) -> Expression:
    equation: Expression = {}
    _spin_generator(equation, adjoint, a, lambda b: (field_spin(b),))
    add(equation, -1j, ("mode_detuning",), field_spin(a))
    add(equation, -0.5, ("cavity_decay",), field_spin(a))
    for weight, c in commutator(RAISING, a):
        add(equation, 1j * weight, ("collective",), ANOMALOUS, mean(c))
    for weight, c in commutator(LOWERING, a):
        add(equation, 1j * weight, ("collective",), PHOTONS, mean(c))
    if a[1] == LOWERING[0]:  # A Y on the same molecule, exact
        add(equation, -1j, ("collective_per_molecule",), mean((a[0], LOWERING[1])))
    add(equation, 1j, ("collective_per_molecule",), mean(a), mean(LOWERING))
    add(equation, -1j, ("collective",), pair(a, LOWERING))
    add(equation, 1j, ("collective_per_molecule",), pair(a, LOWERING))
    return equation


def _paired(other: Operator, a: Operator) -> tuple[Moment, ...]:
    return (pair(a, other),)


def _pair_equation(adjoint: dict[Operator, Linear], a: Operator, b: Operator) -> Expression:
    equation: Expression = {}
    for one, other in ((a, b), (b, a)):
        _spin_generator(equation, adjoint[one], one, partial(_paired, other))
        for weight, c in commutator(RAISING, one):
            add(equation, 1j * weight, ("collective",), mean(c), field_spin(other))
        for weight, c in commutator(LOWERING, one):
            add(equation, 1j * weight, ("collective",), mean(c), conj_field_spin(other))
    return equation


READINGS = {"rate": rate_equations, "mean_field": mean_field, "cumulant": cumulants}
