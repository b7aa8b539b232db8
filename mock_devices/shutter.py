"""The beam shutter: a SCPI device of our own whose sensor is independent of its command."""

from __future__ import annotations

from typing import ClassVar

from .scpi_device import ScpiDevice, query, setting
from .scpi_values import Choice
from .virtual_cavity import VirtualCavity


class Shutter(ScpiDevice):
    """SHUTter:STATe commands the blade, SHUTter:SENSor? tells where it is: OPEN, CLOS or MOV."""

    identity: ClassVar = "Maserbench,Shutter,SIMULATED-SH1,1.0"
    commands: ClassVar = (
        setting("SHUTter:STATe", "state", Choice("OPEN", "CLOSe"), "CLOS"),
        query("SHUTter:SENSor", lambda self, request: self.cavity.blade.sensor()),
    )

    def __init__(self, cavity: VirtualCavity) -> None:
        self.cavity = cavity
        super().__init__()

    def changed(self, name: str) -> None:
        self.cavity.blade.command(self.settings["state"] == "OPEN")

    def restore(self) -> None:
        super().restore()
        self.changed("state")
