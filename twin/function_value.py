"""Compiled functions handed to compiled functions: by their address, with their signatures fixed here.

A right-hand side that comes as an address does not make its caller compile again. numba's own function
values cost 10 us each to hand over, and arrays as their arguments are counted in and out at every call, at
five times the cost of a small model's right-hand side; so both are bare addresses.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

FLOATS = types.CPointer(types.f8)
RHS_SIGNATURE = types.void(*(FLOATS,) * 4)
"""rhs(z, k, u, dz): state, forms of rates, signals, slope; each with its derivatives behind it or not."""
FUNCTION = types.i8
"""The type of a compiled function as an argument."""


def address_of(function: Any) -> int:
    """Where the machine code of a function of RHS_SIGNATURE lies; valid while the function lives."""
    compiled = function.get_compile_result(RHS_SIGNATURE)
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name))


@intrinsic
def place(typing: Any, array: Any, index: Any) -> Any:
    """Where element `index` of an array of floats, counted flat, lies in memory."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.gep(held.data, [arguments[1]])

    return FLOATS(array, types.intp), code


def _call(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    where, *given = arguments
    kind = ir.FunctionType(ir.VoidType(), [a.type for a in given])
    builder.call(builder.inttoptr(where, kind.as_pointer()), given)
    return context.get_dummy_value()


@intrinsic
def call_rhs(typing: Any, where: Any, z: Any, k: Any, u: Any, dz: Any) -> Any:
    """Call the right-hand side at an address."""
    return types.void(FUNCTION, *RHS_SIGNATURE.args), _call
