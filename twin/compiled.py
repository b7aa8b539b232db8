"""How the twin's inner loops are compiled: flags in one place.

Arguments of a `kernel` never overlap, and saying so lets LLVM use vector registers without first
checking every pair of arrays for overlap: at eight variables those checks cost more than the sums.
numba has the flag but no keyword for it, hence the small compiler class.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from numba import njit, types
from numba.core.compiler import Compiler

VECTOR = types.Array(types.f8, 1, "C")
MATRIX = types.Array(types.f8, 2, "C")
INDEX = types.Array(types.i8, 1, "C")

FLAGS: dict[str, Any] = dict(cache=True, nogil=True, error_model="numpy",
                             fastmath={"contract", "nsz", "reassoc"})


class _NoOverlap(Compiler):
    def __init__(self, typingctx, targetctx, library, args, return_type, flags, locals):  # numba's signature
        flags.noalias = True
        super().__init__(typingctx, targetctx, library, args, return_type, flags, locals)


compiled = partial(njit, **FLAGS)
"""njit for ordinary loops: compiled(signature)(function)."""

uncounted = partial(njit, _nrt=False, **FLAGS)
"""njit for loops that own nothing: no array is made and none is counted in and out, which numba otherwise
does at every view of an array, at more cost than a small model's arithmetic."""

kernel_compiled = partial(njit, pipeline_class=_NoOverlap, **FLAGS)
"""njit for functions whose array arguments are promised not to overlap."""
