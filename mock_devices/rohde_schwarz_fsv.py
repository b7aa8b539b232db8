"""R&S FSV signal analyser on the circulator behind the cavity: reflection of a tone, and bursts in zero span.

A free-running sweep shows what one would really see of a 10 us burst at 10 Hz: an isolated spike where the
oscillator happens to stand, or nothing. An externally triggered zero span shows the burst's power through the
resolution filter. What the filters do is in `resolution_filter`.
"""

from __future__ import annotations

import struct
from concurrent.futures import Future
from functools import partial
from typing import Any, ClassVar

import numpy as np

from .analyser_sweep import Gate, Taking
from .burst import Burst
from .clock import done_after
from .resolution_filter import Sweep
from .scpi import ScpiError, block
from .scpi_device import Later, Request, ScpiDevice, action, query, setting
from .scpi_values import Boolean, Choice, Integer, Number
from .streams import stream
from .virtual_cavity import VirtualCavity

TOP = 13.6e9  # [Hz]
NOISE_DENSITY = -150.0  # displayed noise [dBm/Hz], 0 dB attenuation, preamplifier off
SETTLING = 1e-3  # [s] of the oscillator before a sweep
MIXER_LIMIT = 5.0  # [dBm] behind the attenuator; above it the front end says that it is overloaded
RF_OVERLOAD, IF_OVERLOAD = 1, 4  # bits of STATus:QUEStionable:POWer
_MARKERS = range(1, 5)
_HZ = Number("HZ", 10.0, TOP)
_WIDTH = Number("HZ", 1.0, 40e6)


class RohdeSchwarzFSV(ScpiDevice):
    """FSV13: spectrum and zero span, detectors, markers, ASCII and REAL,32 traces."""

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
        setting("[:SENSe<n>]:DETector<n>[:FUNCtion]", "detector",
                Choice("APEak", "POSitive", "NEGative", "SAMPle", "RMS", "AVERage"), "APE",
                range(1, 2), range(1, 2)),
        query("STATus:QUEStionable:POWer:CONDition", lambda self, request: str(self.overload())),
        query("STATus:QUEStionable:POWer[:EVENt]", lambda self, request: self.read_overload()),
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
        setting("TRIGger[:SEQuence]:HOLDoff[:TIME]", "trigger_delay", Number("S", 0.0, 30.0), 0.0),
        setting("[:SENSe<n>]:SWEep:EGATe", "gated", Boolean(), False, range(1, 2)),
        setting("[:SENSe<n>]:SWEep:EGATe:HOLDoff", "gate_delay", Number("S", 0.0, 30.0), 0.0, range(1, 2)),
        setting("[:SENSe<n>]:SWEep:EGATe:LENGth", "gate_length", Number("S", 1e-7, 30.0), 400e-6,
                range(1, 2)),
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
        super().__init__()
        cavity.analyser = self

    def restore(self) -> None:
        super().restore()
        self.settings["form"] = "ASC,0"
        self.levels: np.ndarray | None = None
        self.sweeping: Future[Any] | None = None
        self.awaits_trigger = False
        self._taking: Taking | None = None
        self._passing: Future[Burst] | None = None  # the last burst since a free-running sweep was shown
        self._overloaded = 0

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
        self._taking = self._look()
        if self.settings["trigger"] == "EXT" or self.settings["gated"]:
            self.sweeping, self.awaits_trigger = Future(), True
        else:
            self.sweeping = done_after(self.cavity.clock, SETTLING + self.settings["sweep_time"])

    def abort(self) -> None:
        """No sweep is under way any more; whoever waits is let go."""
        waiting = self.pending()
        self.awaits_trigger = False
        if waiting is not None:
            self._taking = None
            waiting.set_result(None)

    @property
    def free_running(self) -> bool:
        """True while it sweeps without end and without a trigger."""
        s = self.settings
        return bool(s["continuous"]) and s["trigger"] == "IMM" and not s["gated"]

    @property
    def watching(self) -> bool:
        """True when it would see a burst."""
        return self.free_running or self.pending() is not None

    def triggered(self, burst: Future[Burst] | None) -> None:
        """The bench's trigger, with the future of what it brings, None if dark."""
        if self.awaits_trigger and self._taking is not None:
            self._started(self._taking, burst)
        elif self.pending() is not None and self._taking is not None:
            self._taking = self._taking.met(burst, self._anywhere(self._taking))
        elif self.free_running and burst is not None:
            self._passing = burst

    def _started(self, taking: Taking, burst: Future[Burst] | None) -> None:
        """A sweep that has waited for the trigger: all of it follows, or as much as the gate lets through."""
        s = self.settings
        if s["gated"]:
            gate = Gate(s["gate_delay"], s["gate_length"])
            self._taking = taking.gated(burst, gate)
            if self._taking.triggers * gate.length < s["sweep_time"]:
                return
        else:
            self._taking = taking.met(burst, -s["trigger_delay"])
        self.awaits_trigger = False
        assert self.sweeping is not None
        if burst is None:
            self.sweeping.set_result(None)
        else:
            burst.add_done_callback(partial(_finish, self.sweeping))

    def _anywhere(self, taking: Taking) -> float:
        """When [s] in a sweep that runs freely a burst comes: nothing ties the two, but bursts are a period
        apart.
        """
        if taking.meetings:
            return taking.meetings[-1].moment + 1.0 / self.cavity.repetition_rate
        where = stream(self.cavity.seed, "free run", 2 * self.cavity.triggers).random()
        return where * (SETTLING + taking.sweep.time) - SETTLING

    def _look(self) -> Taking:
        """A sweep as it is set, and the tone that comes back from the cavity."""
        s = self.settings
        noise = 10.0 ** ((NOISE_DENSITY + s["attenuation"]) / 10.0) * s["resolution"]
        detector = "POS" if s["detector"] == "APE" else s["detector"]
        sweep = Sweep(*self.ends(), s["resolution"], s["video"], s["sweep_time"], s["points"], detector,
                      noise, self.loss)
        return Taking(sweep, self.cavity.sweep_noise(), self.cavity.reflected_tone())

    def _free_run(self) -> Taking:
        """The sweep on the screen of a free-running analyser, with a burst if one fell into it."""
        taking, passing = self._look(), self._passing
        self._passing = None
        chance = taking.sweep.time * self.cavity.repetition_rate
        if passing is None:
            return taking
        drawn = stream(self.cavity.seed, "free run", 2 * self.cavity.triggers + 1).random()
        return taking.met(passing, self._anywhere(taking)) if drawn < chance else taking

    # --- reading --------------------------------------------------------------------------------------

    def _trace(self) -> np.ndarray:
        if self.free_running:
            self._taking = self._free_run()
        if self._taking is not None and not self.awaits_trigger:
            found = self._measured(self._taking)
            held = self.levels if self.settings["trace_mode"] == "MAXH" else None
            self.levels = found if held is None or len(held) != len(found) else np.maximum(held, found)
            self._taking = None
        if self.levels is None:
            raise ScpiError(-230, "no sweep has been taken; INITiate first")
        return self.levels

    def _measured(self, taking: Taking) -> np.ndarray:
        watts = self.cavity.world.receivers["burst"].watts_per_photon * 10.0 ** (-self.loss / 10.0)
        levels = taking.levels(watts)
        if levels.max() > self.settings["reference_level"]:
            self._overloaded |= IF_OVERLOAD
        if self.overload() & RF_OVERLOAD:
            self._overloaded |= RF_OVERLOAD
        return levels

    def overload(self) -> int:
        """What is too strong now: the tone at the mixer, and the last trace against the reference level."""
        tone, s = self.cavity.reflected_tone(), self.settings
        strong = tone is not None and tone[1] - self.loss - s["attenuation"] > MIXER_LIMIT
        high = self.levels is not None and self.levels.max() > s["reference_level"]
        return RF_OVERLOAD * strong + IF_OVERLOAD * high

    def read_overload(self) -> str:
        """The event register: what has been too strong since it was last asked."""
        self._overloaded, found = 0, self._overloaded | self.overload()
        return str(found)

    def trace_reply(self) -> Later | bytes | str:
        """TRACe?: waits for a sweep that is under way, and for the burst in it."""
        waiting = self.pending()
        if waiting is None and self._taking is not None:
            waiting = self._taking.unknown
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
        low, high = self.ends()
        share = (self.settings[f"marker{request.suffixes[0]}.x"] - low) / max(high - low, 1e-9)
        last = len(levels) - 1  # of the sweep as it was taken: the points may have been set since
        return f"{levels[int(np.clip(round(share * last), 0, last))]:.6f}"

    def marker_to_peak(self, request: Request) -> None:
        """The marker goes to the highest point."""
        number = request.suffixes[0]
        levels = self._trace()
        self.settings[f"marker{number}"] = True
        self.settings[f"marker{number}.x"] = float(np.linspace(*self.ends(), len(levels))[np.argmax(levels)])


def _finish(sweeping: Future[Any], _: Future[Burst]) -> None:
    """A triggered sweep is over when its burst is known, unless it was broken off."""
    if not sweeping.done():
        sweeping.set_result(None)
