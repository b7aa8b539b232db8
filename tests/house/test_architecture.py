"""Who may know what (docs/house.md), held by import contracts and by looking at the source."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.application.use_cases import create_report, read_user_options
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("twin", "instruments", "mock_devices", "procedures", "gui")
ALLOWED = {  # of others, beside the standard library
    "twin": {"numpy", "scipy", "numba", "llvmlite", "xarray", "qutip"},
    "instruments": {"numpy", "pymeasure", "pyvisa"},
    "mock_devices": {"numpy"},
    "procedures": {"numpy", "pymeasure", "h5py", "xarray", "tomlkit", "rich", "matplotlib"},
    "gui": {"numpy", "PySide6", "pyqtgraph", "pymeasure", "superqt", "qtawesome"},
}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc"}
LINES = 300
LONGER: dict[str, str] = {  # file: why it is better in one piece
    "maserbench.py": "every command with its options and the way to its body, as one table",
    "tests/instruments/test_guarded_session.py":
        "all the ways in which a peer misbehaves, against one set of small scripted servers",
    "tests/instruments/test_driver_protocols.py": "one table per driver of every message on the wire",
    "tests/instruments/test_drivers_on_software_instruments.py":
        "every driver meets its counterpart on one served bench, which takes seconds to start",
}
"""Files that may be longer than LINES, each with its reason."""


def sources(*folders: str) -> list[Path]:
    return [p for folder in folders for p in sorted((ROOT / folder).rglob("*.py"))]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> set[str]:
    """Top-level names of what a file imports, relative imports aside."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).split(".")[0])
    return found


def test_import_contracts_hold(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_import_contracts_see_a_wrong_arrow(tmp_path: Path) -> None:
    package = tmp_path / "twin_with_a_wrong_arrow"
    package.mkdir()
    (package / "__init__.py").write_text("import socket\n")
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.importlinter]\nroot_packages = ["{package.name}"]\ninclude_external_packages = true\n'
        f'[[tool.importlinter.contracts]]\nname = "no socket"\ntype = "forbidden"\n'
        f'source_modules = ["{package.name}"]\nforbidden_modules = ["socket"]\n'
        f'allow_indirect_imports = true\n')
    sys.path.insert(0, str(tmp_path))
    try:
        report = create_report(read_user_options(str(tmp_path / "pyproject.toml")), cache_dir=None)
    finally:
        sys.path.remove(str(tmp_path))
    assert report.contains_failures


def test_no_package_imports_the_command_line() -> None:
    for path in sources(*PACKAGES):
        assert "maserbench" not in imported(path), f"{path} imports maserbench.py, which stands above it"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_the_house_allows(package: str) -> None:
    standard = set(sys.stdlib_module_names) | set(PACKAGES)
    for path in sources(package):
        strangers = imported(path) - standard - ALLOWED[package]
        assert not strangers, f"{path}: imports {sorted(strangers)}; {package} may import {ALLOWED[package]}"


def loaded_after(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after `statement`."""
    code = f"{statement}\nimport sys, json; print(json.dumps([m.split('.')[0] for m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(("statement", "never"), [
    ("import twin", {"qutip", "pandas", "PySide6", "pyvisa", "pymeasure", "h5py", "matplotlib", "scipy"}),
    ("from twin import simulate; import twin.fit, twin.bench_description",
     {"qutip", "pandas", "PySide6", "pyvisa", "pymeasure", "h5py", "matplotlib"}),
    ("import instruments", {"scipy", "qutip", "PySide6", "twin", "numba"}),
    ("import instruments.keysight_infiniium, instruments.guarded_session",
     {"scipy", "qutip", "PySide6", "pyqtgraph", "twin", "numba"}),
    ("import mock_devices.serve", {"pymeasure", "pyvisa", "PySide6", "qutip", "instruments", "procedures"}),
    ("import maserbench", {"twin", "instruments", "procedures", "gui", "mock_devices", "PySide6", "numba"}),
    ("import procedures.machinery.commands.demo", {"PySide6", "pyqtgraph", "qutip", "mock_devices", "gui"}),
])
def test_a_fresh_interpreter_loads_no_more_than_it_needs(statement: str, never: set[str]) -> None:
    assert loaded_after(statement).isdisjoint(never)


def test_files_are_short() -> None:
    for path in sources(*PACKAGES, "tests"):
        name = path.relative_to(ROOT).as_posix()
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= LINES or name in LONGER, f"{name} has {lines} lines; split it, or say why in LONGER"


def test_every_longer_file_is_still_longer() -> None:
    for name, reason in LONGER.items():
        lines = len((ROOT / name).read_text(encoding="utf-8").splitlines())
        assert lines > LINES, f"{name} has {lines} lines; take it off LONGER"
        assert len(reason.split()) >= 4


def test_files_are_named_after_what_they_are() -> None:
    for path in sources(*PACKAGES, "tests"):
        for part in path.relative_to(ROOT).with_suffix("").parts:
            assert FORBIDDEN_NAMES.isdisjoint(part.split("_")), f"{path}: a name from the lab says more"


SOCKETS = {  # package: files that open connections
    "twin": [],
    "instruments": ["mended_socket.py"],
    "mock_devices": ["tcp_server.py"],
    "procedures": ["opening.py", "software_instruments.py", "demo.py", "status.py", "stream.py"],
    "gui": [],
}
LISTENING = ["tcp_server.py", "stream.py"]
"""Files that others may connect to: software instruments, and the status of a run, which is told only."""


def names_used(path: Path) -> set[str]:
    return {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("package", PACKAGES)
def test_sockets_are_opened_in_the_files_that_are_listed(package: str) -> None:
    opening = {"socket", "socketpair", "start_server", "open_connection", "create_server", "sock_connect",
               "create_connection"}
    found = [p.name for p in sources(package) if opening & names_used(p)]
    assert found == SOCKETS[package]


def test_only_two_files_listen_and_both_on_loopback() -> None:
    listening = {"create_server", "start_server", "start_unix_server", "SOCK_DGRAM"}
    servers = {"socketserver", "http", "xmlrpc", "multiprocessing"}
    found = [p for p in sources(*PACKAGES) if listening & names_used(p) or servers & imported(p)]
    assert [p.name for p in found] == LISTENING
    for path in found:
        assert 'LOOPBACK = "127.0.0.1"' in path.read_text(encoding="utf-8")


def test_the_status_of_a_run_is_told_and_never_asked() -> None:
    (path,) = [p for p in sources("procedures") if p.name == "stream.py"]
    reads = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)
             and node.attr in ("recv", "recv_into", "recvfrom", "recvmsg", "makefile", "read")]
    assert [ast.unparse(node) for node in reads] == ["self._ear.recv"]  # its own bell


def test_nothing_runs_code_out_of_a_file() -> None:
    modules = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "runpy"}
    for path in sources(*PACKAGES):
        assert imported(path).isdisjoint(modules), f"{path} can load code with its data"
        for node in ast.walk(tree(path)):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            assert name not in ("eval", "exec"), f"{path}:{node.lineno} runs text as code"
            if isinstance(node, ast.keyword):
                assert node.arg not in ("allow_pickle", "shell"), f"{path}:{node.value.lineno} {node.arg}"


def test_tests_are_not_a_package() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_every_package_says_what_it_is_for() -> None:
    for path in sources(*PACKAGES):
        if path.read_text(encoding="utf-8").strip():
            assert ast.get_docstring(tree(path)), f"{path} has no docstring that says what it is for"
