"""How the twin's inner loops are compiled: flags in one place.

Arguments of a `kernel` never overlap, and saying so lets LLVM use vector registers without first
checking every pair of arrays for overlap: at eight variables those checks cost more than the sums.
numba has the flag but no keyword for it, hence the small compiler class.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import config, njit, types
from numba.core.compiler import Compiler

VECTOR = types.Array(types.f8, 1, "C")
MATRIX = types.Array(types.f8, 2, "C")
INDEX = types.Array(types.i8, 1, "C")

FLAGS: dict[str, Any] = dict(cache=True, nogil=True, error_model="numpy",
                             fastmath={"contract", "nsz", "reassoc"})


telling: list[Callable[[], object]] = []
"""What to call, once, when something has to be compiled for the first time on this machine."""

indexes: list[Path] = []
"""Files that lead numba to the machine code of every function so far; one that is gone is compiled again."""


class _NoOverlap(Compiler):
    def __init__(self, typingctx, targetctx, library, args, return_type, flags, locals):  # numba's signature
        flags.noalias = True
        super().__init__(typingctx, targetctx, library, args, return_type, flags, locals)


def _stamped(**more: Any) -> Callable[[Any], Callable[[Any], Any]]:
    """njit for one signature, whose cache also notices a change in another compiled file of its folder.

    numba looks at a function's own file only, and would go on running the old code of what that calls.
    """

    def of(signature: Any) -> Callable[[Any], Any]:
        def make(function: Any) -> Any:
            made = njit(**FLAGS, **more)(function)
            if getattr(config, "DISABLE_JIT", False):  # numba's switch for running without compiling anything
                return made
            file = made._cache._cache_file
            file._source_stamp = (file._source_stamp, _digest(Path(function.__code__.co_filename).parent))
            indexes.append(Path(file._index_path))
            if not indexes[-1].exists() and telling:
                telling.pop()()
            made.compile(signature)
            made.disable_compile()
            return made

        return make

    return of


@cache
def _digest(folder: Path) -> str:
    """Of all files here and in `folder` that hold compiled functions."""
    places = sorted({folder, Path(__file__).parent})
    texts = (path.read_bytes() for place in places for path in sorted(place.glob("*.py")))
    return hashlib.sha256(b"".join(text for text in texts if b".compiled import" in text)).hexdigest()


compiled = _stamped()
"""For ordinary loops: compiled(signature)(function)."""

uncounted = _stamped(_nrt=False)
"""For loops that own nothing: no array is made and none is counted in and out, which numba otherwise
does at every view of an array, at more cost than a small model's arithmetic."""

kernel_compiled = _stamped(pipeline_class=_NoOverlap)
"""For functions whose array arguments are promised not to overlap."""
