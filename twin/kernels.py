"""Tables as compiled functions: straight-line source, written once per structure and cached.

The source of a table's right-hand side goes to a folder of the user's cache, where numba can
keep the machine code beside it; later processes load both and derive nothing. The folder is
private to the user (mode 700) and named after a digest of this package's own derivation, so a
change there never meets old code. MASERBENCH_CACHE moves it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from .integrate import LANES, FunctionValue
from .system import SIGNALS
from .table import Group, Table

_DERIVATION = ("compiled.py", "system.py", "readings.py", "table.py", "kernels.py")


@dataclass(frozen=True, eq=False)
class Kernel:
    """A compiled structure. `weights`: for each form the rates' products and factors that make it up."""

    variables: tuple[str, ...]
    forms: tuple[tuple[tuple[tuple[str, ...], float], ...], ...]
    blocks: np.ndarray
    rhs: Any
    module: ModuleType

    @property
    def rhs_with_sensitivities(self) -> Any:
        """The same with LANES derivatives behind the state; compiled (or loaded) at first use."""
        return _value(self.module.load_sensitivities())

    def form_values(self, rates: dict[str, complex]) -> np.ndarray:
        """(forms,) values, complex if the rates are."""
        return np.array([sum(f * math.prod(rates[r] for r in names) for names, f in form)
                         for form in self.forms])


@cache
def kernel(model: str, dephasing_operator: str, started: tuple[str, ...], active: tuple[str, ...]) -> Kernel:
    """The kernel of a reading whose `started` variables are not zero and whose `active` switches are on."""
    key = repr((model, dephasing_operator, sorted(started), sorted(active)))
    name = "kernel_" + hashlib.sha256(key.encode()).hexdigest()[:16]
    path = _folder() / f"{name}.py"
    if not path.exists():
        _write(path, _source(_derive(model, dephasing_operator, started, active), key))
    module = _load(name, path)
    blocks = np.array(module.BLOCKS, np.int64)
    return Kernel(module.VARIABLES, module.FORMS, blocks, _value(module.rhs), module)


@cache
def _value(function: Any) -> FunctionValue:
    return FunctionValue(function)


def _derive(model: str, dephasing_operator: str, started: Iterable[str], active: Iterable[str]) -> Table:
    from .readings import READINGS
    from .system import pentacene_system
    from .table import real_equations, reduce

    return reduce(real_equations(READINGS[model](pentacene_system(dephasing_operator))), started, active)


@cache
def _folder() -> Path:
    here = Path(__file__).parent
    digest = hashlib.sha256(b"".join((here / f).read_bytes() for f in _DERIVATION)).hexdigest()[:12]
    root = os.environ.get("MASERBENCH_CACHE")
    folder = (Path(root) if root else _user_cache()) / f"kernels-{digest}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="maserbench-"))
    return folder


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local"))) / "maserbench"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "maserbench"
    return Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "maserbench"


def _write(path: Path, source: str) -> None:
    # Whole or not at all: several processes may meet a new structure at once.
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(source)
    os.replace(draft, path)


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # numba's cache looks the module up by its name
    spec.loader.exec_module(module)
    return module


_HEAD = '''"""Written by twin.kernels; do not edit. Structure: {key}"""

from functools import cache

from twin.compiled import kernel_compiled

VARIABLES = {variables!r}
FORMS = {forms!r}
BLOCKS = {blocks!r}

_compile = kernel_compiled("void(f8[::1], f8[::1], f8[::1], f8[::1])")

'''


def _source(table: Table, key: str) -> str:
    writer = _Writer(table)
    return (_HEAD.format(key=key, variables=table.variables, forms=table.forms, blocks=table.blocks)
            + "\n".join(writer.plain() + writer.with_sensitivities()) + "\n")


class _Writer:
    """Writes the two functions of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.index = {v: i for i, v in enumerate(table.variables)}
        self.n, self.m = len(table.variables), len(table.forms)

    def plain(self) -> list[str]:
        lines = ["@_compile", "def rhs(z, k, u, dz):"]
        lines += self._loads("    ")
        for i, groups in enumerate(self.table.equations):
            terms = [self._factor(g) + self._sum(g) for g in groups] or ["0.0"]
            lines.append(f"    dz[{i}] = " + " + ".join(terms))
        return [*lines, "", ""]

    def with_sensitivities(self) -> list[str]:
        """State as above, then for each lane the product rule: d(factor) * sum + factor * d(sum)."""
        lines = ["def rhs_with_sensitivities(z, k, u, dz):"]
        lines += self._loads("    ")
        for i, groups in enumerate(self.table.equations):
            names = []
            for j, g in enumerate(groups):
                lines.append(f"    g{i}_{j} = {self._sum(g)}")
                names.append(f"{self._factor(g)}g{i}_{j}")
            lines.append(f"    dz[{i}] = " + (" + ".join(names) or "0.0"))
        lines.append(f"    for q in range({LANES}):")
        lines += [f"        y{i} = z[{self.n + LANES * i} + q]" for i in range(self.n)]
        for i, groups in enumerate(self.table.equations):
            terms = [t for j, g in enumerate(groups) for t in self._lane_terms(i, j, g)]
            lines.append(f"        dz[{self.n + LANES * i} + q] = " + (" + ".join(terms) or "0.0"))
        return [*lines, "", "", "@cache", "def load_sensitivities():",
                "    return _compile(rhs_with_sensitivities)"]

    def _loads(self, indent: str) -> list[str]:
        used = sorted({g.form for e in self.table.equations for g in e if self._named(g)})
        signals = sorted({SIGNALS.index(g.signal) for e in self.table.equations for g in e if g.signal})
        return ([f"{indent}x{i} = z[{i}]" for i in range(self.n)] + [f"{indent}k{j} = k[{j}]" for j in used]
                + [f"{indent}u{s} = u[{s}]" for s in signals])

    def _named(self, g: Group) -> bool:
        """False where the form is the number 1 (a signal stands alone)."""
        return self.table.forms[g.form] != (((), 1.0),)

    def _factor(self, g: Group) -> str:
        parts = [f"u{SIGNALS.index(g.signal)}"] if g.signal else []
        parts += [f"k{g.form}"] if self._named(g) else []
        return "*".join(parts) + "*" if parts else ""

    def _sum(self, g: Group) -> str:
        return "(" + " + ".join(self._product(w, [f"x{self.index[v]}" for v in p]) for w, p in g.terms) + ")"

    @staticmethod
    def _product(weight: float, names: list[str]) -> str:
        if weight == 1.0 and names:
            return "*".join(names)
        return "*".join([f"({weight!r})", *names])

    def _lane_terms(self, i: int, j: int, g: Group) -> list[str]:
        terms = []
        signal = SIGNALS.index(g.signal) if g.signal else -1
        dk, du = f"k[{self.m + LANES * g.form} + q]", f"u[{3 + LANES * signal} + q]"
        if g.signal:
            terms.append((f"k{g.form}*" if self._named(g) else "") + f"{du}*g{i}_{j}")
        if self._named(g):
            terms.append((f"u{signal}*" if g.signal else "") + f"{dk}*g{i}_{j}")
        slopes = [self._product(w, [f"y{self.index[v]}" if b == a else f"x{self.index[v]}"
                                    for b, v in enumerate(p)])
                  for w, p in g.terms for a in range(len(p))]
        if slopes:
            terms.append(f"{self._factor(g)}({' + '.join(slopes)})")
        return terms
