"""Keysight E8257D microwave source, option 520: 250 kHz to 20 GHz, -135 to +16 dBm.

Headers and status bits by the PSG's SCPI command reference. What it cannot level, it says and gives less
of; after a change of frequency it settles, and *OPC? waits for that.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, ClassVar

from .clock import Settling
from .scpi_device import ScpiDevice, action, query, setting
from .scpi_values import Boolean, Choice, Integer, Number, Text
from .tone import Tone
from .virtual_cavity import VirtualCavity

SETTLING = 11e-3  # [s] to within 0.1 ppm of a new frequency
LEVELLED = 14.0  # [dBm] highest levelled power
SETTLING_BIT, UNLEVELLED_BIT, UNLOCKED_BIT = 2, 2, 2  # of OPERation, QUEStionable:POWer and :FREQuency
POWER_SUMMARY, FREQUENCY_SUMMARY = 8, 32  # bits of QUEStionable

_HZ = Number("HZ", 250e3, 20e9, "+.13E")
_DBM = Number("DBM", -135.0, 16.0, "+.8E")


class KeysightE8257D(ScpiDevice):
    """Frequency, level, pulse and amplitude modulation, step sweep; RF OUTPut feeds the cavity's loop."""

    identity: ClassVar = "Keysight Technologies, E8257D, SIMULATED-MY0001, C.06.28"
    commands: ClassVar = (
        setting("[:SOURce]:FREQuency[:CW|:FIXed]", "frequency", _HZ, 1.4495e9),
        setting("[:SOURce]:FREQuency:STARt", "frequency_start", _HZ, 250e3),
        setting("[:SOURce]:FREQuency:STOP", "frequency_stop", _HZ, 20e9),
        setting("[:SOURce]:FREQuency:CENTer", "frequency_centre", _HZ, 10e9),
        setting("[:SOURce]:FREQuency:MODE", "frequency_mode", Choice("CW", "FIXed", "SWEep", "LIST"), "CW"),
        setting("[:SOURce]:POWer[:LEVel][:IMMediate][:AMPLitude]", "power", _DBM, -135.0),
        setting("[:SOURce]:POWer:STARt", "power_start", _DBM, -135.0),
        setting("[:SOURce]:POWer:STOP", "power_stop", _DBM, -135.0),
        setting("[:SOURce]:POWer:ALC[:STATe]", "levelling", Boolean(), True),
        setting("[:SOURce]:PHASe[:ADJust]", "phase", Number("RAD", -3.15, 3.15), 0.0),
        setting("OUTPut[:STATe]", "output", Boolean(), False),
        setting("OUTPut:MODulation[:STATe]", "modulation", Boolean(), False),
        setting("[:SOURce]:AM[:STATe]", "am", Boolean(), False),
        setting("[:SOURce]:AM:DEPTh[:LINear]", "am_depth", Number("PCT", 0.0, 100.0), 0.1),
        setting("[:SOURce]:AM:SOURce", "am_source",
                Choice("INT", "INT1", "INT2", "EXT", "EXT1", "EXT2"), "INT"),
        setting("[:SOURce]:AM:INTernal:FREQuency", "am_frequency", Number("HZ", 0.5, 1e6), 400.0),
        setting("[:SOURce]:AM:INTernal:FUNCtion:SHAPe", "am_shape",
                Choice("SINE", "TRIangle", "SQUare", "RAMP", "NOISe", "DUALsine", "SWEPtsine"), "SINE"),
        setting("[:SOURce]:PULM[:STATe]", "pulm", Boolean(), False),
        setting("[:SOURce]:PULM:SOURce", "pulm_source", Choice("INTernal", "EXTernal", "SCALar"), "INT"),
        setting("[:SOURce]:PULM:SOURce:INTernal", "pulm_internal",
                Choice("SQUare", "FRUN", "TRIGgered", "DOUBlet", "GATEd"), "SQU"),
        setting("[:SOURce]:PULM:INTernal:FREQuency", "pulm_frequency", Number("HZ", 0.1, 10e6), 400.0),
        setting("[:SOURce]:PULM:INTernal:PWIDth", "pulm_width", Number("S", 10e-9, 42.0), 1e-6),
        setting("[:SOURce]:LFOutput[:STATe]", "low_output", Boolean(), False),
        setting("[:SOURce]:LFOutput:AMPLitude", "low_amplitude", Number("V", 0.0, 3.5), 0.0),
        setting("[:SOURce]:LFOutput:SOURce", "low_source",
                Choice("INT", "INT1", "INT2", "FUNCtion", "FUNCtion1", "FUNCtion2"), "INT"),
        setting("[:SOURce]:SWEep:DWELl<n>", "sweep_dwell", Number("S", 1e-3, 60.0), 2e-3, range(1, 2)),
        setting("[:SOURce]:SWEep:POINts", "sweep_points", Integer(2, 65535), 2),
        setting("[:SOURce]:SWEep:GENeration", "sweep_generation", Choice("ANALog", "STEPped"), "STEP"),
        setting("[:SOURce]:SWEep:MODE", "sweep_mode", Choice("AUTO", "MANual"), "AUTO"),
        setting("[:SOURce]:SWEep:CONTinuous[:STATe]", "sweep_continuous", Boolean(), True),
        setting("[:SOURce]:LIST:RETRace", "retrace", Boolean(), True),
        action("[:SOURce]:TSWeep", lambda self, request: None),
        setting("DISPlay:ANNotation:AMPLitude:UNIT", "display_unit", Text(), "DBM"),
        setting("UNIT:POWer", "power_unit", Choice("DBM"), "DBM"),
        query("[:SOURce]:ROSCillator:SOURce", lambda self, request: self.reference_source()),
        setting("[:SOURce]:ROSCillator:SOURce:AUTO", "reference_auto", Boolean(), True),
        query("STATus:OPERation:CONDition", lambda self, request: str(self.operation())),
        query("STATus:QUEStionable:CONDition", lambda self, request: str(self.questionable())),
        query("STATus:QUEStionable:POWer:CONDition", lambda self, request: str(self.questionable_power())),
        query("STATus:QUEStionable:FREQuency:CONDition",
              lambda self, request: str(self.questionable_frequency())),
        query("DIAGnostic:CPU:INFOrmation:OPTions:DETail", lambda self, request: '"520, 1E1, UNT"'),
        query("*OPT", lambda self, request: "520,1E1,UNT"),
    )

    def __init__(self, role: str, cavity: VirtualCavity) -> None:
        self.role, self.cavity = role, cavity
        self.reference = cavity.world.shared_reference  # 10 MHz at the rear
        self.settling = Settling(cavity.clock, SETTLING)
        super().__init__()

    def changed(self, name: str) -> None:
        s = self.settings
        if name == "frequency":
            self.settling.begin()
        gated = s["modulation"] and s["pulm"] and s["pulm_source"] == "EXT"
        self.cavity.tones[self.role] = Tone(s["frequency"], min(s["power"], LEVELLED), s["output"], gated)

    def restore(self) -> None:
        super().restore()
        self.changed("output")

    def pending(self) -> Future[Any] | None:
        return self.settling.waiting

    def reference_source(self) -> str:
        """ROSCillator:SOURce: EXT where a 10 MHz is there, or AUTO is off and it waits for one."""
        return "EXT" if self.reference or not self.settings["reference_auto"] else "INT"

    # --- status registers ------------------------------------------------------------------------

    def operation(self) -> int:
        """STATus:OPERation:CONDition: whether it still settles."""
        return SETTLING_BIT if self.settling.waiting is not None else 0

    def questionable_power(self) -> int:
        """STATus:QUEStionable:POWer:CONDition: whether the level is more than it can hold."""
        return UNLEVELLED_BIT if self.settings["output"] and self.settings["power"] > LEVELLED else 0

    def questionable_frequency(self) -> int:
        """STATus:QUEStionable:FREQuency:CONDition: whether it waits for a 10 MHz that is not there."""
        return UNLOCKED_BIT if self.reference_source() == "EXT" and not self.reference else 0

    def questionable(self) -> int:
        """STATus:QUEStionable:CONDition: the summary of both."""
        return (POWER_SUMMARY * bool(self.questionable_power())
                + FREQUENCY_SUMMARY * bool(self.questionable_frequency()))
