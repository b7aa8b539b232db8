"""A bench file as frozen records: which instruments, which receive chain, which crystal is expected.

Text in, records out; opening files is for callers. Whatever is wrong is told with file, line,
table, what was found, what was expected.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from . import bench_tables
from .bench_keys import describe_keys
from .bench_reader import BenchReader
from .bench_roles import RoleDescription, with_port
from .bench_tables import LIMITS, Expected
from .bench_text import BenchFileError, dump, without_truth
from .bench_truth import Truth
from .drive import Drive
from .optical_pump import OpticalPump, pump_drive
from .photodiode import Photodiode
from .receiver import Receiver

__all__ = ["BenchDescription", "BenchFileError", "Expected", "RoleDescription", "Truth",
           "describe_keys", "parse", "without_truth"]


@dataclass(frozen=True)
class BenchDescription:
    """Everything a bench file says. `truth` (None on a real bench) is for the software instruments alone.

    `visa` is the VISA library that opens the resources, as PyVISA names it.
    `reference`: "shared" where sources and digitiser are locked to one 10 MHz, so that a carrier's phase is
    the same in every shot; else "free". `fsync`: a shot counts as stored once it would survive a power cut.
    """

    name: str
    text: str
    virtual: bool
    time_scale: float
    roles: Mapping[str, RoleDescription]
    receivers: Mapping[str, Receiver]
    photodiode: Photodiode
    pump: OpticalPump
    expected: Expected
    limits: Mapping[str, tuple[float, float]]
    console: str | None
    truth: Truth | None
    visa: str = "@py"
    reference: str = "free"
    fsync: bool = False

    def drive(self, energy: float, start: float = 0.0) -> Drive:
        """The drive of a pulse of `energy` [J] in the expected crystal, first light at `start` [s]."""
        return pump_drive(self.expected.parameters, self.pump, energy, start)

    def limit(self, name: str, value: float) -> float:
        """`value`, or ValueError when it is outside the bench's limits for `name`."""
        low, high = self.limits.get(name, (-math.inf, math.inf))
        if not low <= value <= high:
            unit = LIMITS[name].unit
            raise ValueError(f"{name} = {value:g} {unit} is outside this bench's limits "
                             f"{low:g} .. {high:g} {unit} ({self.name}, [limits])")
        return value

    def with_ports(self, ports: Mapping[str, int], console: str | None) -> str:
        """TOML of this bench as it is served: real ports, the console's address, no [truth]."""
        tables = {key: table for key, table in tomllib.loads(self.text).items() if key != "truth"}
        for role, port in ports.items():
            tables[role]["resource"] = with_port(tables[role]["resource"], port)
        if console is not None:
            tables["mocks"] = {**tables.get("mocks", {}), "console": console}
        return dump(tables)

    def with_gate(self, where: str) -> BenchDescription:
        """The same bench with its output GH wired elsewhere: to the "microwave", or to the "cavity"."""
        tables = tomllib.loads(self.text)
        tables["timing"]["gate"] = where
        return parse(dump(tables), self.name)


def parse(text: str, name: str) -> BenchDescription:
    """The bench that `text` describes; `name` stands in messages. BenchFileError when anything is wrong."""
    reader = BenchReader(text, name)
    reader.known((), reader.tables, bench_tables.TOP)
    virtual = reader.flag(("virtual",))
    roles = bench_tables.read_roles(reader, virtual)
    pump = bench_tables.read_pump(reader)
    receivers = bench_tables.read_receivers(reader, roles["digitiser"])
    expected = bench_tables.read_expected(reader)
    return BenchDescription(
        name=name, text=text, virtual=virtual, roles=roles, receivers=receivers, pump=pump, expected=expected,
        time_scale=bench_tables.read_time_scale(reader, roles),
        photodiode=bench_tables.read_photodiode(reader, pump),
        limits=bench_tables.read_limits(reader),
        console=bench_tables.read_console(reader, virtual),
        reference=bench_tables.read_reference(reader),
        truth=bench_tables.read_truth(reader, virtual, pump, receivers, expected.parameters),
        visa=bench_tables.read_visa(reader), fsync=reader.flag(("fsync",)))
