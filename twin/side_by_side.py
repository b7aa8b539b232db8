"""Source of right-hand sides for many equal systems in one loop, which the compiler turns into vectors.

`abreast`: SHOTS independent shots. Component i of shot q stands at z[SHOTS * i + q]; all share forms and
signals.

`over_bins`: bins of molecules that share one mode. z[:n] is the mode and the mean molecule; behind it
component j of bin q's molecule stands at z[n + bins * j + q]. k[0] is the number of bins; forms come bin by
bin, k[1 + bins * f + q], then the bins' weights. The mode's slope is the weighted mean of what each bin alone
would give it, so that no equation is written twice, and one bin is the ordinary reading.
"""

from __future__ import annotations

from .system import SIGNALS
from .table import Group, Table

SHOTS = 8
"""Shots in one loop: a vector register of doubles where registers are widest."""


def is_mean_field(table: Table) -> bool:
    """True where all variables are the mode's amplitude and single molecules' means."""
    return all(v[0] in "xs" for v in table.variables)


def is_shared(variable: str) -> bool:
    """True for the mode's variables, which bins of molecules have in common."""
    return variable.startswith("x")


def source(table: Table) -> str:
    """Functions `load_abreast` and `load_over_bins` of a mean field's table; "" for any other."""
    if not is_mean_field(table):
        return ""
    return "\n".join(("", "", *_abreast(table), "", "", *_over_bins(table), ""))


def _abreast(table: Table) -> list[str]:
    lines = ["def _abreast(z, k, u, dz):", *_signals(table), *(f"    k{f} = k[{f}]" for f in _forms(table)),
             f"    for q in range({SHOTS}):"]
    lines += [f"        x{i} = z[{SHOTS * i} + q]" for i in range(len(table.variables))]
    lines += [f"        dz[{SHOTS * i} + q] = {slope}" for i, slope in enumerate(_slopes(table))]
    return [*lines, *_loader("abreast")]


def _over_bins(table: Table) -> list[str]:
    n = len(table.variables)
    molecule = [i for i, v in enumerate(table.variables) if not is_shared(v)]
    lines = ["def _over_bins(z, k, u, dz):", *_signals(table), "    bins = int(k[0])"]
    lines += [f"    x{i} = z[{i}]" for i in range(n) if i not in molecule]
    lines += [f"    a{i} = 0.0" for i in range(n)]
    lines += ["    for q in range(bins):", f"        w = k[1 + {len(table.forms)}*bins + q]"]
    lines += [f"        k{f} = k[1 + {f}*bins + q]" for f in _forms(table)]
    lines += [f"        x{i} = z[{n} + {j}*bins + q]" for j, i in enumerate(molecule)]
    for i, slope in enumerate(_slopes(table)):
        lines.append(f"        d{i} = {slope}")
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


def _forms(table: Table) -> list[int]:
    return sorted({g.form for e in table.equations for g in e})


def _slopes(table: Table) -> list[str]:
    """The equations as text."""
    index = {v: i for i, v in enumerate(table.variables)}
    return [" + ".join(_group(g, index) for g in groups) or "0.0" for groups in table.equations]


def _group(g: Group, index: dict[str, int]) -> str:
    products = ["*".join([f"({weight!r})", *(f"x{index[v]}" for v in names)]) for weight, names in g.terms]
    signal = f"u{SIGNALS.index(g.signal)}*" if g.signal else ""
    return f"{signal}k{g.form}*({' + '.join(products)})"
