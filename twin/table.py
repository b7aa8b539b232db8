"""From complex equations of motion to a sparse real bilinear table, pruned of what stays zero.

A table says: dx_i/dt = sum over groups of  (signal) * form * (sum of weight * x_j * x_k),
where a form is a combination of named rates and a signal is what changes with time between
edges (see `system.SIGNALS`). Pruning starts from the variables that are not zero at the start
and follows the terms: so the undriven U(1) model of 9 variables falls out of the general one
of 91 by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .readings import Equations, Expression, Moment, Rate
from .system import SIGNALS, SWITCHES, Operator

Product = tuple[str, ...]
Polynomial = dict[Product, dict[Rate, complex]]
Form = tuple[tuple[Rate, float], ...]


@dataclass(frozen=True)
class Group:
    """signal * forms[form] * sum(weight * product); signal "" is 1."""

    signal: str
    form: int
    terms: tuple[tuple[float, Product], ...]


@dataclass(frozen=True)
class Table:
    """Real variables, their equations, the forms of rates, and each variable's block for error control."""

    variables: tuple[str, ...]
    equations: tuple[tuple[Group, ...], ...]
    forms: tuple[Form, ...]
    blocks: tuple[int, ...]


def real_form(moment: Moment) -> list[tuple[complex, str]]:
    """A complex moment as a combination of real variables, symmetries and sum rules used up."""
    kind, a, b = moment.kind, moment.first, moment.second
    if kind in ("x", "nu"):
        return _complex(kind, moment.conjugated)
    if kind == "mu":
        return [(1.0, "mu")]
    if kind == "s":
        return [(1.0, f"s{a[0]}{a[1]}")] if a[0] == a[1] else _complex(f"s{max(a)}{min(a)}", a[0] < a[1])
    if kind == "g":
        if a == (1, 1):  # the identity has no fluctuation: <a 1>_c = 0
            return [(-c, v) for k in range(2, 6) for c, v in
                    real_form(Moment("g", (k, k), conjugated=moment.conjugated))]
        return _complex(f"g{a[0]}{a[1]}", moment.conjugated)
    return _pair_form(a, b)


def _pair_form(a: Operator, b: Operator) -> list[tuple[complex, str]]:
    for one, other in ((a, b), (b, a)):
        if one == (1, 1):
            return [(-c, v) for k in range(2, 6) for c, v in _pair_form((k, k), other)]
    here = tuple(sorted((a, b)))
    conjugate = tuple(sorted((a[::-1], b[::-1])))
    name = "p" + "_".join(f"{i}{j}" for i, j in min(here, conjugate))
    return [(1.0, name)] if here == conjugate else _complex(name, conjugate < here)


def _complex(name: str, conjugated: bool) -> list[tuple[complex, str]]:
    return [(1.0, f"{name}.re"), (-1j if conjugated else 1j, f"{name}.im")]


def real_equations(equations: Equations) -> dict[str, Polynomial]:
    """One real polynomial for each independent real variable."""
    found: dict[str, Polynomial] = {}
    for moment, expression in equations.items():
        forms = real_form(moment)
        independent = forms[0][0] == 1.0 and (len(forms) == 1 or (len(forms) == 2 and forms[1][0] == 1j))
        if not independent or forms[0][1] in found:
            continue  # a conjugate or a sum rule
        polynomial = _expand(expression)
        for (_, name), part in zip(forms, ("real", "imag"), strict=False):
            found[name] = _part(polynomial, part)
    return found


def _expand(expression: Expression) -> Polynomial:
    polynomial: Polynomial = {}
    for moments, coefficients in expression.items():
        products: list[tuple[complex, Product]] = [(1.0, ())]
        for m in moments:
            products = [(c * d, (*names, v)) for c, names in products for d, v in real_form(m)]
        for c, names in products:
            place = polynomial.setdefault(tuple(sorted(names)), {})
            for rate, r in coefficients.items():
                key = tuple(sorted(rate))
                place[key] = place.get(key, 0.0) + c * r
    return polynomial


def _part(polynomial: Polynomial, part: str) -> Polynomial:
    found: Polynomial = {}
    for names, coefficients in polynomial.items():
        kept = {rate: getattr(c, part) for rate, c in coefficients.items() if abs(getattr(c, part)) > 1e-12}
        if kept:
            found[names] = kept
    return found


def reduce(equations: dict[str, Polynomial], started: Iterable[str], active: Iterable[str]) -> Table:
    """The table of the variables that can leave zero, from `started` ones, with only `active` switches on."""
    off = set(SWITCHES) - set(active)
    live = {v: _without(p, off) for v, p in equations.items()}
    alive = set(started) & set(live)
    grown = True
    while grown:
        found = {v for v, p in live.items() if v not in alive and any(set(names) <= alive for names in p)}
        grown = bool(found)
        alive |= found
    variables = tuple(v for v in live if v in alive)
    return _grouped(variables, {v: {n: c for n, c in live[v].items() if set(n) <= alive} for v in variables})


def _without(polynomial: Polynomial, off: set[str]) -> Polynomial:
    found: Polynomial = {}
    for names, coefficients in polynomial.items():
        kept = {r: c for r, c in coefficients.items() if not off.intersection(r)}
        if kept:
            found[names] = kept
    return found


def _grouped(variables: tuple[str, ...], equations: dict[str, Polynomial]) -> Table:
    forms: dict[Form, int] = {}
    rows = []
    for v in variables:
        groups: dict[tuple[str, int], list[tuple[float, Product]]] = {}
        for names, coefficients in equations[v].items():
            for signal, form, weight in _forms(coefficients):
                index = forms.setdefault(form, len(forms))
                groups.setdefault((signal, index), []).append((weight, names))
        rows.append(tuple(Group(s, f, tuple(terms)) for (s, f), terms in groups.items()))
    return Table(variables, tuple(rows), tuple(forms), _blocks(variables))


def _forms(coefficients: dict[Rate, complex]) -> Iterable[tuple[str, Form, float]]:
    split: dict[str, dict[Rate, float]] = {}
    for rate, c in coefficients.items():
        signal = next((s for s in SIGNALS if s in rate), "")
        rest = tuple(r for r in rate if r != signal)
        split.setdefault(signal, {})[rest] = float(c.real if isinstance(c, complex) else c)
    for signal, terms in split.items():
        first = terms[min(terms)]
        yield signal, tuple((r, terms[r] / first) for r in sorted(terms)), first


def _blocks(variables: tuple[str, ...]) -> tuple[int, ...]:
    # Error is controlled against the largest member of a block. Real and imaginary part of one moment pass
    # through zero in turn, so they share one; so do the levels' populations wherever they occur (p22_35,
    # p33_35, ...), since some of these are nothing but rounding. Different transitions do not share, because
    # the seed that grows e^20 fold may sit in the smallest of them.
    names = [re.sub(r"(11|22|33|44|55)", "z", v.removesuffix(".re").removesuffix(".im")) for v in variables]
    order = sorted(set(names))
    return tuple(order.index(n) for n in names)
