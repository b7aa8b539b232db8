"""The simplest experiment, to be read first: fire the laser `shots` times at one energy.

A procedure is a PyMeasure `Procedure`. Its settings are the PyMeasure parameters on the class, its
docstring's first line is its summary. What is swept it tells as `points`; the machinery walks over them
(`machinery/scan.py`), in which order and how often its own settings say. It hands over an `acquisition`,
which sets the energy, arms, fires, reads, stores and has every shot fitted; what is left to a procedure is
what one point is, and what its run answers.
"""

from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.points import alike
from .machinery.scan import Scan


class SingleShot(Scan):
    """Fire the laser at one pump energy and fit every burst."""

    ABOUT = About(swept="nothing: every shot is as the others",
                  read="burst, photodiode and logarithmic detector",
                  fitted="every burst with the twin: coupling, decay, dephasing, seed",
                  drawn="burst against time with the fit's line, in dBm and photons")

    shots = settings.shots(default=1)
    pump_energy = settings.pump_energy()
    repetition_rate = settings.repetition_rate()

    def points(self):
        return alike(self.shots)

    def take(self, point):
        return self.acquisition.take(self.pump_energy)

    def answer(self, measured):
        """What result.json says: means over the shots whose fit is OK."""
        return measured.rows.means()
