"""The one place that picks the Qt binding and sets pyqtgraph up; everything else imports Qt from here.

Importing this needs no display. `application` does, so whoever calls it has looked for one first: Qt ends
the whole process when it finds none.
"""

from __future__ import annotations

import os

os.environ["QT_API"] = "pyside6"  # superqt and qtawesome ask this
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"

import pyqtgraph as pg
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Qt, Signal

__all__ = ["Qt", "QtCore", "QtGui", "QtWidgets", "Signal", "application", "pg"]

# OpenGL is no faster for a few thousand points and fails on remote displays.
pg.setConfigOptions(useOpenGL=False, antialias=False)


def application() -> QtWidgets.QApplication:
    """The process's QApplication, made when there is none yet."""
    found = QtWidgets.QApplication.instance()
    if isinstance(found, QtWidgets.QApplication):
        return found
    app = QtWidgets.QApplication(["maserbench"])
    app.setApplicationName("maserbench")
    app.setApplicationDisplayName("maserbench")
    return app
