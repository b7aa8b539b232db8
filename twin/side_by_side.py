"""Source of right-hand sides for many equal systems in one loop, which the compiler turns into vectors.

`abreast`: SHOTS independent shots. Component i of shot q stands at z[SHOTS * i + q]; all share forms and
signals.

`over_bins`: bins of molecules that share one mode. z[:n] is the mode and the mean molecule; behind it
component j of bin q's molecule stands at z[n + bins * j + q]. k[0] is the number of bins; forms come bin by
bin, k[1 + bins * f + q], then the bins' weights. The mode's slope is the weighted mean of what each bin alone
would give it, so that no equation is written twice, and one bin is the ordinary reading.
"""

from __future__ import annotations

from collections.abc import Callable

from .system import SIGNALS
from .table import Table

SHOTS = 8
"""Shots in one loop: a vector register of doubles where registers are widest."""


def is_mean_field(table: Table) -> bool:
    """True where all variables are the mode's amplitude and single molecules' means."""
    return all(v[0] in "xs" for v in table.variables)


def is_shared(variable: str) -> bool:
    """True for the mode's variables, which bins of molecules have in common."""
    return variable.startswith("x")


def abreast(table: Table, slope: Callable[[int], str], used: list[int]) -> list[str]:
    """Lines of `_abreast(z, k, u, dz)`; `slope(i)` is the text of equation i, `used` the forms in it."""
    lines = ["def _abreast(z, k, u, dz):", *_signals(table), *(f"    k{f} = k[{f}]" for f in used),
             f"    for q in range({SHOTS}):"]
    lines += [f"        x{i} = z[{SHOTS * i} + q]" for i in range(len(table.variables))]
    lines += [f"        dz[{SHOTS * i} + q] = {slope(i)}" for i in range(len(table.variables))]
    return [*lines, *_loader("abreast")]


def over_bins(table: Table, slope: Callable[[int], str], used: list[int]) -> list[str]:
    """Lines of `_over_bins(z, k, u, dz)`."""
    n = len(table.variables)
    molecule = [i for i, v in enumerate(table.variables) if not is_shared(v)]
    lines = ["def _over_bins(z, k, u, dz):", *_signals(table), "    bins = int(k[0])"]
    lines += [f"    x{i} = z[{i}]" for i in range(n) if i not in molecule]
    lines += [f"    a{i} = 0.0" for i in range(n)]
    lines += ["    for q in range(bins):", f"        w = k[1 + {len(table.forms)}*bins + q]"]
    lines += [f"        k{f} = k[1 + {f}*bins + q]" for f in used]
    lines += [f"        x{i} = z[{n} + {j}*bins + q]" for j, i in enumerate(molecule)]
    for i in range(n):
        lines.append(f"        d{i} = {slope(i)}")
        if i in molecule:
            lines.append(f"        dz[{n} + {molecule.index(i)}*bins + q] = d{i}")
        lines.append(f"        a{i} += w*d{i}")
    lines += [f"    dz[{i}] = a{i}" for i in range(n)]
    return [*lines, *_loader("over_bins")]


def _loader(name: str) -> list[str]:
    return ["", "", "@cache", f"def load_{name}():", f"    return kernel_compiled(RHS_SIGNATURE)(_{name})"]


def _signals(table: Table) -> list[str]:
    used = sorted({SIGNALS.index(g.signal) for e in table.equations for g in e if g.signal})
    return [f"    u{s} = u[{s}]" for s in used]
