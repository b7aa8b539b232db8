"""Keysight PNA N5222B at the cavity's loop: port 1 sees its reflection, port 2 what the circulator passes on.

One channel with two measurements, S11 and S21. While its output is on it drives the mode: at the sweep's
centre while it sweeps, at its start while it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ClassVar

import numpy as np

from .clock import done_after
from .network_analysis import FORMATS, Path, displayed, interleaved, noise
from .scpi import ScpiError, block
from .scpi_device import Command, Later, Request, ScpiDevice, action, query, setting
from .scpi_values import Boolean, Choice, Integer, Kind, Number, Text
from .tone import Tone
from .virtual_cavity import VirtualCavity

LOWEST, HIGHEST = 10e6, 26.5e9  # [Hz]
NAMES = {1: "CH1_S11_1", 2: "CH1_S21_2"}
OVERHEAD = 1.2  # time for one point in units of 1/bandwidth
_CHANNEL, _MEASUREMENTS, _MARKERS = range(1, 2), range(1, 3), range(1, 16)
_HZ = Number("HZ", LOWEST, HIGHEST)
_MODE = Choice("HOLD", "CONTinuous", "GROups", "SINGle")
_NUMBERS = {"REAL,32": "f4", "REAL,64": "f8"}


def _marker(header: str, name: str, kind: Kind) -> tuple[Command, Command]:
    """One value for each marker of each measurement."""
    pattern = f"CALCulate<n>:MEASure<n>:MARKer<n>{header}"
    suffixes = (_CHANNEL, _MEASUREMENTS, _MARKERS)

    def put(self: KeysightPNA, request: Request) -> None:
        self.settings[_marker_key(request, name)] = request.values[0]

    def get(self: KeysightPNA, request: Request) -> str:
        return kind.show(self.settings[_marker_key(request, name)])

    return action(pattern, put, kind, suffixes=suffixes), query(pattern, get, suffixes=suffixes)


def _marker_key(request: Request, name: str) -> str:
    _, measurement, marker = request.suffixes
    return f"marker{measurement}.{marker}.{name}"


def _of(answer: Callable[[KeysightPNA, int], Any]) -> Callable[[KeysightPNA, Request], Any]:
    """A question about the measurement that the header names."""
    return lambda self, request: answer(self, request.suffixes[1])


def _measurement(header: str, answer: Callable[[KeysightPNA, int], Any]) -> Command:
    return query(f"CALCulate<n>:MEASure<n>{header}", _of(answer), suffixes=(_CHANNEL, _MEASUREMENTS))
ISOLATION = 120.0  # [dB] of the source when its output is off, which cuts the path and its amplifier


class KeysightPNA(ScpiDevice):
    """Sweeps of complex S11 and S21 with bandwidth, averages and power; ASCII, REAL,32 and REAL,64."""

    identity: ClassVar = "Keysight Technologies,N5222B,SIMULATED-MY0003,A.15.55.06"
    commands: ClassVar = (
        setting("SENSe<n>:FREQuency:STARt", "start", _HZ, 1.4445e9, _CHANNEL),
        setting("SENSe<n>:FREQuency:STOP", "stop", _HZ, 1.4545e9, _CHANNEL),
        setting("SENSe<n>:FREQuency:CENTer", "centre", _HZ, 1.4495e9, _CHANNEL),
        setting("SENSe<n>:FREQuency:SPAN", "span", Number("HZ", 0.0, HIGHEST - LOWEST), 10e6, _CHANNEL),
        setting("SENSe<n>:FREQuency[:CW]", "cw", _HZ, 1e9, _CHANNEL),
        setting("SENSe<n>:SWEep:POINts", "points", Integer(1, 100001), 201, _CHANNEL),
        setting("SENSe<n>:SWEep:TYPE", "sweep_type",
                Choice("LINear", "LOGarithmic", "POWer", "CW", "SEGMent", "PHASe"), "LIN", _CHANNEL),
        setting("SENSe<n>:SWEep:MODE", "mode", _MODE, "HOLD", _CHANNEL),
        setting("SENSe<n>:SWEep:GROups:COUNt", "group_count", Integer(1, 2000000), 1, _CHANNEL),
        query("SENSe<n>:SWEep:TIME", lambda self, request: f"{self.sweep_time():.9g}"),
        setting("SENSe<n>:BANDwidth[:RESolution]", "bandwidth", Number("HZ", 1.0, 15e6), 100e3, _CHANNEL),
        setting("SENSe<n>:AVERage[:STATe]", "averaging", Boolean(), False, _CHANNEL),
        setting("SENSe<n>:AVERage:COUNt", "averages", Integer(1, 65536), 1, _CHANNEL),
        action("SENSe<n>:AVERage:CLEar", lambda self, request: self.clear_average()),
        query("SENSe<n>:ROSCillator:SOURce", lambda self, request: "EXT" if self.reference else "INT"),
        setting("SOURce<n>:POWer<n>[:LEVel][:IMMediate][:AMPLitude]", "power", Number("DBM", -95.0, 20.0),
                -20.0, _CHANNEL, range(1, 5)),  # ports are coupled
        setting("OUTPut[:STATe]", "output", Boolean(), True),
        setting("TRIGger[:SEQuence]:SOURce", "trigger", Choice("EXTernal", "IMMediate", "MANual"), "IMM"),
        action("INITiate<n>[:IMMediate]", lambda self, request: self.sweep(1)),
        action("ABORt", lambda self, request: self.abort()),
        action("SYSTem:PRESet", lambda self, request: self.restore()),
        action("MMEMory:LOAD", lambda self, request: None, Text()),
        query("SYSTem:CHANnels:CATalog", lambda self, request: '"1"'),
        query("SYSTem:MEASure:CATalog", lambda self, request: '"1,2"', Integer(1, 1), optional=1),
        action("FORMat[:DATA]", lambda self, request: self.set_format(*request.values),
               Choice("ASCii", "REAL"), Integer(0, 64), optional=1),
        query("FORMat[:DATA]", lambda self, request: self.settings["format"]),
        setting("FORMat:BORDer", "byte_order", Choice("NORMal", "SWAPped"), "NORM"),
        _measurement(":X[:VALues]", lambda self, number: self.encode(self.frequencies())),
        _measurement(":DATA:SDATA", lambda self, number: self.when_swept(number, interleaved)),
        _measurement(":DATA:FDATA", lambda self, number: self.when_swept(number, self.shown(number))),
        _measurement(":X:AXIS:UNIT", lambda self, number: "FREQ"),
        _measurement(":Y:AXIS:UNIT", lambda self, number: FORMATS[self.settings[f"form{number}"]]),
        _measurement(":PARameter", lambda self, number: f'"{self.settings[f"parameter{number}"]}"'),
        action("CALCulate<n>:MEASure<n>:PARameter", lambda self, request: self.set_parameter(
            request.suffixes[1], request.values[0]), Text(), suffixes=(_CHANNEL, _MEASUREMENTS)),
        *_marker("[:STATe]", "on", Boolean()),
        *_marker(":DISCrete", "discrete", Boolean()),
        *_marker(":X", "x", Number("HZ", 0.0, HIGHEST)),
        query("CALCulate<n>:MEASure<n>:MARKer<n>:Y", lambda self, request: self.marker_value(request),
              suffixes=(_CHANNEL, _MEASUREMENTS, _MARKERS)),
        # The older commands work on the measurement that is selected.
        action("CALCulate<n>:PARameter:SELect", lambda self, request: self.select(request.values[0]), Text()),
        setting("CALCulate<n>:PARameter:MNUMber[:SELect]", "selected", Integer(1, 2), 1, _CHANNEL),
        query("CALCulate<n>:PARameter:CATalog:EXTended", lambda self, request: self.catalogue()),
        action("CALCulate<n>:PARameter:MODify:EXTended", lambda self, request: self.set_parameter(
            self.settings["selected"], request.values[0]), Text()),
        action("CALCulate<n>:FORMat", lambda self, request: self.set_form(request.values[0]),
               Choice("MLINear", "MLOGarithmic", "PHASe", "UPHase", "IMAGinary", "REAL", "POLar", "SMITh",
                      "GDELay")),
        query("CALCulate<n>:FORMat", lambda self, request: self.settings[f"form{self.settings['selected']}"]),
        query("CALCulate<n>:DATA", lambda self, request: self.selected_data(request.values[0]),
              Choice("FDATA", "SDATA")),
        setting("CALCulate<n>:CORRection:EDELay:TIME", "electrical_delay", Number("S", -10.0, 1e5), 0.0,
                _CHANNEL),
        query("*OPT", lambda self, request: '"419,S93007B"'),
    )

    def __init__(self, role: str, cavity: VirtualCavity, cable_delay: float = 0.0, loss: float = 0.0) -> None:
        self.role, self.cavity = role, cavity
        self.reference = cavity.world.shared_reference  # 10 MHz at the rear
        self.paths = {"S11": Path(cable_delay), "S21": Path(cable_delay, loss)}
        self.measured: dict[str, np.ndarray] = {}
        self.swept = 0
        self.sweeping: Future[Any] | None = None
        super().__init__()
        self.settings["output"] = False  # as whoever used it last has left it
        self.changed("output")

    def restore(self) -> None:
        """*RST and SYSTem:PRESet: the output is on then, as on the real one."""
        super().restore()
        self.settings |= {"format": "ASC,0", "parameter1": "S11", "parameter2": "S21", "form1": "MLOG",
                          "form2": "MLOG"}
        for measurement in _MEASUREMENTS:
            for marker in _MARKERS:
                key = f"marker{measurement}.{marker}."
                self.settings |= {key + "on": False, key + "discrete": False, key + "x": 1.4495e9}
        self.abort()
        self.clear_average()
        self.changed("output")

    def changed(self, name: str) -> None:
        s = self.settings
        if name in ("start", "stop"):
            if s["start"] > s["stop"]:
                s["stop" if name == "start" else "start"] = s[name]
            s["centre"], s["span"] = 0.5 * (s["start"] + s["stop"]), s["stop"] - s["start"]
        elif name in ("centre", "span"):
            s["start"] = max(LOWEST, s["centre"] - 0.5 * s["span"])
            s["stop"] = min(HIGHEST, s["centre"] + 0.5 * s["span"])
        elif name == "mode" and s["mode"] != "HOLD" and s["trigger"] == "IMM":
            self.sweep(s["group_count"] if s["mode"] == "GRO" else 1)
        if name in ("start", "stop", "centre", "span", "points", "bandwidth", "power", "averages"):
            self.clear_average()
        sweeps = s["mode"] != "HOLD" or self.pending() is not None
        self.cavity.tones[self.role] = Tone(s["centre"] if sweeps else s["start"], s["power"], s["output"],
                                            isolation=ISOLATION)

    def set_format(self, kind: str, bits: int | None = None) -> None:
        """ASCii; REAL,32; REAL,64."""
        if kind == "REAL" and bits not in (None, 32, 64):
            raise ScpiError(-224, f"REAL,{bits} is none of REAL,32 and REAL,64")
        self.settings["format"] = f"REAL,{bits or 64}" if kind == "REAL" else "ASC,0"

    def set_parameter(self, measurement: int, parameter: str) -> None:
        """S11 or S21 for a measurement; the reverse ones see an amplifier's output and are not offered."""
        if parameter.upper() not in self.paths:
            raise ScpiError(-224, f"{parameter} is none of {', '.join(self.paths)}")
        self.settings[f"parameter{measurement}"] = parameter.upper()

    def set_form(self, form: str) -> None:
        """Display format of the selected measurement."""
        self.settings[f"form{self.settings['selected']}"] = form

    def select(self, name: str) -> None:
        """The measurement by its name."""
        numbers = {known: number for number, known in NAMES.items()}
        if name not in numbers:
            raise ScpiError(-224, f"{name} is none of {', '.join(numbers)}")
        self.settings["selected"] = numbers[name]

    def catalogue(self) -> str:
        """Names and parameters of the measurements, in turn."""
        return '"' + ",".join(f"{NAMES[n]},{self.settings[f'parameter{n}']}" for n in NAMES) + '"'

    # --- sweeping -------------------------------------------------------------------------------------

    def frequencies(self) -> np.ndarray:
        """[Hz] (points,): equal steps, equal ratios, or one frequency, as the sweep's type says."""
        s = self.settings
        if s["sweep_type"] == "CW":
            return np.full(s["points"], s["cw"])
        return (np.geomspace if s["sweep_type"] == "LOG" else np.linspace)(s["start"], s["stop"], s["points"])

    def sweep_time(self) -> float:
        """One sweep [s]."""
        return OVERHEAD * self.settings["points"] / self.settings["bandwidth"]

    def pending(self) -> Future[Any] | None:
        return self.sweeping if self.sweeping is not None and not self.sweeping.done() else None

    def clear_average(self) -> None:
        """The next sweep is the first of its average."""
        self.swept = 0

    def abort(self) -> None:
        """No sweep is under way any more; whoever waits is let go."""
        waiting = self.pending()
        if waiting is not None:
            waiting.set_result(None)

    def sweep(self, count: int) -> None:
        """`count` sweeps from now on, of the cavity as it is now; then it holds, unless continuous."""
        overtaken = self.pending()
        self._measure(count)
        self.sweeping = done_after(self.cavity.clock, count * self.sweep_time())
        self.sweeping.add_done_callback(self._swept)
        if overtaken is not None:
            overtaken.set_result(None)

    def _swept(self, sweeping: Future[Any]) -> None:
        if sweeping is self.sweeping and self.settings["mode"] != "CONT":
            self.settings["mode"] = "HOLD"
            self.changed("output")

    def _measure(self, count: int) -> None:
        s = self.settings
        frequencies = self.frequencies()
        reflection = self.cavity.reflection(frequencies)
        power = Tone(power=s["power"], on=s["output"]).level()
        random = self.cavity.sweep_noise(self.role)
        before = min(self.swept, s["averages"] - 1) if s["averaging"] else 0
        fresh = min(count, s["averages"]) if s["averaging"] else 1
        for name, path in self.paths.items():
            values = path.through(frequencies, reflection)
            values = values + noise(random, len(frequencies), s["bandwidth"], power, fresh)
            if before:
                values = (before * self.measured[name] + fresh * values) / (before + fresh)
            self.measured[name] = values
        self.swept = before + fresh

    # --- reading --------------------------------------------------------------------------------------

    def shown(self, number: int) -> Callable[[np.ndarray], np.ndarray]:
        """What the screen makes of a measurement's values."""
        form = self.settings[f"form{number}"]
        return lambda values: displayed(self.frequencies(), values, form)

    def values(self, number: int) -> np.ndarray:
        """Complex S (points,) of a measurement, electrical delay taken off; ScpiError before any sweep."""
        if self.settings["mode"] == "CONT" or not self.measured:
            self._measure(1)
        values = self.measured[self.settings[f"parameter{number}"]]
        if len(values) != self.settings["points"]:
            raise ScpiError(-230, "the points were changed after the last sweep; sweep again")
        return values * np.exp(2j * np.pi * self.frequencies() * self.settings["electrical_delay"])

    def when_swept(self, number: int,
                   form: Callable[[np.ndarray], np.ndarray]) -> Later | bytes | str:
        """The data of a measurement; waits for a sweep that is under way."""
        waiting = self.pending()
        if waiting is None:
            return self.encode(form(self.values(number)))
        return Later(waiting, lambda _: self.encode(form(self.values(number))))

    def selected_data(self, kind: str) -> Later | bytes | str:
        """CALCulate:DATA? of the selected measurement."""
        number = self.settings["selected"]
        return self.when_swept(number, interleaved if kind == "SDATA" else self.shown(number))

    def encode(self, numbers: np.ndarray) -> bytes | str:
        """As FORMat and FORMat:BORDer say."""
        if self.settings["format"] == "ASC,0":
            return ",".join(f"{x:+.11E}" for x in numbers)
        order = "<" if self.settings["byte_order"] == "SWAP" else ">"
        return block(numbers.astype(order + _NUMBERS[self.settings["format"]]).tobytes())

    def marker_value(self, request: Request) -> str:
        """Level and, as the manual has it, a second number that is 0 for real formats."""
        number = request.suffixes[1]
        frequencies, levels = self.frequencies(), self.shown(number)(self.values(number))
        columns = levels.reshape(len(frequencies), -1)
        at = self.settings[_marker_key(request, "x")]
        if self.settings[_marker_key(request, "discrete")]:
            at = frequencies[np.argmin(np.abs(frequencies - at))]
        pair = [float(np.interp(at, frequencies, column)) for column in columns.T]
        return ",".join(f"{value:+.11E}" for value in (*pair, 0.0)[:2])
