"""A table's right-hand side as straight-line machine code: one multiplication and addition after the other.

With dx/dt = sum over groups of (signal * form * sum of products), a derivative y = dx/dp obeys

  dy_i/dt = sum_j J_ij y_j + sum over groups of i of d(signal * form)/dp * (sum of products),

J_ij = d(dx_i/dt)/dx_j. Eight derivatives are one vector, so an entry of J costs one instruction.

The arithmetic is handed to LLVM term by term. Written as Python for numba to read, 91 variables take fifteen
seconds to compile, nearly all of it spent on reading; handed over, one or two.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from llvmlite import ir
from numba.extending import intrinsic

from .function_value import RHS_SIGNATURE

_FLAGS = ("contract", "nsz", "reassoc")


class Terms(NamedTuple):
    """u[signal] * k[form] * sum of weight * product of z[...]; a signal or form of -1 is the number 1."""

    signal: int
    form: int
    terms: tuple[tuple[float, tuple[int, ...]], ...]


Equations = tuple[tuple[Terms, ...], ...]
"""For each variable the groups of terms that make its slope."""

LANES = 8
"""Parameters that one pass differentiates by: a vector register of doubles where registers are widest."""
_SIGNALS = 3


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


    # derivatives: LANES to each number, side by side behind all numbers of its array ----------------------

    def lanes(self, array: str, start: int, i: int) -> Any:
        """The derivatives of array[i], whose array's derivatives begin at `start`, as one vector."""
        key = array + "'", i
        if key not in self.held:
            self.held[key] = self.builder.load(self._vector(self.arrays[array], start + LANES * i), align=8)
        return self.held[key]

    def store_lanes(self, value: Any, array: Any, start: int, i: int) -> None:
        self.builder.store(value, self._vector(array, start + LANES * i), align=8)

    def _vector(self, array: Any, i: int) -> Any:
        return self.builder.bitcast(self._place(array, i), _VECTOR.as_pointer())

    def spread(self, value: Any) -> Any:
        """One number in all lanes."""
        one = self.builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_WORD, 0))
        return self.builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined),
                                           ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

    def add_scaled(self, total: Any, scale: Any, vector: Any) -> Any:
        return self.sum((total, self.product((self.spread(scale), vector))))

    def moved_slope(self, groups: tuple[Terms, ...], totals: list[Any], numbers: tuple[int, int]) -> Any:
        """The derivatives of a slope: J y, and what moves its forms and signals. `numbers` of z and k."""
        found = ir.Constant(_VECTOR, [0.0] * LANES)
        for variable in sorted({v for group in groups for _, product in group.terms for v in product}):
            found = self.add_scaled(found, self.derivative(groups, variable),
                                    self.lanes("z", numbers[0], variable))
        for group, total in zip(groups, totals, strict=True):
            if group.form >= 0:
                signal = self.number("u", group.signal) if group.signal >= 0 else None
                found = self.add_scaled(found, self.product((signal, total)),
                                        self.lanes("k", numbers[1], group.form))
            if group.signal >= 0:
                form = self.number("k", group.form) if group.form >= 0 else None
                found = self.add_scaled(found, self.product((form, total)),
                                        self.lanes("u", _SIGNALS, group.signal))
        return found


_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_WORD = ir.IntType(32)


def constant(value: float) -> Any:
    """A number in the machine code."""
    return ir.Constant(ir.DoubleType(), value)


def rhs(equations: Equations, forms: int, derivatives: bool) -> Any:
    """For numba's compiled code: rhs(z, k, u, dz) of the equations over a number of forms.

    With `derivatives`, LANES of them stand behind all numbers of z, k and u, and dz gets theirs as well.
    """

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *given, dz = arguments
        scribe, n = _Scribe(builder, *given), len(equations)
        totals = [[scribe.total(g) for g in groups] for groups in equations]
        slopes = [scribe.slope(*pair) for pair in zip(equations, totals, strict=True)]
        for i, (groups, total) in enumerate(zip(equations, totals, strict=True)):
            scribe.store(slopes[i], dz, i)
            if derivatives:
                scribe.store_lanes(scribe.moved_slope(groups, total, (n, forms)), dz, n, i)
        return context.get_dummy_value()

    @intrinsic
    def body(typing: Any, z: Any, k: Any, u: Any, dz: Any) -> Any:
        return RHS_SIGNATURE, write

    return body
