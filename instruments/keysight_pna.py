"""Driver of Keysight PNA network analysers: complex S11 and S21 of the cavity in binary.

Commands: PNA help, "SCPI command tree". PyMeasure's `KeysightPNA` reads what was set up at the front
panel, but sets no frequency, bandwidth or power; this one does, and its errors are checked.

It cannot know the cable: what it returns includes delay and loss up to its port unless it was calibrated
there. It drives the cavity while its output is on, holding or not; so the output is on for a sweep only.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pymeasure.instruments import Instrument, SCPIMixin
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from .errors import ProtocolError
from .scpi_instrument import SWITCH, Guarded

SPARE_TIME = 2.0        # [s] allowed to sweeps beyond their own time


class KeysightPNA(Guarded, SCPIMixin, Instrument):
    """Channel 1, measurement 1 of a PNA. Safe state: RF output off, read back."""

    models = r"N52\d\d|N5[23]\d\d|P93\d\d|P50\d\d|E83\d\d"
    session_settings: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}

    centre = Instrument.control(
        "SENS:FREQ:CENT?", "SENS:FREQ:CENT %.3f", """Control the centre in Hz (10 MHz to 26.5 GHz).""",
        validator=strict_range, values=[10e6, 26.5e9], dynamic=True, check_set_errors=True)

    span = Instrument.control(
        "SENS:FREQ:SPAN?", "SENS:FREQ:SPAN %.3f", """Control the span in Hz (0 to 26.49 GHz).""",
        validator=strict_range, values=[0, 26.49e9], dynamic=True, check_set_errors=True)

    points = Instrument.control(
        "SENS:SWE:POIN?", "SENS:SWE:POIN %d", """Control the points of a sweep (int, 1 to 100001).""",
        validator=strict_range, values=[1, 100001], cast=int, dynamic=True, check_set_errors=True)

    bandwidth = Instrument.control(
        "SENS:BAND?", "SENS:BAND %.3f", """Control the bandwidth of the receivers in Hz (1 Hz to 15 MHz).""",
        validator=strict_range, values=[1, 15e6], dynamic=True, check_set_errors=True)

    power = Instrument.control(
        "SOUR:POW?", "SOUR:POW %.2f", """Control the power at the port in dBm (-95 to 20).""",
        validator=strict_range, values=[-95, 20], dynamic=True, check_set_errors=True)

    output = Instrument.control(
        "OUTP?", "OUTP %d", """Control whether the RF output is on (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    averaging = Instrument.control(
        "SENS:AVER?", "SENS:AVER %d", """Control whether sweeps are averaged (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    averages = Instrument.control(
        "SENS:AVER:COUN?", "SENS:AVER:COUN %d", """Control the sweeps of an average (int, 1 to 65536).""",
        validator=strict_range, values=[1, 65536], cast=int, check_set_errors=True)

    group_count = Instrument.control(
        "SENS:SWE:GRO:COUN?", "SENS:SWE:GRO:COUN %d", """Control the sweeps of a group (int, 1 to 2e6).""",
        validator=strict_range, values=[1, 2000000], cast=int, check_set_errors=True)

    sweep_mode = Instrument.control(
        "SENS:SWE:MODE?", "SENS:SWE:MODE %s",
        """Control how it sweeps (str: "hold", "single", "group" or "continuous").""",
        validator=strict_discrete_set, map_values=True, cast=str, check_set_errors=True,
        values={"hold": "HOLD", "single": "SING", "group": "GRO", "continuous": "CONT"})

    trigger_source = Instrument.control(
        "TRIG:SOUR?", "TRIG:SOUR %s", """Control what starts a sweep ("immediate", "external", "manual").""",
        validator=strict_discrete_set, map_values=True, cast=str, check_set_errors=True,
        values={"immediate": "IMM", "external": "EXT", "manual": "MAN"})

    parameter = Instrument.control(
        "CALC:MEAS1:PAR?", 'CALC:MEAS1:PAR "%s"', """Control what is measured (str: "S11" or "S21").""",
        validator=strict_discrete_set, values=("S11", "S21"), cast=str, check_set_errors=True,
        preprocess_reply=lambda reply: reply.strip().strip('"'))

    data_format = Instrument.control(
        "FORM?", "FORM %s", """Control how data are sent (str: "REAL,64", "REAL,32" or "ASC,0").""",
        validator=strict_discrete_set, values=("REAL,64", "REAL,32", "ASC,0"), cast=str, maxsplit=0,
        check_set_errors=True)

    byte_order = Instrument.control(
        "FORM:BORD?", "FORM:BORD %s", """Control which byte comes first (str: "low" or "high").""",
        validator=strict_discrete_set, values={"low": "SWAP", "high": "NORM"}, map_values=True, cast=str,
        check_set_errors=True)

    sweep_time = Instrument.measurement("SENS:SWE:TIME?", """Get the time of one sweep in s.""")

    reference = Instrument.measurement(
        "SENS:ROSC:SOUR?", """Get which 10 MHz it follows (str: "internal" or "external").""",
        values={"internal": "INT", "external": "EXT"}, map_values=True, cast=str)

    def __init__(self, adapter: Any, name: str = "Keysight PNA", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)

    @property
    def reference_locked(self) -> bool:
        """Get whether it follows the bench's 10 MHz (bool)."""
        return self.reference == "external"

    def read_reflection(self, centre: float, span: float, points: int = 401, bandwidth: float = 1e3,
                        power: float = -20.0, averages: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Frequencies [Hz] (points,) and complex S11 (points,), cable included; RF is off afterwards.

        `bandwidth` [Hz] and `power` [dBm] at the port. ProtocolError for data of another length.
        """
        return self._read("S11", centre, span, points, bandwidth, power, averages)

    def read_transmission(self, centre: float, span: float, points: int = 401, bandwidth: float = 1e3,
                          power: float = -20.0, averages: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """The same of S21."""
        return self._read("S21", centre, span, points, bandwidth, power, averages)

    def _read(self, parameter: str, centre: float, span: float, points: int, bandwidth: float, power: float,
              averages: int) -> tuple[np.ndarray, np.ndarray]:
        with self.turn():
            self._prepare(centre, span, points, bandwidth, power, averages)
            self.put("parameter", parameter)
            try:
                self.put("output", True)
                self.sweep()
            finally:
                self.put("output", False)
            return self._numbers("X", points), self._numbers("DATA:SDATA", 2 * points).view(complex)

    def _prepare(self, centre: float, span: float, points: int, bandwidth: float, power: float,
                 averages: int) -> None:
        """Everything set and read back before the output comes on."""
        self.put("sweep_mode", "hold")
        self.put("trigger_source", "immediate")
        self.put("centre", centre, absolute=0.5)
        self.put("span", span, absolute=0.5)
        self.put("points", points)
        # Bandwidths come in steps of 1, 1.5, 2, 3, 5, 7.
        self.put("bandwidth", bandwidth, relative=0.5)
        self.put("power", power, absolute=0.005)
        self.put("averages", averages)
        self.put("averaging", averages > 1)
        self.put("group_count", averages)
        self.put("data_format", "REAL,64")
        self.put("byte_order", "low")

    def sweep(self) -> None:
        """One group of sweeps; returns when it is complete."""
        patience = self.group_count * self.sweep_time + SPARE_TIME
        self.write("SENS:AVER:CLE")
        self.sweep_mode = "group"
        with self.patience(patience):
            answer = self.ask("*OPC?").strip()
        if answer != "1":
            raise self.spoilt(f"{answer!r} came", "1, the sweeps are complete")

    def _numbers(self, what: str, count: int) -> np.ndarray:
        """`count` numbers of measurement 1."""
        with self.turn():
            self.write(f"CALC:MEAS1:{what}?")
            numbers = np.frombuffer(self.read_block(8 * count), dtype="<f8").astype(float)
        if not np.all(np.isfinite(numbers)):
            raise self.error(ProtocolError, f"{what} holds infinities or not-a-numbers", "numbers")
        return numbers

    def settings(self) -> dict[str, float | str | bool]:
        """Centre, span and bandwidth [Hz], points, power [dBm] and output, read back."""
        return {"centre": self.centre, "span": self.span, "points": self.points, "bandwidth": self.bandwidth,
                "power": self.power, "output": self.output}

    def _to_safe_state(self) -> None:
        self.put("output", False)

    def _read_safe_state(self) -> tuple[bool, str]:
        on = self.output
        return not on, f"RF output {'on' if on else 'off'}"
