"""A mean-field kernel for bins of molecules: its names, its right-hand side, its rates bin by bin.

The vector is the mode and the mean molecule, by their ordinary names, then the molecule of every bin, as
NAME[bin]. So whatever reads an ordinary state reads this one, too.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .kernels import Kernel
from .side_by_side import is_shared
from .spread import Spread
from .system import rates


def bin_names(variables: Sequence[str], bins: int) -> list[str]:
    """Names of all bins' components in the order of `side_by_side.over_bins`."""
    return [f"{v}[{b}]" for v in variables if not is_shared(v) for b in range(bins)]


def without_bins(names: Iterable[str]) -> list[str]:
    """The variables of the mode and the mean molecule."""
    return [v for v in names if not v.endswith("]")]


def bins_of(state: Mapping[str, Any]) -> int:
    """Number of bins in a state; 0: it has no spread."""
    return sum(v.startswith("s11[") for v in state)


def binned(kernel: Kernel, spread: Spread) -> Kernel:
    """The kernel with bins; a bin's variable shares the error control of the mean one."""
    molecule = [block for v, block in zip(kernel.variables, kernel.blocks, strict=True) if not is_shared(v)]
    return dataclasses.replace(
        kernel, variables=(*kernel.variables, *bin_names(kernel.variables, len(spread))),
        blocks=np.concatenate((kernel.blocks, np.repeat(np.array(molecule, np.int64), len(spread)))),
        rhs=kernel.over_bins)


def forms_of_bins(kernel: Kernel, values: Mapping[str, Any], spread: Spread) -> np.ndarray:
    """Number of bins, forms of rates bin by bin, weights (1 + m B + B,), from flat values."""
    couplings, weights, detunings = spread.rows
    named = rates({**values, "coupling": values["coupling"] * couplings,
                   "energy_3": values["energy_3"] - detunings})
    forms = [sum(factor * math.prod(named[r] for r in names) for names, factor in form)
             for form in kernel.forms]
    rows = [np.broadcast_to(np.real(form), len(spread)) for form in forms]
    return np.concatenate(([len(spread)], *rows, weights))
