"""The cavity's decay in the dark: the source is gated off, and what is left in the mode rings down.

The laser stays off and the shutter shut. The gate that pulses the source falls at the trigger; from then on
the amplitude falls as exp(-kappa t/2), 4.343 kappa in dB per second.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.ring_down import fit_ring_down

from .machinery.acquire import ROLES
from .machinery.fitting.bursts import amplitude
from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.points import Point, Points, alike
from .machinery.scan import DarkWalk
from .machinery.storage.measured import Measured

BEFORE = 20e-6      # [s] before the trigger, from which on the source fills the cavity
SPARE = 400e-9      # [s] after the gate's edge, in which source and demodulation have done with it


class RingDown(DarkWalk):
    """Let a tone in the cavity ring down: decay rate of the mode."""

    ROLES = (*ROLES, "microwave")
    GATE = "microwave"
    ABOUT = About(swept="nothing: every record is as the others",
                  read="burst channel, in the dark, while the gated source falls silent",
                  fitted="exponential decay of the amplitude",
                  drawn="amplitude in dB against time")

    shots = settings.shots(default=10)
    frequency = settings.frequency("of the source; within the line's width of the mode")
    power = settings.power("power of the source", default=-5.0)
    repetition_rate = settings.repetition_rate()

    def points(self) -> Points:
        return alike(self.shots)

    def prepare(self) -> None:
        bench, source = self.acquisition.bench, self.acquisition.bench.roles["microwave"]
        source.frequency, source.power, source.gated = self.frequency, self.power, True
        self._tone = {"microwave.frequency": source.frequency, "microwave.power": source.power,
                      "microwave.gated": 1.0, "microwave.output": 1.0, **bench.gate(-BEFORE, 0.0)}
        self.acquisition.switch_on("microwave")
        source.settle()

    def take(self, point: Point) -> None:
        self.acquisition.take_dark(self._tone)

    def conclude(self) -> None:
        source = self.acquisition.bench.roles["microwave"]
        source.output, source.gated = False, False

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
