"""A run as one trace: a sweep with the laser off, stored as a single shot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pymeasure.experiment import Procedure

from .acquire import Acquisition
from .storage.measured import Measured


class Trace(Procedure):
    """A procedure says which traces of `points` values it takes (`TRACES`), takes them (`sweep`), and what
    they answer (`tell`)."""

    ROLES: tuple[str, ...]
    TRACES: ClassVar[tuple[str, ...]]
    acquisition: Acquisition  # handed over by the session
    points: Any

    def sweep(self) -> Mapping[str, np.ndarray] | None:
        """The traces by name; None when somebody wanted it to end."""
        raise NotImplementedError

    def tell(self, traces: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """The answer."""
        raise NotImplementedError

    def startup(self) -> None:
        self.acquisition.begin_sweep(self, dict.fromkeys(self.TRACES, self.points))

    def execute(self) -> None:
        traces = self.sweep()
        if traces is not None:
            self.acquisition.make_safe()
            self.acquisition.take_trace(traces)

    def shutdown(self) -> None:
        self.acquisition.end()  # also after an error or an abort

    def answer(self, measured: Measured) -> dict[str, Any]:
        """{} for a sweep that was stopped before its end."""
        return self.tell(measured.shots[0].traces) if len(measured.shots) else {}
