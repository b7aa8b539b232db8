"""A bench on its way: its file read, its software instruments starting while other things are loaded.

Knows no instrument and loads little, so that a command can begin with it: the instruments of a virtual bench
need a second to start, in which the rest of the program is loaded. Reads one bench file; ends what it
started unless a bench takes it over.
"""

from __future__ import annotations

import socket
from importlib import resources
from pathlib import Path

from twin.bench_description import BenchDescription, parse

from ..storage.places import for_file
from .software_instruments import SoftwareInstruments
from .warm import compiled

_PROBE_TIME = 0.5  # [s] allowed to a software instrument's port on this machine


def bench_file(name: str | Path) -> Path:
    """The path behind `--bench`: "virtual" is the file that comes with the package. FileNotFoundError."""
    if str(name) == "virtual":
        return Path(str(resources.files("procedures") / "benches" / "virtual.toml"))
    path = Path(name)
    if not path.is_file():
        raise FileNotFoundError(f"there is no bench file {path}; --bench takes 'virtual' or a TOML file")
    return path


def describe_bench(name: str | Path) -> BenchDescription:
    """The bench file, read and checked; BenchFileError (a ValueError) names role and line."""
    path = bench_file(name)
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as broken:
        raise ValueError(f"bench file {path} is not UTF-8 text: {broken}") from None
    return parse(text, str(path))


class Opening:
    """What `open_bench` goes on from; use it in a `with`, which ends what no bench has taken over.

    Software instruments that do not answer yet are started at once, unless the twin has to be compiled
    first, which two processes should not do at the same time.
    """

    def __init__(self, name: str | Path, truth_log: str | Path | None = None) -> None:
        self.description = describe_bench(name)
        self._file, self._truth_log = bench_file(name), Path(truth_log) if truth_log else None
        if truth_log is not None:
            for_file(Path(truth_log), "--truth-log")
        self._wanted = self.description.virtual and not _answers(self.description)
        if truth_log is not None and not self._wanted:
            raise ValueError("--truth-log goes to the process that plays the instruments; they are running "
                             "already, so give it to 'maserbench mocks'")
        self._process = self._start() if self._wanted and compiled() else None

    def _start(self) -> SoftwareInstruments:
        return SoftwareInstruments(self._file, self._truth_log)

    def hand_over(self) -> tuple[BenchDescription, SoftwareInstruments | None]:
        """The bench as it can be connected to, and the process behind it, which is the caller's now."""
        if not self._wanted:
            return self.description, None
        process, self._process = self._process or self._start(), None
        try:
            return describe_bench(process.ready), process
        except BaseException:
            process.close()
            raise

    def close(self) -> None:
        """End what was started and not handed over."""
        process, self._process = self._process, None
        if process is not None:
            process.abandon()

    def __enter__(self) -> Opening:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _answers(description: BenchDescription) -> bool:
    """Whether any software instrument of the file is already being served."""
    addresses = [role.address for role in description.roles.values() if role.software and role.address]
    return any(_listening(host, port) for host, port in addresses if port)


def _listening(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), _PROBE_TIME):
            return True
    except OSError:
        return False
