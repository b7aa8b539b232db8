"""A table's right-hand side as straight-line machine code: one multiplication and addition after the other.

The arithmetic is handed to LLVM term by term. Written as Python for numba to read, 91 variables take fifteen
seconds to compile, nearly all of it spent on reading; handed over, one or two.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from llvmlite import ir
from numba.extending import intrinsic

from .function_value import LINEARISED_SIGNATURE, RHS_SIGNATURE

_FLAGS = ("contract", "nsz", "reassoc")


class Terms(NamedTuple):
    """u[signal] * k[form] * sum of weight * product of z[...]; a signal or form of -1 is the number 1."""

    signal: int
    form: int
    terms: tuple[tuple[float, tuple[int, ...]], ...]


Equations = tuple[tuple[Terms, ...], ...]
"""For each variable the groups of terms that make its slope."""


def jacobian_columns(equations: Equations) -> list[list[int]]:
    """For each variable the variables that its slope depends on."""
    return [sorted({v for group in groups for _, product in group.terms for v in product})
            for groups in equations]


class _Scribe:
    """Writes sums of products; every number that is read is read once."""

    def __init__(self, builder: Any, z: Any, k: Any, u: Any) -> None:
        self.builder, self.arrays, self.held = builder, {"z": z, "k": k, "u": u}, {}  # type: ignore[var-annotated]

    def number(self, array: str, i: int) -> Any:
        """array[i]."""
        if (array, i) not in self.held:
            self.held[array, i] = self.builder.load(self._place(self.arrays[array], i))
        return self.held[array, i]

    def store(self, value: Any, array: Any, i: int) -> None:
        self.builder.store(value, self._place(array, i))

    def _place(self, array: Any, i: int) -> Any:
        return self.builder.gep(array, [ir.Constant(ir.IntType(64), i)])

    def product(self, factors: Iterable[Any]) -> Any:
        """None stands for 1."""
        made = None
        for factor in factors:
            if factor is not None:
                made = factor if made is None else self.builder.fmul(made, factor, flags=_FLAGS)
        return made

    def sum(self, terms: Iterable[Any]) -> Any:
        made = None
        for term in terms:
            made = term if made is None else self.builder.fadd(made, term, flags=_FLAGS)
        return constant(0.0) if made is None else made

    def term(self, weight: float, variables: Iterable[int]) -> Any:
        numbers = [self.number("z", v) for v in variables]
        if weight != 1.0 or not numbers:
            numbers.insert(0, constant(weight))
        return self.product(numbers)

    def factor(self, group: Terms) -> Any:
        """u[signal] * k[form], None for 1."""
        return self.product((self.number("u", group.signal) if group.signal >= 0 else None,
                             self.number("k", group.form) if group.form >= 0 else None))

    def total(self, group: Terms) -> Any:
        """The sum of a group's terms."""
        return self.sum(self.term(*term) for term in group.terms)

    def slope(self, groups: tuple[Terms, ...], totals: list[Any]) -> Any:
        return self.sum(self.product((self.factor(g), t)) for g, t in zip(groups, totals, strict=True))

    def derivative(self, groups: tuple[Terms, ...], variable: int) -> Any:
        """Of a slope by one variable."""
        parts = []
        for group in groups:
            terms = [self.term(weight, product[:a] + product[a + 1:]) for weight, product in group.terms
                     for a, v in enumerate(product) if v == variable]
            if terms:
                parts.append(self.product((self.factor(group), self.sum(terms))))
        return self.sum(parts)


def constant(value: float) -> Any:
    """A number in the machine code."""
    return ir.Constant(ir.DoubleType(), value)


def rhs(equations: Equations) -> Any:
    """For numba's compiled code: rhs(z, k, u, dz) of the equations."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        z, k, u, dz = arguments
        scribe = _Scribe(builder, z, k, u)
        slopes = [scribe.slope(groups, [scribe.total(g) for g in groups]) for groups in equations]
        for i, slope in enumerate(slopes):
            scribe.store(slope, dz, i)
        return context.get_dummy_value()

    @intrinsic
    def body(typing: Any, z: Any, k: Any, u: Any, dz: Any) -> Any:
        return RHS_SIGNATURE, write

    return body


def linearised(equations: Equations) -> Any:
    """For numba's compiled code: linearised(z, k, u, dz, sums, jacobian) of the equations, see `lanes`."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        z, k, u, dz, sums, jacobian = arguments
        scribe = _Scribe(builder, z, k, u)
        totals = [[scribe.total(g) for g in groups] for groups in equations]
        slopes = [scribe.slope(*pair) for pair in zip(equations, totals, strict=True)]
        entries = [scribe.derivative(groups, v) for groups, columns in
                   zip(equations, jacobian_columns(equations), strict=True) for v in columns]
        for array, values in ((dz, slopes), (sums, [t for row in totals for t in row]), (jacobian, entries)):
            for i, value in enumerate(values):
                scribe.store(value, array, i)
        return context.get_dummy_value()

    @intrinsic
    def body(typing: Any, z: Any, k: Any, u: Any, dz: Any, sums: Any, jacobian: Any) -> Any:
        return LINEARISED_SIGNATURE, write

    return body
