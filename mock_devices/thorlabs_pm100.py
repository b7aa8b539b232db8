"""Thorlabs PM100 console with a pyroelectric energy head in the beam's pick-off."""

from __future__ import annotations

from typing import ClassVar

from .scpi_device import ScpiDevice, action, query, setting
from .scpi_values import Choice, Integer, Number
from .virtual_cavity import VirtualCavity

_ENERGY_SENSOR = 2 + 32  # flags of SYSTem:SENSor:IDN?: energy, wavelength settable


class ThorlabsPM100(ScpiDevice):
    """Energy of the last pulse [J]; MEASure, READ and FETCh all read it: light triggers the head."""

    identity: ClassVar = "Thorlabs,PM100D,SIMULATED-P0001,2.8.0"
    commands: ClassVar = (
        query("SYSTem:SENSor:IDN", lambda self, request:
              f'"ES220C","SIMULATED-E1","14-Mar-2026",3,1,{_ENERGY_SENSOR}'),
        setting("[:SENSe]:CORRection:WAVelength", "wavelength", Number("", 185.0, 25000.0), 590.0),
        setting("[:SENSe]:CORRection[:LOSS[:INPut[:MAGNitude]]]", "attenuation",
                Number("DB", -60.0, 60.0), 0.0),
        setting("[:SENSe]:AVERage[:COUNt]", "averages", Integer(1, 3000), 1),
        setting("[:SENSe]:ENERgy[:DC]:RANGe[:UPPer]", "range", Number("J", 1e-6, 1.0), 15e-3),
        setting("[:SENSe]:ENERgy[:DC]:RANGe:AUTO", "range_auto", Integer(0, 1), 1),
        action("CONFigure[:SCALar]:ENERgy", lambda self, request: None),
        query("CONFigure", lambda self, request: "ENER"),
        query("MEASure[:SCALar]:ENERgy", lambda self, request: self.energy()),
        query("READ", lambda self, request: self.energy()),
        query("FETCh", lambda self, request: self.energy()),
        setting("INPut[:PDIode]:FILTer[:LPASs][:STATe]", "filter", Choice("0", "1"), "0"),
    )

    def __init__(self, cavity: VirtualCavity) -> None:
        self.cavity = cavity
        super().__init__()

    def energy(self) -> str:
        """What the head saw last [J], as the console writes it."""
        joules = self.cavity.meter_energy() * 10.0 ** (self.settings["attenuation"] / 10.0)
        return f"{joules:.8E}"
