"""The roles of a bench, what each table may say, and where an instrument may be.

Which instrument plays a role is the bench file's business; what a role needs to know besides
`driver` and `resource` is declared here once, with units and bounds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .parameters import Record
from .quantity import nearest, quantity

REQUIRED = ("pump", "timing", "digitiser")
OPTIONAL = ("shutter", "microwave", "microwave_45", "analyser", "energy", "vna", "thermometer", "tuner",
            "loop", "interlock")
ROLES = REQUIRED + OPTIONAL
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DRIVERS = ("instruments", "pymeasure.instruments")
GATES = ("microwave", "cavity")
CHANNELS = ("burst", "photodiode", "log")
_SOCKET = re.compile(r"TCPIP\d*::(?P<host>[^:\[\]]+|\[[0-9a-fA-F:]+\])::(?P<port>[^:]*)::SOCKET",
                     re.IGNORECASE)
_OTHER = re.compile(r"(TCPIP|USB|GPIB|ASRL|PXI|VXI|PRLGX)[^:\s]*(::[^:\s]+)*", re.IGNORECASE)


@dataclass(frozen=True)
class Options(Record):
    """What every role may say."""

    timeout: float = quantity(5.0, "s", 0.01, 600.0, "longest wait for one answer")


@dataclass(frozen=True)
class DigitiserOptions(Options):
    """`channels`: which input carries which record."""

    sample_rate: float = quantity(500e6, "Hz", 1e3, 1e12, "samples per second")
    points: float = quantity(20_000, "", 100, 1e9, "samples per record")
    pretrigger: float = quantity(2e-6, "s", 0.0, 1.0, "recorded before the trigger")
    bits: float = quantity(10, "", 1, 16, "resolution of the converter")
    channels: Mapping[str, int] = field(default_factory=lambda: {"burst": 1, "photodiode": 2, "log": 3})


@dataclass(frozen=True)
class TimingOptions(Options):
    """`gate`: what the output GH does: pulse the microwave sources, or spoil the cavity."""

    trigger_level: float = quantity(1.0, "V", 0.01, 10.0, "trigger level at the digitiser")
    gate: str = "microwave"
    spoiled_quality: float = quantity(100.0, "", 1e-3, 1e9, "loaded quality while the gate spoils the cavity")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gate not in GATES:
            raise ValueError("gate: " + nearest(str(self.gate), GATES))


@dataclass(frozen=True)
class CoilOptions(Options):
    rabi_per_sqrt_watt: float = quantity(4e7, "", 0.0, 1e12, "Omega_45 [rad/s] of one watt into the coil")


@dataclass(frozen=True)
class EnergyOptions(Options):
    pick_off: float = quantity(0.04, "", 1e-9, 1.0, "share of the pulse that the meter sees")


@dataclass(frozen=True)
class AnalyserOptions(Options):
    loss_db: float = quantity(0.0, "dB", -100.0, 200.0, "loss from the source by the cavity to the analyser")


@dataclass(frozen=True)
class VnaOptions(Options):
    cable_delay: float = quantity(0.0, "s", 0.0, 1e-3, "from the port to the cavity and back")


@dataclass(frozen=True)
class TunerOptions(Options):
    megahertz_per_millimetre: float = quantity(-10.0, "", -1e4, 1e4, "of the mode, by the piston's position")


@dataclass(frozen=True)
class LoopOptions(Options):
    decibels_per_millimetre: float = quantity(3.0, "", -100.0, 100.0,
                                              "of the coupling factor, by the position of the loop's stage")


OPTIONS: Mapping[str, type[Options]] = {
    role: {"digitiser": DigitiserOptions, "timing": TimingOptions, "microwave_45": CoilOptions,
           "energy": EnergyOptions, "analyser": AnalyserOptions, "vna": VnaOptions,
           "tuner": TunerOptions, "loop": LoopOptions}.get(role, Options)
    for role in ROLES}


@dataclass(frozen=True)
class RoleDescription:
    """One instrument of the bench: which driver, where, with which options; `line` of its table."""

    role: str
    driver: str
    resource: str
    options: Mapping[str, Any]
    line: int
    software: bool

    @property
    def address(self) -> tuple[str, int] | None:
        """(host, port) of a raw socket, else None."""
        return socket_address(self.resource)


def socket_address(resource: str) -> tuple[str, int] | None:
    """(host, port) of a TCPIP SOCKET resource, None for any other kind; ValueError for a wrong port."""
    match = _SOCKET.fullmatch(resource.strip())
    if match is None:
        if not _OTHER.fullmatch(resource.strip()) or resource.upper().rstrip().endswith("SOCKET"):
            raise ValueError(f"{resource!r} is not a VISA resource; expected for example "
                             "'TCPIP::192.168.0.7::5025::SOCKET' or 'GPIB0::12::INSTR'")
        return None
    port = match["port"]
    if not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise ValueError(f"port {port!r} in {resource!r} is not a number from 1 to 65535 "
                         "(0 on a virtual bench: chosen by the server)")
    return match["host"].strip("[]"), int(port)


def with_port(resource: str, port: int) -> str:
    """The same socket resource at another port."""
    address = socket_address(resource)
    if address is None:
        raise ValueError(f"{resource!r} has no port")
    return re.sub(r"::[^:]*::SOCKET$", f"::{port}::SOCKET", resource.strip(), flags=re.IGNORECASE)


def check_driver(driver: str) -> str:
    """A dotted path that a bench file may name; a bare name means an installed entry point."""
    words = driver.split(".")
    if not all(word.isidentifier() for word in words):
        raise ValueError(f"driver {driver!r} is not a dotted path like 'instruments.srs_dg645.DG645'")
    if len(words) > 1 and not any(driver.startswith(root + ".") for root in DRIVERS):
        raise ValueError(f"driver {driver!r} is not allowed: a bench file may name classes of "
                         f"{' or '.join(DRIVERS)}, or the name of an installed entry point; "
                         "it cannot make this program run other code")
    return driver
