"""Tables as compiled functions: straight-line source, written once per structure and cached.

The source of a table's right-hand side goes to a folder of the user's cache, where numba can
keep the machine code beside it; later processes load both and derive nothing. The folder is
private to the user (mode 700) and named after a digest of this package's own derivation, so a
change there never meets old code. MASERBENCH_CACHE moves it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterable, Sized
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path
from types import ModuleType

import numpy as np

from .function_value import LINEARISED_SIGNATURE, address_of
from .system import SIGNALS
from .table import Group, Table

_DERIVATION = ("compiled.py", "function_value.py", "system.py", "readings.py", "table.py", "kernels.py")


@dataclass(frozen=True, eq=False)
class Kernel:
    """A compiled structure; `rhs` and `linearised` are addresses of functions (`function_value`).

    `forms`: for each form of rates the products and factors that make it up; `pattern` as `lanes.PATTERN`.
    """

    variables: tuple[str, ...]
    forms: tuple[tuple[tuple[tuple[str, ...], float], ...], ...]
    blocks: np.ndarray
    pattern: tuple[np.ndarray, ...]
    rhs: int
    module: ModuleType

    @cached_property
    def linearised(self) -> int:
        """The right-hand side with what sensitivities need; compiled (or loaded) at first use."""
        return address_of(self.module.load_linearised(), LINEARISED_SIGNATURE)


@cache
def kernel(model: str, dephasing_operator: str, started: tuple[str, ...], active: tuple[str, ...]) -> Kernel:
    """The kernel of a reading whose `started` variables are not zero and whose `active` switches are on."""
    key = repr((model, dephasing_operator, sorted(started), sorted(active)))
    name = "kernel_" + hashlib.sha256(key.encode()).hexdigest()[:16]
    path = _folder() / f"{name}.py"
    if not path.exists():
        _write(path, _source(_derive(model, dephasing_operator, started, active), key))
    module = _load(name, path)
    blocks, *pattern = (np.array(row, np.int64) for row in (module.BLOCKS, *module.PATTERN))
    return Kernel(module.VARIABLES, module.FORMS, blocks, tuple(pattern), address_of(module.rhs), module)


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
from twin.function_value import LINEARISED_SIGNATURE, RHS_SIGNATURE

VARIABLES = {variables!r}
FORMS = {forms!r}
BLOCKS = {blocks!r}
PATTERN = {pattern!r}


@kernel_compiled(RHS_SIGNATURE)
'''


def _source(table: Table, key: str) -> str:
    writer = _Writer(table)
    head = _HEAD.format(key=key, variables=table.variables, forms=table.forms, blocks=table.blocks,
                        pattern=writer.pattern)
    return head + "\n".join(writer.plain() + writer.linearised()) + "\n"


class _Writer:
    """Writes the two functions of one table, and the pattern that `lanes` needs."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.index = {v: i for i, v in enumerate(table.variables)}
        self.jacobian = [self._row(groups) for groups in table.equations]

    @property
    def pattern(self) -> tuple[tuple[int, ...], ...]:
        """As `lanes.PATTERN`."""
        equations = self.table.equations
        return (_starts(self.jacobian), tuple(j for row in self.jacobian for j in row), _starts(equations),
                tuple(g.form for e in equations for g in e),
                tuple(SIGNALS.index(g.signal) if g.signal else -1 for e in equations for g in e))

    def plain(self) -> list[str]:
        lines = ["def rhs(z, k, u, dz):", *self._loads()]
        for i, groups in enumerate(self.table.equations):
            terms = [self._factor(g) + self._sum(g) for g in groups] or ["0.0"]
            lines.append(f"    dz[{i}] = " + " + ".join(terms))
        return [*lines, "", ""]

    def linearised(self) -> list[str]:
        """The same with each group's sum kept, then the entries of the Jacobian row by row."""
        lines = ["def _linearised(z, k, u, dz, sums, jacobian):", *self._loads()]
        at = 0
        for i, groups in enumerate(self.table.equations):
            names = [f"g{at + j}" for j in range(len(groups))]
            lines += [f"    {name} = {self._sum(g)}" for name, g in zip(names, groups, strict=True)]
            lines += [f"    sums[{at + j}] = {name}" for j, name in enumerate(names)]
            terms = [self._factor(g) + name for name, g in zip(names, groups, strict=True)] or ["0.0"]
            lines.append(f"    dz[{i}] = " + " + ".join(terms))
            at += len(groups)
        entries = (slope for row in self.jacobian for slope in row.values())
        lines += [f"    jacobian[{e}] = {slope}" for e, slope in enumerate(entries)]
        return [*lines, "", "", "@cache", "def load_linearised():",
                "    return kernel_compiled(LINEARISED_SIGNATURE)(_linearised)"]

    def _row(self, groups: tuple[Group, ...]) -> dict[int, str]:
        """Column -> d(equation)/d(variable) as text, for the variables that the equation knows."""
        found: dict[int, list[str]] = {}
        for g in groups:
            slopes: dict[int, list[str]] = {}
            for weight, names in g.terms:
                for a, v in enumerate(names):
                    others = [f"x{self.index[w]}" for b, w in enumerate(names) if b != a]
                    slopes.setdefault(self.index[v], []).append(self._product(weight, others))
            for column, parts in slopes.items():
                found.setdefault(column, []).append(f"{self._factor(g)}({' + '.join(parts)})")
        return {column: " + ".join(parts) for column, parts in sorted(found.items())}

    def _loads(self) -> list[str]:
        used = sorted({g.form for e in self.table.equations for g in e if self._named(g)})
        signals = sorted({SIGNALS.index(g.signal) for e in self.table.equations for g in e if g.signal})
        return ([f"    x{i} = z[{i}]" for i in range(len(self.index))] + [f"    k{j} = k[{j}]" for j in used]
                + [f"    u{s} = u[{s}]" for s in signals])

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


def _starts(rows: Iterable[Sized]) -> tuple[int, ...]:
    """Where each of consecutive rows begins, and the end."""
    return (0, *accumulate(len(row) for row in rows))
