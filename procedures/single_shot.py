"""The simplest experiment, to be read first: fire the laser `shots` times at one energy.

A procedure is a PyMeasure `Procedure`. Its settings are the PyMeasure parameters on the class, its
docstring's first line is its summary. The machinery hands it an `acquisition`, which sets the energy,
arms, fires, reads, stores and has every shot fitted; what is left to a procedure is the order of things.
"""

from pymeasure.experiment import Procedure

from .machinery import settings
from .machinery.acquire import ROLES, Acquisition
from .machinery.rows import COLUMNS


class SingleShot(Procedure):
    """Fire the laser at one pump energy and fit every burst."""

    ROLES: tuple[str, ...] = ROLES  # what the bench file must name for this procedure
    DATA_COLUMNS = COLUMNS  # of run.csv, one row per shot
    acquisition: Acquisition  # handed over by the session

    shots = settings.shots(default=1)
    pump_energy = settings.pump_energy()
    repetition_rate = settings.repetition_rate()

    def startup(self):
        self.acquisition.begin(self)

    def execute(self):
        for _ in range(self.shots):
            if self.should_stop():
                return
            self.acquisition.take(self.pump_energy)
        self.acquisition.finish()  # safe state first, then wait for the fits that are still under way

    def shutdown(self):
        self.acquisition.end()  # also after an error or an abort

    def answer(self, measured):
        """What result.json says: means over the shots whose fit is OK."""
        return measured.rows.means()
