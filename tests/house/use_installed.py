"""Run by a fresh interpreter from an empty folder: imports every module of the five installed packages,
and opens the virtual bench's file. Exits with 1 and says which, if one is missing from the wheel.
"""

import importlib
import importlib.resources
import pkgutil
import sys
from pathlib import Path

# Run as a script, the interpreter would look beside this file first; an installed package must not need it.
sys.path[:] = [p for p in sys.path if p and Path(p).resolve() != Path(__file__).resolve().parent]


def modules(package: str) -> list[str]:
    """A package and all that is in it, without `__main__` files, which would start something."""
    found = pkgutil.walk_packages(importlib.import_module(package).__path__, package + ".")
    return [package, *(m.name for m in found if not m.name.endswith("__main__"))]


def main() -> None:
    names = ["maserbench", *(m for p in ("twin", "instruments", "mock_devices", "procedures", "gui")
                             for m in modules(p))]
    for name in names:
        module = importlib.import_module(name)
        place = Path(str(module.__file__)).resolve()
        if Path(sys.prefix).resolve() not in place.parents:
            sys.exit(f"{name} was loaded from {place}, which is not the environment {sys.prefix}")
    bench = importlib.resources.files("procedures") / "benches" / "virtual.toml"
    if "[pump]" not in bench.read_text(encoding="utf-8"):
        sys.exit(f"{bench} is not the virtual bench's file")
    print(f"imported {len(names)} modules from {sys.prefix}; read {bench.name}")


main()
