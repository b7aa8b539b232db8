"""The mode as it stands: read with the network analyser, moved with the piston, loaded with the loop.

Speaks to the roles `vna`, `tuner` and `loop` of a bench, between shots only.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from twin.cavity import fit_cavity, fit_cavity_power

from ..records.failures import BenchFailure
from ..records.shot import COUPLED, LOADED, TUNED
from .bench import Bench

_WIDTHS = 12.0  # of the declared line that one sweep spans
_POINTS, _BANDWIDTH = 201, 1e4
_STEPS = 41  # of the source, where there is no network analyser
_AT_HOME, _COUPLED_HOME = 1e3, 1e-3  # [Hz], [dB] of the coupling: so far from home is near enough
_TRIES = 4  # to get there


@dataclass(frozen=True)
class Mode:
    """Frequency and its error [Hz], loaded quality, coupling factor and their errors; where the stage of what
    moves it stands [m]."""

    frequency: float
    frequency_sigma: float
    loaded_quality: float
    loaded_quality_sigma: float
    coupling_factor: float
    position: float = math.nan

    @property
    def unloaded_quality(self) -> float:
        """Q0, which no loop changes."""
        return self.loaded_quality * (1.0 + self.coupling_factor)

    def tuned(self) -> dict[str, float]:
        """As they are stored with a shot whose frequency was moved."""
        return {TUNED: self.frequency, "cavity.frequency_sigma": self.frequency_sigma,
                LOADED: self.loaded_quality, "tuner.position": self.position}

    def loaded(self) -> dict[str, float]:
        """As they are stored with a shot whose loop was moved."""
        return {TUNED: self.frequency, "cavity.frequency_sigma": self.frequency_sigma,
                LOADED: self.loaded_quality, LOADED_SIGMA: self.loaded_quality_sigma,
                COUPLED: self.coupling_factor, "loop.position": self.position}


LOADED_SIGMA = f"{LOADED}_sigma"
MEASURED = (TUNED, "cavity.frequency_sigma", LOADED)
MEASURED_LOADED = (*MEASURED, LOADED_SIGMA, COUPLED)


def read_mode(bench: Bench, near: float, widths: float = _WIDTHS) -> Mode:
    """The mode within a sweep around `near` [Hz], so many declared line widths wide; BenchFailure without."""
    receiver = bench.description.receivers["burst"]
    span = widths * receiver.frequency / receiver.loaded_quality
    found = fit_cavity(*bench.roles["vna"].read_reflection(near, span, _POINTS, _BANDWIDTH))
    if found.verdict != "OK":
        raise BenchFailure(f"vna: no resonance within {span / 2e6:.3g} MHz of {near / 1e9:.7g} GHz "
                           f"({found.verdict}); look at the loop, and at what the bench file says of the "
                           "stages that move the mode")
    p, sigma = found.parameters, found.sigma
    return Mode(p["frequency"], sigma["frequency"], p["loaded_quality"], sigma["loaded_quality"],
                p["coupling_factor"])


def step_over(bench: Bench, near: float, widths: float, heed: Callable[[], None]) -> Mode | None:
    """The mode by hand of source and analyser, whose output is on already; None where no dip is found.

    Power alone: a coupling factor above 1 is told as its inverse. `heed` is called between two frequencies.
    """
    receiver = bench.description.receivers["burst"]
    source, analyser = bench.roles["microwave"], bench.roles["analyser"]
    span = widths * receiver.frequency / receiver.loaded_quality
    frequencies, read = near + span * np.linspace(-0.5, 0.5, _STEPS), np.zeros(_STEPS)
    for i, wanted in enumerate(frequencies):
        heed()
        source.frequency = float(wanted)
        frequencies[i] = source.frequency
        read[i] = analyser.read_power(frequencies[i])
    found = fit_cavity_power(frequencies, read)
    if found.verdict != "OK":
        return None
    p, sigma = found.parameters, found.sigma
    return Mode(p["frequency"], sigma["frequency"], p["loaded_quality"], sigma["loaded_quality"],
                p["coupling_factor"])


class Mover(ABC):
    """Moves the mode from where it stood when this began, and brings it back there."""

    ROLE: ClassVar[str]

    def __init__(self, bench: Bench) -> None:
        self._bench, self._stage = bench, bench.roles[self.ROLE]
        self._parked = self._stage.position
        self.home = self.read(bench.description.receivers["burst"].frequency, 4.0 * _WIDTHS)

    @abstractmethod
    def way_back(self, found: Mode) -> float | None:
        """How far [m] the stage has to go until the mode is home; None near enough."""

    def go_home(self) -> None:
        """The mode back where it was found, by what is measured: a stage's own way back has backlash."""
        self.park()
        for _ in range(_TRIES):
            way = self.way_back(self.read(self.home.frequency))
            if way is None:
                return
            self._stage.move_to(self._stage.position + way)

    def park(self) -> None:
        """The stage back to the position where it was found, with nothing measured."""
        self._stage.move_to(self._parked)

    def read(self, near: float, widths: float = _WIDTHS) -> Mode:
        """Sweep around `near` [Hz]; BenchFailure where no resonance can be read there."""
        return dataclasses.replace(read_mode(self._bench, near, widths), position=self._stage.position)


class Tuning(Mover):
    """Moves the mode by offsets in frequency, with the piston."""

    ROLE = "tuner"

    def __init__(self, bench: Bench) -> None:
        slope = bench.description.roles["tuner"].options["megahertz_per_millimetre"]
        self._metres_per_hertz = 1e-9 / slope
        super().__init__(bench)

    def move(self, offset: float) -> Mode:
        """The mode `offset` [Hz] from home, as the declared slope has it; what was then measured."""
        self._stage.move_to(self._parked + offset * self._metres_per_hertz)
        return self.read(self.home.frequency + offset)

    def way_back(self, found: Mode) -> float | None:
        away = self.home.frequency - found.frequency
        return None if abs(away) < _AT_HOME else away * self._metres_per_hertz


class Loading(Mover):
    """Moves the coupling loop until the mode has a loaded quality."""

    ROLE = "loop"

    def __init__(self, bench: Bench) -> None:
        slope = bench.description.roles["loop"].options["decibels_per_millimetre"]
        self._metres_per_decibel = 1e-3 / slope
        super().__init__(bench)

    def move(self, quality: float) -> Mode:
        """The mode with about this loaded `quality`; what was then measured. BenchFailure out of reach."""
        unloaded = self.home.unloaded_quality
        if not quality < unloaded:
            raise BenchFailure(f"loop: a loaded quality of {quality:g} is out of reach, as the cavity's own "
                               f"is {unloaded:.0f} and a loop only lowers it; ask for less than that")
        decibels = 10.0 * math.log10((unloaded / quality - 1.0) / self.home.coupling_factor)
        self._stage.move_to(self._parked + decibels * self._metres_per_decibel)
        return self.read(self.home.frequency, max(_WIDTHS, _WIDTHS * self.home.loaded_quality / quality))

    def way_back(self, found: Mode) -> float | None:
        away = 10.0 * math.log10(self.home.coupling_factor / found.coupling_factor)
        return None if abs(away) < _COUPLED_HOME else away * self._metres_per_decibel
