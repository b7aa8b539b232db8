"""A bench file as frozen records: which instruments, which receive chain, which crystal is expected.

Text in, records out; opening files is for callers. Whatever is wrong is told with file, line,
table, what was found, what was expected.
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import bench_roles, pentacene
from .bench_roles import OPTIONS, REQUIRED, ROLES, RoleDescription
from .bench_text import BenchFileError, dump, lines_of, load, without_truth
from .bench_truth import RICHNESS, CavityTruth, Truth
from .drive import Drive
from .optical_pump import OpticalPump, pump_drive
from .photodiode import Photodiode
from .quantity import Quantity, check, nearest, read
from .receiver import Receiver

__all__ = ["BenchDescription", "BenchFileError", "Expected", "RoleDescription", "Truth", "describe_keys", "parse",
           "without_truth"]

LIMITS = {
    "pump_energy": Quantity("J", 0.0, 1e3, "pulse energy"),
    "repetition_rate": Quantity("Hz", 0.0, 1e6, "shots per second"),
    "rf_power": Quantity("W", 0.0, 1e6, "power of any microwave source"),
    "detector_power": Quantity("W", 0.0, 1e6, "power at a detector's input"),
    "crystal_dose": Quantity("J/m2", 0.0, 1e12, "fluence of one pulse in the crystal"),
}
FIT_NAMES = {"collective_coupling": "rad/s", "seed_photons": "", "amplitude_scale": "", "detuning": "rad/s",
             "start": "s", "baseline": "V", "pump_rate": "1/s", "triplets": "", "pump_energy": "J"}
_UNITS = {**{n: q.unit for n, q in Receiver.quantities().items()},
          **{n: q.unit for n, q in pentacene.Parameters.quantities().items()}, **FIT_NAMES}
_TOP = ("virtual", "time_scale", "title", *ROLES, "receiver", "photodiode", "expected", "limits", "mocks", "truth")
_TIME_SCALE = Quantity("", 1e-3, 1e6, "physical seconds per second of a virtual bench")


@dataclass(frozen=True)
class Expected:
    """What the fit starts from: parameters, priors (mean, sigma) and relative errors of the model."""

    parameters: pentacene.Parameters
    name: str = ""
    prior: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    model_error: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class BenchDescription:
    """Everything a bench file says. `truth` is for the software instruments alone."""

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

    def drive(self, energy: float, start: float = 0.0) -> Drive:
        """The drive of a pulse of `energy` [J] in the expected crystal, first light at `start` [s]."""
        return pump_drive(self.expected.parameters, self.pump, energy, start)

    def limit(self, name: str, value: float) -> float:
        """`value`, or ValueError when it is outside the bench's limits for `name`."""
        low, high = self.limits.get(name, (-math.inf, math.inf))
        if not low <= value <= high:
            unit = LIMITS[name].unit
            raise ValueError(f"{name} = {value:g} {unit} is outside this bench's limits {low:g} .. {high:g} {unit} "
                             f"({self.name}, [limits])")
        return value

    def with_ports(self, ports: Mapping[str, int], console: str | None) -> str:
        """TOML of this bench as it is served: real ports, the console's address, no [truth]."""
        tables = {key: table for key, table in tomllib.loads(self.text).items() if key != "truth"}
        for role, port in ports.items():
            tables[role]["resource"] = bench_roles.with_port(tables[role]["resource"], port)
        if console is not None:
            tables["mocks"] = {**tables.get("mocks", {}), "console": console}
        return dump(tables)


def parse(text: str, name: str) -> BenchDescription:
    """The bench that `text` describes; `name` stands in messages. BenchFileError when anything is wrong."""
    return _Reader(text, name).bench()


class _Reader:
    """One bench file while it is read: its tables, and where each key stands."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        self.tables = load(text, name)
        self.lines = lines_of(text)

    def bench(self) -> BenchDescription:
        self.known((), self.tables, _TOP)
        virtual = self.flag("virtual")
        roles = self.roles(virtual)
        pump = self.fill(OpticalPump(), ("pump",), skip=_role_keys("pump"))
        receivers = self.receivers(roles)
        photodiode = self.fill(Photodiode(fwhm=pump.fwhm), ("photodiode",))
        return BenchDescription(self.name, self.text, virtual, self.time_scale(roles), roles, receivers, photodiode,
                                pump, self.expected(), self.limits(), self.console(virtual),
                                self.truth(virtual, pump, receivers))

    # Tables in general.

    def table(self, path: tuple[str, ...]) -> dict[str, Any]:
        found: Any = self.tables
        for key in path:
            found = found.get(key, {})
            if not isinstance(found, dict):
                raise self.wrong(f"expected a table [{'.'.join(path)}], found {found!r}", path)
        return found

    def wrong(self, message: str, path: tuple[str, ...]) -> BenchFileError:
        line = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 0)
        inside = path if isinstance(self._at(path), dict) or len(path) < 2 else path[:-1]
        return BenchFileError(message, self.name, ".".join(inside), line)

    def _at(self, path: tuple[str, ...]) -> Any:
        found: Any = self.tables
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def known(self, path: tuple[str, ...], table: Iterable[str], names: Iterable[str]) -> None:
        for key in table:
            if key not in names:
                raise self.wrong(nearest(key, names), (*path, key))

    def number(self, path: tuple[str, ...], value: Any, q: Quantity) -> float:
        try:
            if not isinstance(value, (str, int, float)):
                raise ValueError(f"{path[-1]}: expected a number [{q.unit or 'no unit'}], found {value!r}")
            return check(path[-1], read(value, q.unit, path[-1]), q)
        except ValueError as error:
            raise self.wrong(str(error), path) from None

    def fill(self, record: Any, path: tuple[str, ...], skip: Iterable[str] = ()) -> Any:
        """`record` with the values of a table, checked one by one and then together."""
        table = {key: value for key, value in self.table(path).items() if key not in skip}
        quantities = record.quantities()
        self.known(path, table, [f.name for f in dataclasses.fields(record)] + list(quantities) + list(skip))
        for key, value in table.items():
            try:
                record.replace(**{key: _value(key, value, quantities)})
            except (ValueError, TypeError) as error:
                # Two values may only be right together (floor and ceiling): judged below.
                if key in quantities and str(error).startswith(key) or key not in quantities:
                    raise self.wrong(str(error), (*path, key)) from None
        try:
            return record.replace(**{key: _value(key, value, quantities) for key, value in table.items()})
        except ValueError as error:
            raise self.wrong(str(error), path) from None

    def flag(self, key: str) -> bool:
        value = self.tables.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(f"{key}: expected true or false, found {value!r}", (key,))
        return value

    # The tables one by one.

    def roles(self, virtual: bool) -> dict[str, RoleDescription]:
        missing = [role for role in REQUIRED if role not in self.tables]
        if missing:
            raise BenchFileError(f"the role {missing[0]!r} is missing; a bench needs a table with driver and resource "
                                 f"for each of: {', '.join(REQUIRED)}", self.name, missing[0])
        return {role: self.role(role, virtual) for role in ROLES if role in self.tables}

    def role(self, role: str, virtual: bool) -> RoleDescription:
        table = self.table((role,))
        for key in ("driver", "resource"):
            if not isinstance(table.get(key), str) or not table[key].strip():
                raise self.wrong(f"{key} is missing; expected text, found {table.get(key)!r}", (role, key))
        real = table.get("real", False)
        if not isinstance(real, bool):
            raise self.wrong(f"real: expected true or false, found {real!r}", (role, "real"))
        try:
            bench_roles.check_driver(table["driver"])
        except ValueError as error:
            raise self.wrong(str(error), (role, "driver")) from None
        try:
            address = bench_roles.socket_address(table["resource"])
        except ValueError as error:
            raise self.wrong(str(error), (role, "resource")) from None
        software = virtual and not real and address is not None and address[0] in bench_roles.LOOPBACK
        if address is not None and address[1] == 0 and not software:
            raise self.wrong("port 0 means 'chosen by the server' and is for software instruments of a virtual bench; "
                             f"give the instrument's port in {table['resource']!r}", (role, "resource"))
        pump_keys = [f.name for f in dataclasses.fields(OpticalPump)] if role == "pump" else []
        options = self.fill(OPTIONS[role](), (role,), skip=["driver", "resource", "real", *pump_keys])
        return RoleDescription(role, table["driver"], table["resource"], self.options(role, options),
                               self.lines.get((role,), 0), software)

    def options(self, role: str, options: Any) -> dict[str, Any]:
        values = {f.name: getattr(options, f.name) for f in dataclasses.fields(options)}
        for key in ("points", "bits"):
            if key in values:
                if values[key] != int(values[key]):
                    raise self.wrong(f"{key} = {values[key]:g} must be a whole number", (role, key))
                values[key] = int(values[key])
        channels = values.get("channels")
        if channels is not None:
            path = (role, "channels")
            if not isinstance(channels, dict) or "burst" not in channels:
                raise self.wrong(f"channels: expected a table with 'burst', found {channels!r}", path)
            self.known(path, channels, bench_roles.CHANNELS)
            inputs = list(channels.values())
            if not all(isinstance(n, int) and n >= 1 for n in inputs) or len(set(inputs)) < len(inputs):
                raise self.wrong(f"channels: expected distinct input numbers from 1, found {channels!r}", path)
        return values

    def time_scale(self, roles: Mapping[str, RoleDescription]) -> float:
        scale = self.number(("time_scale",), self.tables.get("time_scale", 1.0), _TIME_SCALE)
        real = [role for role, r in roles.items() if not r.software]
        if "time_scale" in self.tables and scale != 1.0 and real:
            raise self.wrong(f"time_scale = {scale:g}, but {', '.join(real)} "
                             f"{'is a real instrument' if len(real) == 1 else 'are real instruments'}: "
                             "real time cannot be scaled", ("time_scale",))
        return scale

    def receivers(self, roles: Mapping[str, RoleDescription]) -> dict[str, Receiver]:
        tables = self.table(("receiver",))
        names = [channel for channel in bench_roles.CHANNELS if channel != "photodiode"]
        self.known(("receiver",), tables, names)
        digitiser = roles["digitiser"].options
        wanted = [channel for channel in digitiser["channels"] if channel != "photodiode"]
        found = {}
        for name in dict.fromkeys([*wanted, *tables]):
            if name not in tables:
                raise self.wrong(f"the digitiser records {name!r}, but [receiver.{name}] is missing; declare its "
                                 "gains and detector there", ("digitiser", "channels"))
            found[name] = self.fill(Receiver(), ("receiver", name))
            if found[name].bits != digitiser["bits"]:
                raise self.wrong(f"bits = {found[name].bits}, but the digitiser has bits = {digitiser['bits']}",
                                 ("receiver", name, "bits"))
        return found

    def expected(self) -> Expected:
        path = ("expected",)
        table = self.table(path)
        self.known(path, table, ("parameters", "pentacene", "prior", "model_error"))
        name = table.get("parameters", "bench_default")
        try:
            parameters = pentacene.parameters(name)
        except (ValueError, TypeError) as error:
            raise self.wrong(str(error), (*path, "parameters")) from None
        return Expected(self.fill(parameters, (*path, "pentacene")), name, self.prior(), self.model_error())

    def prior(self) -> dict[str, tuple[float, float]]:
        path = ("expected", "prior")
        table = self.table(path)
        self.known(path, table, _UNITS)
        found = {}
        for name, pair in table.items():
            if not isinstance(pair, list) or len(pair) != 2:
                raise self.wrong(f"{name}: expected [mean, sigma], found {pair!r}", (*path, name))
            mean, sigma = (self.number((*path, name), value, Quantity(_UNITS[name])) for value in pair)
            if not sigma > 0.0:
                raise self.wrong(f"{name}: sigma = {sigma:g} must be positive", (*path, name))
            found[name] = (mean, sigma)
        return found

    def model_error(self) -> dict[str, float]:
        path = ("expected", "model_error")
        table = self.table(path)
        self.known(path, table, [*_UNITS, "volts"])
        fraction = Quantity("", 0.0, 1.0)
        return {name: self.number((*path, name), value, fraction) for name, value in table.items()}

    def limits(self) -> dict[str, tuple[float, float]]:
        table = self.table(("limits",))
        self.known(("limits",), table, LIMITS)
        found = {}
        for name, value in table.items():
            pair = value if isinstance(value, list) else [0.0, value]
            if len(pair) != 2:
                raise self.wrong(f"{name}: expected a maximum or [minimum, maximum], found {value!r}",
                                 ("limits", name))
            low, high = (self.number(("limits", name), v, LIMITS[name]) for v in pair)
            if not low < high:
                raise self.wrong(f"{name}: minimum {low:g} must lie below maximum {high:g}", ("limits", name))
            found[name] = (low, high)
        return found

    def console(self, virtual: bool) -> str | None:
        table = self.table(("mocks",))
        self.known(("mocks",), table, ("console",))
        if table and not virtual:
            raise self.wrong("only a virtual bench has software instruments to speak to", ("mocks",))
        address = table.get("console")
        if address is None:
            return None
        host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
        if host.strip("[]") not in bench_roles.LOOPBACK or not port.isdecimal() or not 0 <= int(port) <= 65535:
            raise self.wrong(f"console: expected '127.0.0.1:PORT', found {address!r}", ("mocks", "console"))
        return address

    def truth(self, virtual: bool, pump: OpticalPump, receivers: Mapping[str, Receiver]) -> Truth | None:
        if "truth" not in self.tables:
            return Truth(richness=1) if virtual else None
        if not virtual:
            raise self.wrong("a real bench has no [truth]; it is for virtual = true", ("truth",))
        table = self.table(("truth",))
        self.known(("truth",), table, ("richness", "pentacene", "receiver", "cavity", "pump"))
        richness = table.get("richness", 1)
        if richness not in RICHNESS or isinstance(richness, bool):
            raise self.wrong(f"richness: expected one of {RICHNESS}, found {richness!r}", ("truth", "richness"))
        cavity = self.fill_relative(CavityTruth(), receivers)
        truth = Truth(richness, self.table(("truth", "pentacene")), self.receiver_deviations(receivers), cavity,
                      _tables_of(self.table(("truth", "pump"))))
        self.tried(truth, pump, receivers)
        return truth

    def fill_relative(self, cavity: CavityTruth, receivers: Mapping[str, Receiver]) -> CavityTruth:
        """[truth.cavity], where Q_L and k may be relative to the receivers' own."""
        path = ("truth", "cavity")
        table = dict(self.table(path))
        declared = next(iter(receivers.values()))
        for key in ("loaded_quality", "coupling_factor"):
            if isinstance(table.get(key), str) and table[key].rstrip().endswith("%"):
                self.table(path)[key] = Truth(receivers={"": {key: table[key]}}).receiver("", declared).value(key)
        return self.fill(cavity, path)

    def receiver_deviations(self, receivers: Mapping[str, Receiver]) -> dict[str, dict[str, Any]]:
        """By receiver; what stands in [truth.receiver] itself holds for all."""
        table = self.table(("truth", "receiver"))
        shared = {key: value for key, value in table.items() if key not in receivers}
        return {name: _tables_of({**shared, **self.table(("truth", "receiver", name))}) for name in receivers}

    def tried(self, truth: Truth, pump: OpticalPump, receivers: Mapping[str, Receiver]) -> None:
        """Apply every deviation once, so that a wrong one is told with its line, now."""
        declared = self.expected().parameters
        self.known(("truth", "pentacene"), truth.pentacene, declared.quantities())
        self.known(("truth", "pump"), truth.pump_deviations, [f.name for f in dataclasses.fields(OpticalPump)])
        fields = [f.name for f in dataclasses.fields(Receiver)]
        self.known(("truth", "receiver"), self.table(("truth", "receiver")), [*fields, *receivers])
        attempts: list[tuple[tuple[str, ...], Any]] = [
            (("truth", "pentacene"), lambda: truth.parameters(declared)), (("truth", "pump"), lambda: truth.pump(pump))]
        for name, receiver in receivers.items():
            self.known(("truth", "receiver", name), truth.receivers[name], fields)
            attempts.append((("truth", "receiver"), lambda n=name, r=receiver: truth.receiver(n, r)))
        for path, attempt in attempts:
            try:
                attempt()
            except (ValueError, TypeError) as error:
                key = str(error).split(" ")[0].rstrip(":")
                raise self.wrong(str(error), (*path, key)) from None


def _role_keys(role: str) -> list[str]:
    return ["driver", "resource", "real", *(f.name for f in dataclasses.fields(OPTIONS[role]))]


def _value(key: str, value: Any, quantities: Mapping[str, Quantity]) -> Any:
    """A field's value from what the file has: numbers with units read, tables and lists member by member."""
    if key in quantities:
        if not isinstance(value, (str, int, float)):
            raise ValueError(f"{key}: expected a number [{quantities[key].unit or 'no unit'}], found {value!r}")
        return read(value, quantities[key].unit, key)
    return _tables_of({key: value})[key]


def _tables_of(table: Mapping[str, Any]) -> dict[str, Any]:
    """Values with units inside the two fields that are tables themselves; everything else as it is."""
    found = dict(table)
    if isinstance(found.get("gains_db"), dict):
        found["gains_db"] = {n: read(v, "dB", f"gains_db.{n}") for n, v in found["gains_db"].items()}
    rows = found.get("energy_table")
    if isinstance(rows, list) and all(isinstance(row, list) and len(row) == 2 for row in rows):
        found["energy_table"] = tuple((read(d, "s", "energy_table"), read(e, "J", "energy_table")) for d, e in rows)
    return found


def describe_keys() -> list[tuple[str, str, Any, str]]:
    """(key, unit, default, meaning) of every key that a bench file may have, for `check --explain`."""
    rows: list[tuple[str, str, Any, str]] = [
        ("virtual", "", False, "the instruments are software, served by maserbench itself"),
        ("time_scale", "", 1.0, _TIME_SCALE.meaning), ("title", "", "", "a line for the reader"),
        ("ROLE.driver", "", "required", f"dotted path of the driver; ROLE is one of {', '.join(ROLES)}"),
        ("ROLE.resource", "", "required", "VISA resource; TCPIP::127.0.0.1::0::SOCKET lets the server choose"),
        ("ROLE.real", "", False, "a real instrument behind a loopback address on a virtual bench")]
    for role in ROLES:
        rows += _rows(role, OPTIONS[role]())
    rows += _rows("pump", OpticalPump()) + _rows("photodiode", Photodiode())
    rows += _rows("receiver.burst|log", Receiver())
    rows += [("expected.parameters", "", "bench_default", f"named set: {', '.join(pentacene.SETS)}"),
             ("expected.pentacene.NAME", "", None, "what differs from that set"),
             ("expected.prior.NAME", "", None, "[mean, sigma] of a fitted quantity"),
             ("expected.model_error.NAME", "", 0.0, "relative error of the model, quoted beside the fit's sigma")]
    rows += [(f"limits.{n}", q.unit, None, f"{q.meaning}: a maximum or [minimum, maximum]") for n, q in LIMITS.items()]
    rows += [("mocks.console", "", None, "127.0.0.1:PORT of the software instruments' console"),
             ("truth.richness", "", 1, "0, 1 or 2: how rich the physics of a virtual bench is"),
             ("truth.pentacene|receiver|pump.NAME", "", None, "a true value, or '+x%' of the declared one")]
    return rows + _rows("truth.cavity", CavityTruth())


def _rows(prefix: str, record: Any) -> list[tuple[str, str, Any, str]]:
    quantities = record.quantities()
    return [(f"{prefix}.{f.name}", quantities[f.name].unit if f.name in quantities else "", getattr(record, f.name),
             quantities[f.name].meaning if f.name in quantities else "") for f in dataclasses.fields(record)]
