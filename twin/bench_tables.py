"""The tables of a bench file, one function each: what they may hold and what must fit together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from . import bench_roles, pentacene
from .bench_faults import FaultOrder, read_order
from .bench_reader import BenchReader, members_si
from .bench_roles import OPTIONS, REQUIRED, ROLES, RoleDescription
from .bench_text import BenchFileError
from .bench_truth import RICHNESS, CavityTruth, Imperfections, Truth
from .optical_pump import OpticalPump
from .photodiode import Photodiode
from .quantity import Quantity
from .receiver import Receiver

TOP = ("virtual", "time_scale", "title", "visa", "reference", "fsync", *ROLES, "receiver", "photodiode",
       "expected", "limits", "mocks", "truth")
VISA = ("@py", "@ivi")
"""VISA libraries that a bench file may choose: pyvisa-py, or the one that the system has (NI, Keysight)."""
REFERENCES = ("free", "shared")
TIME_SCALE = Quantity("", 1e-3, 1e6, "physical seconds per second of a virtual bench")
LIMITS = {
    "pump_energy": Quantity("J", 0.0, 1e3, "pulse energy"),
    "repetition_rate": Quantity("Hz", 0.0, 1e6, "shots per second"),
    "rf_power": Quantity("W", 0.0, 1e6, "power of any microwave source"),
    "detector_power": Quantity("W", 0.0, 1e6, "power at a detector's input"),
    "lna_power": Quantity("W", 0.0, 1e6, "power at the input of an amplifier, that is of an element of "
                          "gains_db with gain; below its compression"),
    "crystal_dose": Quantity("J/m2", 0.0, 1e12, "light per area in the crystal, of one pulse; of all pulses "
                             "that it has had where the run names a sample"),
}
FIT_UNITS = {"collective_coupling": "rad/s", "seed_photons": "", "amplitude_scale": "", "detuning": "rad/s",
             "start": "s", "baseline": "V", "pump_rate": "1/s", "triplets": "", "pump_energy": "J"}
_UNITS = {**{n: q.unit for n, q in Receiver.quantities().items()},
          **{n: q.unit for n, q in pentacene.Parameters.quantities().items()}, **FIT_UNITS}
COMMON_KEYS = ("driver", "resource", "real")


@dataclass(frozen=True)
class Expected:
    """What the fit starts from: parameters, priors (mean, sigma) and relative errors of the model.

    `model_error` is by name of a fitted quantity; "volts" is relative to the burst, sample by sample.
    """

    parameters: pentacene.Parameters
    name: str = "bench_default"
    prior: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    model_error: Mapping[str, float] = field(default_factory=dict)


def read_roles(reader: BenchReader, virtual: bool) -> dict[str, RoleDescription]:
    """All roles that the file names; the required ones must be there."""
    for role in REQUIRED:
        if role not in reader.tables:
            raise BenchFileError(f"the role {role!r} is missing; a bench needs a table with driver and "
                                 f"resource for each of: {', '.join(REQUIRED)}", reader.name, role)
    return {role: _role(reader, role, virtual) for role in ROLES if role in reader.tables}


def _role(reader: BenchReader, role: str, virtual: bool) -> RoleDescription:
    table = reader.table((role,))
    for key, check in (("driver", bench_roles.check_driver), ("resource", bench_roles.socket_address)):
        if not isinstance(table.get(key), str) or not table[key].strip():
            raise reader.wrong(f"{key} is missing; expected text, found {table.get(key)!r}", (role, key))
        try:
            check(table[key])
        except ValueError as error:
            raise reader.wrong(str(error), (role, key)) from None
    address = bench_roles.socket_address(table["resource"])
    software = (virtual and not reader.flag((role, "real")) and address is not None
                and address[0] in bench_roles.LOOPBACK)
    if address is not None and address[1] == 0 and not software:
        raise reader.wrong("port 0 means 'chosen by the server' and is for software instruments of a virtual "
                           f"bench; give the instrument's port in {table['resource']!r}", (role, "resource"))
    pump = [f.name for f in dataclasses.fields(OpticalPump)] if role == "pump" else []
    options = reader.fill(OPTIONS[role](), (role,), skip=[*COMMON_KEYS, *pump])
    return RoleDescription(role, table["driver"], table["resource"], _options(reader, role, options),
                           reader.line((role,)), software)


def _options(reader: BenchReader, role: str, options: Any) -> dict[str, Any]:
    values = {f.name: getattr(options, f.name) for f in dataclasses.fields(options)}
    for key in {"points", "bits"} & set(values):
        if values[key] != int(values[key]):
            raise reader.wrong(f"{key} = {values[key]:g} must be a whole number", (role, key))
        values[key] = int(values[key])
    if "channels" in values:
        _check_channels(reader, (role, "channels"), values["channels"])
    return values


def _check_channels(reader: BenchReader, path: tuple[str, ...], channels: Any) -> None:
    if not isinstance(channels, dict) or "burst" not in channels:
        raise reader.wrong(f"channels: expected a table with 'burst', found {channels!r}", path)
    reader.known(path, channels, bench_roles.CHANNELS)
    inputs = list(channels.values())
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in inputs)
    if not whole or len(set(inputs)) < len(inputs):
        raise reader.wrong(f"channels: expected distinct input numbers from 1, found {channels!r}", path)


def read_pump(reader: BenchReader) -> OpticalPump:
    """The laser's own numbers, which stand in its role's table."""
    options = [f.name for f in dataclasses.fields(OPTIONS["pump"])]
    return reader.fill(OpticalPump(), ("pump",), skip=[*COMMON_KEYS, *options])


def read_photodiode(reader: BenchReader, pump: OpticalPump) -> Photodiode:
    """The photodiode; the pulse's length is the pump's unless said otherwise."""
    return reader.fill(Photodiode(fwhm=pump.fwhm), ("photodiode",))


def read_time_scale(reader: BenchReader, roles: Mapping[str, RoleDescription]) -> float:
    """Refused as soon as one role is real."""
    path = ("time_scale",)
    scale = reader.number(path, reader.tables.get("time_scale", 1.0), TIME_SCALE)
    real = [role for role, r in roles.items() if not r.software]
    if scale != 1.0 and real:
        kind = "a real instrument" if len(real) == 1 else "real instruments"
        raise reader.wrong(f"time_scale = {scale:g}, but there is {kind} ({', '.join(real)}): "
                           "real time cannot be scaled", path)
    return scale


def read_visa(reader: BenchReader) -> str:
    """The VISA library by PyVISA's name. No path: a bench file must not load a library of its own."""
    found = reader.tables.get("visa", VISA[0])
    if found not in VISA:
        raise reader.wrong(f"visa: expected '@py' (pyvisa-py, comes with maserbench) or '@ivi' (that of NI "
                           f"or Keysight on this computer), found {found!r}", ("visa",))
    return str(found)


def read_reference(reader: BenchReader) -> str:
    """Whether all sources and the digitiser share one 10 MHz: "shared", or "free"."""
    reference = reader.tables.get("reference", "free")
    if reference not in REFERENCES:
        raise reader.wrong(f"reference: expected one of {', '.join(REFERENCES)}, found {reference!r}",
                           ("reference",))
    return reference


def read_receivers(reader: BenchReader, digitiser: RoleDescription) -> dict[str, Receiver]:
    """One receiver for each channel that carries microwaves."""
    tables = reader.table(("receiver",))
    reader.known(("receiver",), tables, [c for c in bench_roles.CHANNELS if c != "photodiode"])
    wanted = [c for c in digitiser.options["channels"] if c != "photodiode"]
    found = {}
    for name in dict.fromkeys([*wanted, *tables]):
        if name not in tables:
            raise reader.wrong(f"the digitiser records {name!r}, but [receiver.{name}] is missing; declare "
                               "its gains and detector there", ("digitiser", "channels"))
        found[name] = reader.fill(Receiver(), ("receiver", name))
        if found[name].bits != digitiser.options["bits"]:
            raise reader.wrong(f"bits = {found[name].bits}, but the digitiser has bits = "
                               f"{digitiser.options['bits']}", ("receiver", name, "bits"))
    return found


def read_expected(reader: BenchReader) -> Expected:
    """[expected]: a named set, what differs from it, priors and model errors."""
    path = ("expected",)
    table = reader.table(path)
    reader.known(path, table, ("parameters", "pentacene", "prior", "model_error"))
    name = table.get("parameters", "bench_default")
    try:
        parameters = pentacene.parameters(name)
    except (ValueError, TypeError) as error:
        raise reader.wrong(str(error), (*path, "parameters")) from None
    return Expected(reader.fill(parameters, (*path, "pentacene")), name, _prior(reader), _model_error(reader))


def _prior(reader: BenchReader) -> dict[str, tuple[float, float]]:
    path = ("expected", "prior")
    table = reader.table(path)
    reader.known(path, table, _UNITS)
    found = {}
    for name, pair in table.items():
        if not isinstance(pair, list) or len(pair) != 2:
            raise reader.wrong(f"{name}: expected [mean, sigma], found {pair!r}", (*path, name))
        mean, sigma = (reader.number((*path, name), value, Quantity(_UNITS[name])) for value in pair)
        if not sigma > 0.0:
            raise reader.wrong(f"{name}: sigma = {sigma:g} must be positive", (*path, name))
        found[name] = (mean, sigma)
    return found


def _model_error(reader: BenchReader) -> dict[str, float]:
    path = ("expected", "model_error")
    table = reader.table(path)
    reader.known(path, table, [*_UNITS, "volts"])
    share = Quantity("", 0.0, 1.0)
    return {name: reader.number((*path, name), value, share) for name, value in table.items()}


def read_limits(reader: BenchReader) -> dict[str, tuple[float, float]]:
    """[limits]: a maximum (the minimum is then 0) or [minimum, maximum]."""
    table = reader.table(("limits",))
    reader.known(("limits",), table, LIMITS)
    found = {}
    for name, value in table.items():
        path = ("limits", name)
        pair = value if isinstance(value, list) else [0.0, value]
        if len(pair) != 2:
            raise reader.wrong(f"{name}: expected a maximum or [minimum, maximum], found {value!r}", path)
        low, high = (reader.number(path, v, LIMITS[name]) for v in pair)
        if not low < high:
            raise reader.wrong(f"{name}: minimum {low:g} must lie below maximum {high:g}", path)
        found[name] = (low, high)
    return found


def read_console(reader: BenchReader, virtual: bool) -> str | None:
    """[mocks] console, an address on this machine."""
    table = reader.table(("mocks",))
    reader.known(("mocks",), table, ("console",))
    if table and not virtual:
        raise reader.wrong("only a virtual bench has software instruments to speak to", ("mocks",))
    address = table.get("console")
    if address is None:
        return None
    host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
    if host.strip("[]") not in bench_roles.LOOPBACK or not port.isdecimal() or int(port) > 65535:
        raise reader.wrong(f"console: expected '127.0.0.1:PORT', found {address!r}", ("mocks", "console"))
    return address


def read_truth(reader: BenchReader, virtual: bool, pump: OpticalPump, receivers: Mapping[str, Receiver],
               declared: pentacene.Parameters) -> Truth | None:
    """[truth], with every deviation applied once, so that a wrong one is told now and with its line."""
    if not virtual:
        if "truth" in reader.tables:
            raise reader.wrong("a real bench has no [truth]; it is for virtual = true", ("truth",))
        return None
    table = reader.table(("truth",))
    reader.known(("truth",), table, ("richness", "faults", "pentacene", "receiver", "cavity", "pump",
                                     "imperfections"))
    richness = table.get("richness", 1)
    if isinstance(richness, bool) or richness not in RICHNESS:
        raise reader.wrong(f"richness: expected one of {RICHNESS}, found {richness!r}",
                           ("truth", "richness"))
    truth = Truth(richness, reader.table(("truth", "pentacene")), _receiver_deviations(reader, receivers),
                  reader.fill(CavityTruth(), ("truth", "cavity")),
                  members_si(reader.table(("truth", "pump"))),
                  reader.fill(Imperfections(), ("truth", "imperfections")), _faults(reader))
    reader.known(("truth", "pentacene"), truth.pentacene, declared.quantities())
    reader.known(("truth", "pump"), truth.pump_deviations, [f.name for f in dataclasses.fields(OpticalPump)])
    _try(reader, ("truth", "pentacene"), lambda: truth.parameters(declared))
    _try(reader, ("truth", "pump"), lambda: truth.pump(pump))
    for name, receiver in receivers.items():
        own = ("truth", "receiver", name)
        _try(reader, own if reader.at(own) else own[:2], partial(truth.receiver, name, receiver))
    return truth


def _faults(reader: BenchReader) -> tuple[FaultOrder, ...]:
    """`faults = ["misfire at=shot:3", ...]`: the lines that the console takes after `inject`."""
    path = ("truth", "faults")
    lines = reader.at(path)
    if lines is None:
        return ()
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise reader.wrong(f'faults: expected a list of lines such as "misfire at=shot:3", found {lines!r}',
                           path)
    try:
        return tuple(read_order(line) for line in lines)
    except ValueError as error:
        raise reader.wrong(f"faults: {error}", path) from None


def _receiver_deviations(reader: BenchReader, receivers: Mapping[str, Receiver]) -> dict[str, dict[str, Any]]:
    """By receiver; what stands in [truth.receiver] itself holds for all."""
    path = ("truth", "receiver")
    fields = [f.name for f in dataclasses.fields(Receiver)]
    table = reader.table(path)
    reader.known(path, table, [*fields, *receivers])
    shared = {key: value for key, value in table.items() if key not in receivers}
    found = {}
    for name in receivers:
        reader.known((*path, name), reader.table((*path, name)), fields)
        found[name] = members_si({**shared, **reader.table((*path, name))})
    return found


def _try(reader: BenchReader, path: tuple[str, ...], attempt: Callable[[], Any]) -> None:
    try:
        attempt()
    except (ValueError, TypeError) as error:
        raise reader.wrong(str(error), (*path, str(error).split(" ")[0].rstrip(":"))) from None
