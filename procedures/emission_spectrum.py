"""The spectrum of the emission, from the phase of the recorded carrier: frequency and width.

A burst of 2 us is half a megahertz wide by Fourier alone, and one that rings shows two lines; an analyser's
sweep would show isolated spikes at best. The carrier is stored raw, so its spectrum is all there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .machinery.fitting.bursts import emission_frequency, has_burst, mean_spectrum
from .machinery.records import settings
from .machinery.records.about import About
from .machinery.storage.measured import Measured
from .single_shot import SingleShot


class EmissionSpectrum(SingleShot):
    """Fire at one energy and add up the spectra of the bursts: frequency and line width."""

    ABOUT = About(swept="nothing: every shot is as the others",
                  read="the carrier of the burst, with its phase",
                  fitted="centre of every burst's spectrum; width of all of them together",
                  drawn="summed power spectrum against frequency")

    shots = settings.shots(default=20)
    pump_energy = settings.pump_energy(default=3e-3)

    def answer(self, measured: Measured) -> dict[str, Any]:
        """`frequency` and `linewidth` [Hz] of the summed spectrum; the error is the scatter of the shots."""
        shots = [measured.shots[row.number] for row in measured.rows.complete if has_burst(row)]
        whole = mean_spectrum(measured.description, shots)
        if whole is None:
            return {"verdicts": measured.rows.verdicts()}
        single = [emission_frequency(measured.description, shot) for shot in shots]
        centres = np.array([found for found in single if found is not None])
        answer = {"frequency": float(np.mean(centres)), "linewidth": whole.linewidth}
        if len(centres) > 1:
            answer["frequency_sigma"] = float(np.std(centres, ddof=1)) / math.sqrt(len(centres))
        return answer | {"verdicts": measured.rows.verdicts()}
