"""Tables as compiled functions: straight-line code, derived once per structure and cached.

The numbers of a table go to a file in a folder of the user's cache, where numba can
keep the machine code beside them; later processes load both and derive nothing. The folder is
private to the user (mode 700) and named after a digest of this package's own derivation, so a
change there never meets old code. MASERBENCH_CACHE moves it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType

import numpy as np

from . import side_by_side
from .function_value import address_of
from .straight_line import Equations, Terms
from .system import SIGNALS
from .table import Group, Table
from .user_cache import user_cache

_DERIVATION = ("compiled.py", "function_value.py", "straight_line.py", "system.py", "readings.py", "table.py",
               "side_by_side.py", "kernels.py")


@dataclass(frozen=True, eq=False)
class Kernel:
    """A compiled structure; `rhs` and its kin are addresses of functions (`function_value`).

    `forms`: for each form of rates the products and factors that make it up.
    """

    variables: tuple[str, ...]
    forms: tuple[tuple[tuple[tuple[str, ...], float], ...], ...]
    blocks: np.ndarray
    rhs: int
    module: ModuleType

    @cached_property
    def abreast(self) -> int:
        """The right-hand side of several shots in one loop (`side_by_side`); mean field only."""
        return address_of(self.module.load_abreast())

    @cached_property
    def over_bins(self) -> int:
        """The right-hand side of bins of molecules that share the mode (`side_by_side`); mean field only."""
        return address_of(self.module.load_over_bins())

    @cached_property
    def with_derivatives(self) -> int:
        """The right-hand side of LANES derivatives behind the state; compiled (or loaded) at first use."""
        return address_of(self.module.load_with_derivatives())


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
    return Kernel(module.VARIABLES, module.FORMS, blocks, address_of(module.rhs), module)


def _derive(model: str, dephasing_operator: str, started: Iterable[str], active: Iterable[str]) -> Table:
    from .readings import READINGS
    from .system import pentacene_system
    from .table import real_equations, reduce

    return reduce(real_equations(READINGS[model](pentacene_system(dephasing_operator))), started, active)


@cache
def _folder() -> Path:
    here = Path(__file__).parent
    digest = hashlib.sha256(b"".join((here / f).read_bytes() for f in _DERIVATION)).hexdigest()[:12]
    folder = user_cache() / f"kernels-{digest}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="maserbench-"))
    return folder


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


_FILE = '''"""Written by twin.kernels; do not edit. Structure: {key}"""

from functools import cache

from twin import straight_line
from twin.compiled import kernel_compiled
from twin.function_value import RHS_SIGNATURE

VARIABLES = {variables!r}
FORMS = {forms!r}
BLOCKS = {blocks!r}
EQUATIONS = {equations!r}

_EQUATIONS = tuple(tuple(straight_line.Terms(*group) for group in groups) for groups in EQUATIONS)
_rhs = straight_line.rhs(_EQUATIONS, len(FORMS), False)
_with_derivatives = straight_line.rhs(_EQUATIONS, len(FORMS), True)


@kernel_compiled(RHS_SIGNATURE)
def rhs(z, k, u, dz):
    _rhs(z, k, u, dz)


@cache
def load_with_derivatives():
    @kernel_compiled(RHS_SIGNATURE)
    def with_derivatives(z, k, u, dz):
        _with_derivatives(z, k, u, dz)

    return with_derivatives
'''


def _source(table: Table, key: str) -> str:
    equations = _equations(table)
    plain = tuple(tuple(tuple(g) for g in row) for row in equations)
    text = _FILE.format(key=key, variables=table.variables, forms=table.forms, blocks=table.blocks,
                        equations=plain)
    return text + side_by_side.source(table)


def _equations(table: Table) -> Equations:
    """The table's equations with variables, forms and signals by number."""
    index = {v: i for i, v in enumerate(table.variables)}
    one = ((), 1.0)

    def numbered(g: Group) -> Terms:
        return Terms(SIGNALS.index(g.signal) if g.signal else -1,
                     -1 if table.forms[g.form] == (one,) else g.form,
                     tuple((weight, tuple(index[v] for v in product)) for weight, product in g.terms))

    return tuple(tuple(numbered(g) for g in groups) for groups in table.equations)
