"""One sweep of an analyser while it is taken: its settings, the tone, and the bursts met so far."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from .burst import Burst
from .resolution_filter import Hit, Sweep, trace


@dataclass(frozen=True)
class Gate:
    """The sweep goes on for `length` [s] only, `delay` [s] after each trigger."""

    delay: float
    length: float


@dataclass(frozen=True)
class Meeting:
    """A burst, still to be computed, whose trigger came `moment` [s] after the sweep's start.

    It is seen by the points between `opens` and `closes` [s].
    """

    burst: Future[Burst]
    moment: float
    opens: float = 0.0
    closes: float = math.inf


@dataclass(frozen=True)
class Taking:
    """A sweep under way or complete. `triggers` have come since it began."""

    sweep: Sweep
    random: np.random.Generator
    tone: tuple[float, float] | None
    meetings: tuple[Meeting, ...] = ()
    triggers: int = 0

    def met(self, burst: Future[Burst] | None, moment: float) -> Taking:
        """The same sweep after a trigger `moment` [s] after its start, dark if there is no burst."""
        return self._after(None if burst is None else Meeting(burst, moment))

    def gated(self, burst: Future[Burst] | None, gate: Gate) -> Taking:
        """The same sweep after it went on for one more gate, which this burst's trigger opened."""
        opens = self.triggers * gate.length
        return self._after(None if burst is None else
                           Meeting(burst, opens - gate.delay, opens, opens + gate.length))

    def _after(self, meeting: Meeting | None) -> Taking:
        more = () if meeting is None else (meeting,)
        return dataclasses.replace(self, meetings=self.meetings + more, triggers=self.triggers + 1)

    @property
    def unknown(self) -> Future[Burst] | None:
        """A burst that is still being computed, if there is one."""
        return next((m.burst for m in self.meetings if not m.burst.done()), None)

    def levels(self, watts_per_photon: float) -> np.ndarray:
        """(points,) [dBm], for a power at the analyser of so much per photon [W]."""
        hits = [Hit(m.burst.result(), m.moment, m.opens, m.closes) for m in self.meetings]
        return trace(self.sweep, self.random, self.tone, hits, watts_per_photon)
