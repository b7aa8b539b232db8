"""The cavity's resonance by hand of the microwave source: step its frequency, read the reflected power.

The source feeds the cavity through a circulator and the analyser sees what comes back, so the cavity is a
dip. The laser stays off. Low power, because the cavity must neither heat up nor be seeded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pymeasure.experiment import IntegerParameter

from twin.cavity import fit_cavity_power

from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.answers import of_cavity
from .machinery.trace import Trace

STEP_TIME = 0.03  # [s] in which source and analyser settle and answer


class CavitySweep(Trace):
    """Sweep the microwave source over the cavity: frequency, Q and coupling."""

    ROLES = ("microwave", "analyser")
    TRACES = ("frequency", "reflected_power")
    DATA_COLUMNS = ["frequency (Hz)", "reflected_power_dbm"]
    ABOUT = About(swept="frequency of the microwave source over the mode, in one trace",
                  read="power that the cavity reflects, with the analyser",
                  fitted="a dip in power: frequency, quality, coupling but for its sign",
                  drawn="reflected power in dB against frequency, with residuals")

    frequency = settings.frequency("middle of the sweep", "Centre frequency")
    span = settings.span("width of the sweep; ten line widths are a good choice")
    points = IntegerParameter("Points", default=121, minimum=20, maximum=10_001,
                              description="frequencies of the sweep")
    power = settings.power("power of the source", default=-20.0)

    def duration(self) -> float:
        """About how long all this takes [s]."""
        return self.points * STEP_TIME

    def sweep(self) -> Mapping[str, np.ndarray] | None:
        source, analyser = self.acquisition.bench.roles["microwave"], self.acquisition.bench.roles["analyser"]
        frequencies = self.frequency + self.span * np.linspace(-0.5, 0.5, self.points)
        read = np.full(self.points, np.nan)
        source.power, source.gated = self.power, False
        self.acquisition.switch_on("microwave")
        for i, wanted in enumerate(frequencies):
            if self.should_stop():
                return None
            source.frequency = float(wanted)
            frequencies[i] = source.frequency  # what the source says, not what it was told
            read[i] = analyser.read_power(frequencies[i])
            self.emit("results", {"frequency (Hz)": frequencies[i], "reflected_power_dbm": read[i]})
            self.acquisition.progress(i + 1, self.points)
        return {"frequency": frequencies, "reflected_power": read}

    def tell(self, traces: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """`frequency` [Hz], `loaded_quality`, `unloaded_quality`, `coupling_factor`; {} if it was stopped."""
        return of_cavity(fit_cavity_power(traces["frequency"], traces["reflected_power"]))
