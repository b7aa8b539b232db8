"""R&S FSV signal analyser on the circulator behind the cavity: reflection of a tone, and bursts in zero span.

A free-running sweep shows what one would really see: a 10 us burst at 10 Hz fills 1e-4 of it: nothing.
An externally triggered zero span shows the burst's power through the resolution filter.
"""

from __future__ import annotations

import struct
from concurrent.futures import Future
from typing import Any, ClassVar

import numpy as np

from .clock import done_after
from .scpi import ScpiError, block
from .scpi_device import Later, Request, ScpiDevice, action, query, setting
from .scpi_values import Boolean, Choice, Integer, Number
from .virtual_cavity import VirtualCavity

TOP = 13.6e9  # [Hz]
NOISE_DENSITY = -150.0  # displayed noise [dBm/Hz], 0 dB attenuation, preamplifier off
_MARKERS = range(1, 5)
_HZ = Number("HZ", 10.0, TOP)
_WIDTH = Number("HZ", 1.0, 40e6)


class RohdeSchwarzFSV(ScpiDevice):
    """FSV13: spectrum and zero span, markers, ASCII and REAL,32 traces."""

    identity: ClassVar = "Rohde&Schwarz,FSV-13,SIMULATED-100001,3.60"
    commands: ClassVar = (
        setting("[:SENSe<n>]:FREQuency:CENTer", "centre", _HZ, 1.4495e9, range(1, 2)),
        setting("[:SENSe<n>]:FREQuency:SPAN", "span", Number("HZ", 0.0, TOP), 10e6, range(1, 2)),
        action("[:SENSe<n>]:FREQuency:STARt", lambda self, request: self.set_ends(request.values[0]), _HZ),
        query("[:SENSe<n>]:FREQuency:STARt", lambda self, request: f"{self.ends()[0]:.15g}"),
        action("[:SENSe<n>]:FREQuency:STOP", lambda self, request: self.set_ends(stop=request.values[0]),
               _HZ),
        query("[:SENSe<n>]:FREQuency:STOP", lambda self, request: f"{self.ends()[1]:.15g}"),
        setting("[:SENSe<n>]:BANDwidth[:RESolution]", "resolution", _WIDTH, 100e3, range(1, 2)),
        setting("[:SENSe<n>]:BANDwidth[:RESolution]:AUTO", "resolution_auto", Boolean(), True, range(1, 2)),
        setting("[:SENSe<n>]:BANDwidth:VIDeo", "video", _WIDTH, 100e3, range(1, 2)),
        setting("[:SENSe<n>]:BANDwidth:VIDeo:AUTO", "video_auto", Boolean(), True, range(1, 2)),
        setting("[:SENSe<n>]:SWEep:TIME", "sweep_time", Number("S", 1e-6, 16000.0), 1e-3, range(1, 2)),
        setting("[:SENSe<n>]:SWEep:TIME:AUTO", "sweep_auto", Boolean(), True, range(1, 2)),
        setting("[:SENSe<n>]:SWEep:POINts", "points", Integer(101, 32001), 691, range(1, 2)),
        setting("INPut<n>:ATTenuation", "attenuation", Number("DB", 0.0, 75.0), 10.0, range(1, 2)),
        setting("DISPlay[:WINDow<n>]:TRACe<n>:Y[:SCALe]:RLEVel", "reference_level",
                Number("DBM", -130.0, 30.0), 0.0, range(1, 2)),
        setting("DISPlay[:WINDow<n>]:TRACe<n>:MODE", "trace_mode",
                Choice("WRITe", "MAXHold", "MINHold", "AVERage", "VIEW", "BLANk"), "WRIT", range(1, 2)),
        setting("INITiate:CONTinuous", "continuous", Boolean(), True),
        action("INITiate[:IMMediate]", lambda self, request: self.sweep()),
        action("INITiate:CONMeas", lambda self, request: self.sweep()),
        action("ABORt", lambda self, request: self.abort()),
        action("FORMat[:DATA]", lambda self, request: self.set_format(request),
               Choice("ASCii", "REAL"), Integer(32, 32), optional=1),
        query("FORMat[:DATA]", lambda self, request: self.settings["form"]),
        query("TRACe<n>[:DATA]", lambda self, request: self.trace_reply(), Choice("TRACE1"), optional=1),
        setting("TRIGger[:SEQuence]:SOURce", "trigger",
                Choice("IMMediate", "EXTern", "VIDeo", "IFPower"), "IMM"),
        setting("CALCulate:MARKer<n>[:STATe]", "marker{0}", Boolean(), False, _MARKERS),
        setting("CALCulate:MARKer<n>:X", "marker{0}.x", Number("HZ", 0.0, TOP), 1.4495e9, _MARKERS),
        query("CALCulate:MARKer<n>:Y", lambda self, request: self.marker_level(request),
              suffixes=(_MARKERS,)),
        action("CALCulate:MARKer<n>:MAXimum[:PEAK]", lambda self, request: self.marker_to_peak(request),
               suffixes=(_MARKERS,)),
        setting("CALCulate:MARKer<n>:PEXCursion", "excursion", Number("DB", 0.0, 200.0), 6.0, _MARKERS),
        setting("CALCulate:UNIT:POWer", "unit", Choice("DBM"), "DBM"),
    )

    def __init__(self, cavity: VirtualCavity, loss: float = 0.0) -> None:
        self.cavity, self.loss = cavity, loss
        self.levels: np.ndarray | None = None
        self.sweeping: Future[Any] | None = None
        self.awaits_trigger = False
        super().__init__()
        cavity.analyser = self

    def restore(self) -> None:
        super().restore()
        self.settings["form"] = "ASC,0"
        self.levels, self.sweeping, self.awaits_trigger = None, None, False

    def changed(self, name: str) -> None:
        s = self.settings
        automatic = {"resolution": "resolution_auto", "video": "video_auto", "sweep_time": "sweep_auto"}
        if name in automatic:
            s[automatic[name]] = False
        if s["resolution_auto"] and s["span"]:
            s["resolution"] = min(10e6, max(1.0, s["span"] / 100.0))
        if s["video_auto"]:
            s["video"] = min(s["resolution"], 40e6)
        if s["sweep_auto"] and s["span"]:
            slower = min(s["resolution"], s["video"])
            s["sweep_time"] = max(1e-3, 2.5 * s["span"] / (s["resolution"] * slower))

    def set_ends(self, start: float | None = None, stop: float | None = None) -> None:
        """Start and stop frequency; the other end stays."""
        low, high = self.ends()
        low, high = (low if start is None else start), (high if stop is None else stop)
        if high < low:
            raise ScpiError(-221, "start lies above stop")
        self.settings["centre"], self.settings["span"] = 0.5 * (low + high), high - low
        self.changed("span")

    def ends(self) -> tuple[float, float]:
        """(start, stop) [Hz]."""
        half = 0.5 * self.settings["span"]
        return self.settings["centre"] - half, self.settings["centre"] + half

    def set_format(self, request: Request) -> None:
        """ASCii, or REAL,32."""
        self.settings["form"] = "REAL,32" if request.values[0] == "REAL" else "ASC,0"

    # --- sweeping -------------------------------------------------------------------------------------

    def pending(self) -> Future[Any] | None:
        return self.sweeping if self.sweeping is not None and not self.sweeping.done() else None

    def sweep(self) -> None:
        """One sweep: at once, or when the bench's trigger comes."""
        self.abort()
        if self.settings["trigger"] == "EXT":
            self.sweeping, self.awaits_trigger = Future(), True
            return
        self.levels = self._measure()
        self.sweeping = done_after(self.cavity.clock, self.settings["sweep_time"])

    def abort(self) -> None:
        """No sweep is under way any more; whoever waits is let go."""
        waiting = self.pending()
        self.awaits_trigger = False
        if waiting is not None:
            waiting.set_result(None)

    def triggered(self, power: Future[Any] | None) -> None:
        """The bench's trigger; `power` is the future of what `record.port_power` gives, None if dark."""
        if not self.awaits_trigger or self.sweeping is None:
            return
        self.awaits_trigger = False
        levels = self._measure()
        sweeping = self.sweeping
        if power is None or self.settings["span"]:
            self.levels = levels
            sweeping.set_result(None)
            return
        times = np.linspace(0.0, self.settings["sweep_time"], self.settings["points"])
        resolution, centre = self.settings["resolution"], self.settings["centre"]

        def finished(done: Future[Any]) -> None:
            watts = done.result()(times, resolution, centre) * 10.0 ** (-self.loss / 10.0)
            self.levels = 10.0 * np.log10(10.0 ** (levels / 10.0) + 1e3 * watts)
            if not sweeping.done():
                sweeping.set_result(None)

        power.add_done_callback(finished)

    def _measure(self) -> np.ndarray:
        """Levels [dBm] of the tone that the cavity reflects, through the filter, with noise."""
        s = self.settings
        frequencies = np.linspace(*self.ends(), s["points"])
        noise_power = NOISE_DENSITY + s["attenuation"] + 10.0 * np.log10(s["resolution"])
        averages = int(min(64, max(1, s["resolution"] / s["video"])))
        random = self.cavity.sweep_noise()
        noise = random.normal(size=(2, averages, s["points"])) * np.sqrt(0.5 * 10.0 ** (noise_power / 10.0))
        tone = self.cavity.reflected_tone()
        amplitude = np.zeros(s["points"])
        if tone is not None:
            frequency, level = tone
            rejection = 10.0 * np.log10(2.0) * (2.0 * (frequencies - frequency) / s["resolution"]) ** 2
            amplitude = 10.0 ** ((level - self.loss - rejection) / 20.0)
        return np.mean(20.0 * np.log10(np.hypot(noise[0] + amplitude, noise[1]) + 1e-30), axis=0)

    # --- reading --------------------------------------------------------------------------------------

    def _trace(self) -> np.ndarray:
        if self.settings["continuous"] and self.settings["trigger"] == "IMM":
            self.levels = self._measure()
        if self.levels is None:
            raise ScpiError(-230, "no sweep has been taken; INITiate first")
        return self.levels

    def trace_reply(self) -> Later | bytes | str:
        """TRACe?: waits for a sweep that is under way."""
        waiting = self.pending()
        return self._encode() if waiting is None else Later(waiting, lambda _: self._encode())

    def _encode(self) -> bytes | str:
        levels = self._trace()
        if self.settings["form"] == "REAL,32":
            return block(struct.pack(f"<{len(levels)}f", *levels))
        return ",".join(f"{x:.6f}" for x in levels)

    def marker_level(self, request: Request) -> str:
        """Level at a marker [dBm]; in zero span its X is not used and the trace's mean is read."""
        levels = self._trace()
        if not self.settings["span"]:
            return f"{10.0 * np.log10(np.mean(10.0 ** (levels / 10.0))):.6f}"
        return f"{levels[self._index(self.settings[f'marker{request.suffixes[0]}.x'])]:.6f}"

    def _index(self, frequency: float) -> int:
        low, high = self.ends()
        share = (frequency - low) / max(high - low, 1e-9)
        return int(np.clip(round(share * (self.settings["points"] - 1)), 0, self.settings["points"] - 1))

    def marker_to_peak(self, request: Request) -> None:
        """The marker goes to the highest point."""
        number = request.suffixes[0]
        peak = int(np.argmax(self._trace()))
        self.settings[f"marker{number}"] = True
        self.settings[f"marker{number}.x"] = float(np.linspace(*self.ends(), self.settings["points"])[peak])
