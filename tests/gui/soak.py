"""3000 repaints of a live plot in a process of its own, because a wrong Qt ends it without a traceback."""

import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np

from gui import theme
from gui.picture import Picture
from gui.qt import QtCore, application
from gui.shot_plot import ShotPlot
from procedures import Origin


class Paints(QtCore.QObject):
    """Counts what was really painted."""

    count = 0

    def eventFilter(self, watched, event):
        self.count += event.type() == QtCore.QEvent.Type.Paint
        return False


def resident():
    """Memory of this process [MB]; 0 where the system does not tell it this way."""
    if not os.path.exists("/proc/self/statm"):
        return 0.0
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(repaints):
    app = application()
    theme.apply(app, theme.LIGHT)
    plot = ShotPlot(theme.LIGHT)
    plot.resize(640, 420)
    plot.show()
    paints = Paints()
    plot._canvas.viewport().installEventFilter(paints)
    rng, time = np.random.default_rng(1), np.linspace(-2e-6, 38e-6, 500)
    settled = None
    for i in range(repaints):
        line = np.exp(-(((time - 5e-6) / 1e-6) ** 2)) * (0.2 + 0.1 * np.sin(i))
        model = None if i % 10 == 9 else line
        plot.picture = Picture("run", i, Origin.SIMULATED, 1e-3, time, line + 2e-3 * rng.normal(size=500),
                               model, np.full(500, 2e-3))
        plot._draw()  # past the limit of 30 a second
        app.processEvents()
        if i == repaints // 5:
            settled = resident()
    print(f"{paints.count} {settled:.1f} {resident():.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
