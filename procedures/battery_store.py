"""The crystal as a battery: charged by the pulse, held by a spoiled cavity, let go by its quality.

The output GH spoils the cavity (a PIN diode at the loop, say) from before the pulse until the hold is over;
only then can a burst grow, and it brings what the inversion still is when it comes. Its energy is therefore
told against the moment of the burst, not against the hold: while it grows, the triplets decay on. As the
levels relax at different rates the inversion may change its sign in the end, which the fitted line, an
exponential less a constant, allows for. Records get longer where a hold needs it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pymeasure.experiment import FloatParameter

from .machinery.fitting.bursts import PROPORTIONAL, burst_energy, delay
from .machinery.fitting.separable import Separated, separable
from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.points import Point, Points, along
from .machinery.storage.measured import Measured
from .single_shot import SingleShot

SPOILED = -5e-6  # [s after the trigger] from when on the cavity is spoiled: long before the light
_FAINT = 0.1  # of the strongest burst's energy, below which energy and inversion are no longer proportional
_GROWTH = 15e-6  # [s] that a weak burst takes to grow, once the cavity lets it
_DECAYS = np.geomspace(1e-6, 3e-4, 60)  # [s]


class BatteryStore(SingleShot):
    """Hold the inversion in a spoiled cavity and let it go: burst energy against time, storage time."""

    GATE = "cavity"
    ABOUT = About(swept="hold: from the light until the cavity's quality is let go",
                  read="burst and photodiode",
                  fitted="energy of the bursts against their moment: an exponential less a constant",
                  drawn="energy of the burst over that of its pulse, against its delay")

    shots = settings.shots(default=15)
    hold_start = FloatParameter("First hold", units="s", default=0.5e-6, minimum=0.0, maximum=1e-3,
                                description="from the light until the cavity is let go")
    hold_stop = FloatParameter("Last hold", units="s", default=20e-6, minimum=0.0, maximum=1e-3,
                               description="from the light until the cavity is let go")

    def points(self) -> Points:
        return along("hold", np.linspace(self.hold_start, self.hold_stop, self.shots))

    def take(self, point: Point) -> None:
        bench = self.acquisition.bench
        arrival = bench.description.pump.arrival
        self.acquisition.record_until(arrival + point["hold"] + _GROWTH)
        self.acquisition.take(self.pump_energy, bench.gate(SPOILED, arrival + point["hold"]))

    def answer(self, measured: Measured) -> dict[str, Any]:
        """`storage_time` [s], from the light until 1/e of the inversion is left; {} where no shot tells."""
        late, stored, strong = bursts_held(measured)
        return storage_time(late[strong], stored[strong]) | {"bursts": int(np.count_nonzero(strong))}


def bursts_held(measured: Measured) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Moments [s after the light] and energies per pump energy of all bursts (N,), and which are strong."""
    bench = measured.description
    found = [(delay(bench, shot), burst_energy(bench, shot, since=shot.start) / shot.energy)
             for shot in measured.shots if shot.energy > 0.0]
    points = np.array([(late, energy) for late, energy in found if late is not None]).reshape(-1, 2)
    return points[:, 0], points[:, 1], points[:, 1] > _FAINT * np.max(points[:, 1], initial=0.0)


def decay(late: np.ndarray, stored: np.ndarray) -> Separated | None:
    """A exp(-t/T) + B through what is `stored` (N,) at times (N,) [s]: shape T, amplitudes A and B."""
    return separable(lambda shape: np.column_stack([np.exp(-late / shape[0]), np.ones(len(late))]), stored,
                     [_DECAYS])


def storage_time(late: np.ndarray, stored: np.ndarray) -> dict[str, float]:
    """{storage_time, storage_time_sigma} [s] of what is `stored` (N,) at times (N,) [s] after charging.

    Through A exp(-t/T) + B; 1/e of A + B is left at t = -T ln((A + (1 - e) B)/(e A)).
    """
    found = decay(late, stored)
    if found is None:
        return {}

    def left(values: np.ndarray) -> float:
        lifetime, a, b = values
        share = (a + (1.0 - math.e) * b) / (math.e * a)
        return -lifetime * math.log(share) if share > 0.0 else math.nan

    values = np.concatenate([found.shape, found.amplitudes])
    moves = np.diag(1e-5 * np.abs(values))
    slope = np.array([(left(values + m) - left(values - m)) / (2.0 * np.sum(m)) for m in moves])
    time = float(left(values))
    sigma = math.hypot(math.sqrt(float(slope @ found.covariance @ slope)), PROPORTIONAL * time)
    return {"storage_time": time, "storage_time_sigma": sigma} if math.isfinite(time * sigma) else {}
