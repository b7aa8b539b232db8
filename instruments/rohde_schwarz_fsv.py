"""Driver of Rohde & Schwarz FSV, FSL and FSW spectrum analysers: sweeps, and zero span as a receiver.

PyMeasure's `FSL` fetches traces as text; this one fetches them as 32-bit floats. Commands: R&S FSV
operating manual, "Remote control".

It cannot see a burst of 10 us at 10 Hz without a gate, and averaging its trace in dB would read noise
2.5 dB low; powers are averaged in watts here.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pymeasure.instruments import Instrument, SCPIMixin
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from .errors import ProtocolError
from .scpi_instrument import Guarded

SPARE_TIME = 2.0        # [s] allowed to a sweep beyond its own time
DETECTORS = {"auto peak": "APE", "positive peak": "POS", "negative peak": "NEG", "sample": "SAMP",
             "rms": "RMS", "average": "AVER"}


class RohdeSchwarzFSV(Guarded, SCPIMixin, Instrument):
    """The FSV. It emits nothing; its safe state is that it answers."""

    models = r"FS[A-Z]"
    session_settings: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}

    centre = Instrument.control(
        "FREQ:CENT?", "FREQ:CENT %.3f", """Control the centre frequency in Hz (9 kHz to 40 GHz).""",
        validator=strict_range, values=[9e3, 40e9], dynamic=True, check_set_errors=True)

    span = Instrument.control(
        "FREQ:SPAN?", "FREQ:SPAN %.3f", """Control the span in Hz; 0 is zero span.""",
        validator=strict_range, values=[0, 40e9], dynamic=True, check_set_errors=True)

    resolution_bandwidth = Instrument.control(
        "BAND:RES?", "BAND:RES %.3f", """Control the resolution bandwidth in Hz.""",
        validator=strict_range, values=[1, 40e6], dynamic=True, check_set_errors=True)

    video_bandwidth = Instrument.control(
        "BAND:VID?", "BAND:VID %.3f", """Control the video bandwidth in Hz.""",
        validator=strict_range, values=[1, 40e6], dynamic=True, check_set_errors=True)

    sweep_time = Instrument.control(
        "SWE:TIME?", "SWE:TIME %.9f", """Control the sweep time in s.""",
        validator=strict_range, values=[1e-6, 16000], dynamic=True, check_set_errors=True)

    points = Instrument.control(
        "SWE:POIN?", "SWE:POIN %d", """Control the points of a trace (int).""",
        validator=strict_range, values=[101, 32001], cast=int, dynamic=True, check_set_errors=True)

    reference_level = Instrument.control(
        "DISP:TRAC:Y:RLEV?", "DISP:TRAC:Y:RLEV %.2f", """Control the reference level in dBm.""",
        validator=strict_range, values=[-130, 30], dynamic=True, check_set_errors=True)

    continuous = Instrument.control(
        "INIT:CONT?", "INIT:CONT %s", """Control whether it sweeps without being asked (bool).""",
        validator=strict_discrete_set, values={True: "ON", False: "OFF"}, map_values=True,
        preprocess_reply=lambda reply: {"1": "ON", "0": "OFF"}.get(reply.strip(), reply.strip()),
        cast=str, check_set_errors=True)

    trigger_source = Instrument.control(
        "TRIG:SOUR?", "TRIG:SOUR %s", """Control what starts a sweep ("immediate" or "external").""",
        validator=strict_discrete_set, values={"immediate": "IMM", "external": "EXT"}, map_values=True,
        preprocess_reply=lambda reply: reply.strip()[:3].upper(), cast=str, check_set_errors=True)

    detector = Instrument.control(
        "DET?", "DET %s", """Control what a point shows of its values ("rms", "average", "auto peak" ...).""",
        validator=strict_discrete_set, values=DETECTORS, map_values=True,
        preprocess_reply=lambda reply: reply.strip().upper(), cast=str, check_set_errors=True)

    data_format = Instrument.setting(
        "FORM %s", """Set how traces are sent ("REAL,32" or "ASC").""",
        validator=strict_discrete_set, values=("REAL,32", "ASC"), check_set_errors=True)

    def __init__(self, adapter: Any, name: str = "R&S FSV", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)

    def read_power(self, frequency: float, bandwidth: float = 1e5, sweep_time: float = 1e-3,
                   points: int = 101) -> float:
        """Power [dBm] at one frequency [Hz] in zero span, the trace averaged in watts."""
        self.put("span", 0.0)
        self.put("centre", frequency, absolute=0.5)
        self._prepare(bandwidth, points, "rms")     # a peak detector would add noise, the more the weaker
        self.put("sweep_time", sweep_time, relative=0.01)
        trace = self.sweep()
        return float(10 * np.log10(np.mean(10 ** (trace / 10))))

    def read_spectrum(self, centre: float, span: float, points: int = 501,
                      bandwidth: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Frequencies [Hz] (points,) and powers [dBm] (points,); bandwidth [Hz], default span/points."""
        self.put("centre", centre, absolute=0.5)
        self.put("span", span, absolute=0.5)
        self._prepare(bandwidth or max(span / points, 1.0), points, "auto peak")    # no line is missed
        frequencies = np.linspace(centre - span / 2, centre + span / 2, points)
        return frequencies, self.sweep()

    def sweep(self) -> np.ndarray:
        """One sweep and its trace [dBm] (points,). ProtocolError for a trace of another length."""
        with self.turn():
            points, patience = self.points, self.sweep_time + SPARE_TIME
            self._wait_for_sweep(patience)
            self.data_format = "REAL,32"
            self.write("TRAC? TRACE1")
            trace = np.frombuffer(self.read_block(4 * points), dtype="<f4").astype(float)
        if not np.all(np.isfinite(trace)):
            raise self.error(ProtocolError, "the trace holds infinities or not-a-numbers", "dBm")
        return trace

    def _prepare(self, bandwidth: float, points: int, detector: str) -> None:
        self.put("continuous", False)
        self.put("trigger_source", "immediate")
        self.put("points", points)
        self.put("detector", detector)
        # The analyser rounds its bandwidths to steps of 1, 2, 3, 5.
        self.put("resolution_bandwidth", bandwidth, relative=0.5)

    def _wait_for_sweep(self, patience: float) -> None:
        with self.patience(patience):
            answer = self.ask("INIT;*OPC?").strip()
        if answer != "1":
            raise self.spoilt(f"{answer!r} came", "1, the sweep is complete")

    def settings(self) -> dict[str, float | str | bool]:
        """Centre, span and bandwidth [Hz], sweep time [s], points, reference [dBm], detector, read back."""
        return {"centre": self.centre, "span": self.span, "resolution_bandwidth": self.resolution_bandwidth,
                "sweep_time": self.sweep_time, "points": self.points,
                "reference_level": self.reference_level, "detector": self.detector}

    def _to_safe_state(self) -> None:
        """Nothing of it can do harm."""

    def _read_safe_state(self) -> tuple[bool, str]:
        return True, f"receives only; {self.identity} answers"
