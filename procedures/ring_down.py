"""The cavity's decay in the dark: the source is gated off, and what is left in the mode rings down.

The laser stays off and the shutter shut. The gate that pulses the source falls at the trigger; from then on
the amplitude falls as exp(-kappa t/2), 4.343 kappa in dB per second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pymeasure.experiment import Procedure

from twin.ring_down import fit_ring_down

from .machinery import settings
from .machinery.acquire import Acquisition
from .machinery.bursts import amplitude
from .machinery.measured import Measured
from .machinery.rows import COLUMNS

BEFORE = 20e-6      # [s] before the trigger, from which on the source fills the cavity
SPARE = 400e-9      # [s] after the gate's edge, in which source and demodulation have done with it


class RingDown(Procedure):
    """Let a tone in the cavity ring down: decay rate of the mode."""

    ROLES = ("pump", "timing", "digitiser", "microwave")
    DATA_COLUMNS = COLUMNS
    acquisition: Acquisition

    shots = settings.shots(default=10)
    frequency = settings.frequency("of the source; within the line's width of the mode")
    power = settings.power("power of the source", default=-5.0)
    repetition_rate = settings.repetition_rate()

    def startup(self) -> None:
        self.acquisition.begin_dark(self)

    def execute(self) -> None:
        bench, source = self.acquisition.bench, self.acquisition.bench.roles["microwave"]
        source.frequency, source.power, source.gated = self.frequency, self.power, True
        set_to = {"microwave.frequency": source.frequency, "microwave.power": source.power,
                  "microwave.gated": 1.0, "microwave.output": 1.0, **bench.gate(-BEFORE, 0.0)}
        self.acquisition.switch_on("microwave")
        source.settle()
        for _ in range(self.shots):
            if self.should_stop():
                return
            self.acquisition.take_dark(set_to)
        source.output, source.gated = False, False

    def shutdown(self) -> None:
        self.acquisition.end()

    def answer(self, measured: Measured) -> dict[str, Any]:
        """`cavity_decay` [rad/s], mean over the records; the error is their scatter."""
        receiver, found = measured.description.receivers["burst"], []
        for shot in measured.shots:
            leak = 2.0 * np.pi * (shot.settings["microwave.frequency"] - receiver.frequency)
            fitted = fit_ring_down(*amplitude(receiver, shot), SPARE, leak)
            found += [] if fitted is None else [fitted]
        if not found:
            return {"verdict": "the record holds no decay above its noise"}
        answer = {"verdict": "OK", "cavity_decay": float(np.mean(found))}
        if len(found) > 1:
            answer["cavity_decay_sigma"] = float(np.std(found, ddof=1) / np.sqrt(len(found)))
        return answer
