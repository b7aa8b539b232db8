"""The cavity's resonance with the network analyser: reflection in magnitude and phase, in one sweep.

The laser stays off. The phase tells an undercoupled cavity from an overcoupled one, which `cavity_sweep`,
with its scalar power, cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pymeasure.experiment import FloatParameter, IntegerParameter

from twin.cavity import fit_cavity

from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.answers import of_cavity
from .machinery.trace import Trace


class VectorSweep(Trace):
    """Sweep the network analyser over the cavity: frequency, Q, coupling and cable."""

    ROLES = ("vna",)
    TRACES = ("frequency", "reflection_real", "reflection_imaginary")
    DATA_COLUMNS = ["frequency (Hz)", "reflection_real", "reflection_imaginary"]
    ABOUT = About(swept="frequency of the network analyser over the mode, in one trace",
                  read="reflection at the loop, magnitude and phase",
                  fitted="a circle with a cable's delay: frequency, quality, coupling",
                  drawn="circle, and dB against frequency, with residuals")

    frequency = settings.frequency("middle of the sweep", "Centre frequency")
    span = settings.span("width of the sweep; ten line widths are a good choice")
    points = IntegerParameter("Points", default=401, minimum=20, maximum=20_001,
                              description="frequencies of the sweep")
    bandwidth = FloatParameter("Bandwidth", units="Hz", default=1e3, minimum=1.0, maximum=1e6,
                               description="of the receiver: narrow is quiet and slow")
    power = settings.power("power at the port", default=-20.0)

    def duration(self) -> float:
        """About how long all this takes [s]: each point as long as the receiver's filter needs."""
        return self.points / self.bandwidth

    def sweep(self) -> Mapping[str, np.ndarray]:
        vna = self.acquisition.bench.roles["vna"]
        frequency, s = vna.read_reflection(self.frequency, self.span, self.points, self.bandwidth, self.power)
        self.emit("batch results", {"frequency (Hz)": frequency, "reflection_real": s.real,
                                    "reflection_imaginary": s.imag})
        return {"frequency": frequency, "reflection_real": s.real, "reflection_imaginary": s.imag}

    def tell(self, traces: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """As `cavity_sweep`, and `cable_delay` [s]."""
        s = np.asarray(traces["reflection_real"]) + 1j * np.asarray(traces["reflection_imaginary"])
        return of_cavity(fit_cavity(np.asarray(traces["frequency"]), s))
