"""Keysight 34972A with a 34907A module whose first port reads the safety chain's contacts, 1 for closed."""

from __future__ import annotations

from typing import ClassVar

from .scpi import ScpiError
from .scpi_device import ScpiDevice, query
from .scpi_values import Text
from .virtual_cavity import VirtualCavity

PORT = "(@101)"
LATCH = 7  # bit of the chain's latch; 0 to 6 are the contacts
ALL_CLOSED = 0xFF


class Keysight34972A(ScpiDevice):
    """SENSe:DIGital:DATA:BYTE? (@101). What closes and resets the chain is a person, not a command."""

    identity: ClassVar = "Keysight Technologies,34972A,SIMULATED-MY0004,1.17-1.17-02-02"
    commands: ClassVar = (
        query("SENSe:DIGital:DATA[:BYTE]", lambda self, request: self.read_port(request.values[0]), Text()),
        query("SYSTem:CTYPe", lambda self, request: self.card(request.values[0]), Text()),
    )

    def __init__(self, cavity: VirtualCavity) -> None:
        self.cavity = cavity
        super().__init__()

    def read_port(self, channels: str) -> str:
        """The eight contacts; the one that opened stays open, and the latch with it, until the reset."""
        if channels.replace(" ", "") != PORT:
            raise ScpiError(-224, f"{channels}: only {PORT} is wired")
        fault = self.cavity.laser.fault
        opened = (1 << LATCH | (1 << (fault - 1) if 1 <= fault <= LATCH else 0)) if fault else 0
        return str(ALL_CLOSED & ~opened)

    def card(self, slot: str) -> str:
        """What is plugged into a slot."""
        return "Keysight Technologies,34907A,SIMULATED-0,2.3" if slot == "100" else "HEWLETT-PACKARD,0,0,0"
