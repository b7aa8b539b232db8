"""Compiled functions as arguments of compiled functions: their signatures, and how an address is looked up.

A right-hand side that comes as a value of fixed signature does not make its caller compile again. It takes
bare addresses: arrays would be counted in and out at every call, at five times the cost of the call itself.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from .compiled import kernel_compiled

ADDRESS = types.CPointer(types.f8)
RHS_SIGNATURE = types.void(*(ADDRESS,) * 4)
"""rhs(z, k, u, dz): state, forms of rates, signals, slope."""
LINEARISED_SIGNATURE = types.void(*(ADDRESS,) * 6)
"""linearised(z, k, u, dz, sums, jacobian): the same, and what sensitivities need (`lanes`)."""

RHS, LINEARISED = types.FunctionType(RHS_SIGNATURE), types.FunctionType(LINEARISED_SIGNATURE)


class FunctionValue(types.WrapperAddressProtocol):
    """A compiled function as an argument; its address is looked up once, not at every call."""

    def __init__(self, function: Any, signature: Any = RHS_SIGNATURE) -> None:
        compiled_function = function.get_compile_result(signature)
        self._keep = compiled_function  # the machine code lives as long as this does
        self._signature = signature
        self._address = compiled_function.library.get_pointer_to_function(
            compiled_function.fndesc.llvm_cfunc_wrapper_name)

    def __wrapper_address__(self) -> int:
        return self._address

    def signature(self) -> Any:
        return self._signature


@intrinsic  # type: ignore[untyped-decorator]
def address(typing: Any, array: Any, place: Any) -> Any:
    """Where element `place` of an array of floats, counted flat, lies in memory."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.gep(held.data, [arguments[1]])

    return ADDRESS(array, types.intp), code


@kernel_compiled(LINEARISED_SIGNATURE)
def _nothing(z, k, u, dz, sums, jacobian):
    dz[0] = 0.0


NO_DERIVATIVES = FunctionValue(_nothing, LINEARISED_SIGNATURE)
"""Stands in where no sensitivities are asked for; never called."""
