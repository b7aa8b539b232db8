"""The cavity's frequency: read with the network analyser, moved with the piston.

Speaks to the roles `vna` and `tuner` of a bench, between shots only.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.cavity import fit_cavity

from .bench import Bench
from .failures import BenchFailure
from .shot import TUNED

_WIDTHS = 12.0      # of the declared line that one sweep spans
_POINTS, _BANDWIDTH = 201, 1e4
_AT_HOME, _TRIES = 1e3, 4       # [Hz] from home that is near enough, and how often it is tried


@dataclass(frozen=True)
class Tuned:
    """Where the mode is: frequency and its error [Hz], loaded quality; where the piston stands [m]."""

    frequency: float
    frequency_sigma: float
    loaded_quality: float
    position: float

    def settings(self) -> dict[str, float]:
        """As they are stored with a shot."""
        return {TUNED: self.frequency, "cavity.frequency_sigma": self.frequency_sigma,
                "cavity.loaded_quality": self.loaded_quality, "tuner.position": self.position}


MEASURED = (TUNED, "cavity.frequency_sigma", "cavity.loaded_quality")


class Tuning:
    """Moves the mode by offsets from where it stood when this began, and goes back there."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._tuner, self._vna = bench.roles["tuner"], bench.roles["vna"]
        slope = bench.description.roles["tuner"].options["megahertz_per_millimetre"]
        self._metres_per_hertz = 1e-9 / slope
        self._parked = self._tuner.position
        self.home = self.read(bench.description.receivers["burst"].frequency, wide=4.0)

    def move(self, offset: float) -> Tuned:
        """The mode `offset` [Hz] from home, as the declared slope has it; what was then measured."""
        self._tuner.move_to(self._parked + offset * self._metres_per_hertz)
        return self.read(self.home.frequency + offset)

    def go_home(self) -> None:
        """The mode back where it was found, by its frequency: the piston's own way back has backlash."""
        self.park()
        for _ in range(_TRIES):
            away = self.home.frequency - self.read(self.home.frequency).frequency
            if abs(away) < _AT_HOME:
                return
            self._tuner.move_to(self._tuner.position + away * self._metres_per_hertz)

    def park(self) -> None:
        """The piston back to the position where it was found, with nothing measured."""
        self._tuner.move_to(self._parked)

    def read(self, near: float, wide: float = 1.0) -> Tuned:
        """Sweep around `near` [Hz]; BenchFailure where no resonance can be read there."""
        receiver = self._bench.description.receivers["burst"]
        span = wide * _WIDTHS * receiver.frequency / receiver.loaded_quality
        found = fit_cavity(*self._vna.read_reflection(near, span, _POINTS, _BANDWIDTH))
        if found.verdict != "OK":
            raise BenchFailure(f"vna: no resonance within {span / 2e6:.3g} MHz of {near / 1e9:.7g} GHz "
                               f"({found.verdict}); look at the loop, and at the tuner's "
                               "megahertz_per_millimetre in the bench file")
        return Tuned(found.parameters["frequency"], found.sigma["frequency"],
                     found.parameters["loaded_quality"], self._tuner.position)
