"""Where the parts of the window stand: docks round the plot, status line, menu. No behaviour beyond that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from procedures import Origin

from .qt import Qt, QtWidgets
from .theme import DARK, LIGHT

SIZE = (1600, 950)  # [pixels]
_WIDTHS = {"Run": 316, "Twin": 300}
_TABLE_HEIGHT = 270


class StatusLine:
    """The labels in the status bar: bench, origin of the data, path of the run."""

    def __init__(self, bench: str) -> None:
        self.bench = QtWidgets.QLabel(f"bench {bench}")
        self.origin, self.path = QtWidgets.QLabel("no data yet"), QtWidgets.QLabel("no run yet")
        self.path.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def show_run(self, path: Path, origin: Origin) -> None:
        self.origin.setText(origin.name)
        self.path.setText(str(path))


def arrange(window: Any) -> None:
    """Lay out a `BenchWindow`, whose parts exist already; a replay has no form."""
    window.setWindowTitle(f"{window.bench} – maserbench")
    window.resize(*SIZE)
    middle = QtWidgets.QWidget()
    layout = QtWidgets.QVBoxLayout(middle)
    layout.setContentsMargins(0 if window.can_run else 6, 6, 0, 0)
    layout.addWidget(window.banner)
    layout.addWidget(window.plot, 1)
    window.setCentralWidget(middle)
    docks = _docks(window)
    sides = [dock for dock in docks if dock.windowTitle() in _WIDTHS]
    window.resizeDocks(sides, [_WIDTHS[d.windowTitle()] for d in sides], Qt.Orientation.Horizontal)
    window.resizeDocks([docks[-1]], [_TABLE_HEIGHT], Qt.Orientation.Vertical)
    _status(window)
    _menu(window, docks)


def _docks(window: Any) -> list[QtWidgets.QDockWidget]:
    area, feature = Qt.DockWidgetArea, QtWidgets.QDockWidget.DockWidgetFeature
    docks = [_dock(window, "Twin", window.report, area.RightDockWidgetArea),
             _dock(window, "Shots", _shots(window), area.BottomDockWidgetArea)]
    if window.can_run:
        run = _dock(window, "Run", _column(window.panel, window.bench_panel), area.LeftDockWidgetArea)
        run.setFeatures(feature.DockWidgetMovable | feature.DockWidgetFloatable)  # STOP-SAFE stays in sight
        docks.insert(0, run)
    window.setCorner(Qt.Corner.BottomLeftCorner, area.LeftDockWidgetArea)
    window.setCorner(Qt.Corner.BottomRightCorner, area.RightDockWidgetArea)
    return docks


def _dock(window: Any, title: str, widget: QtWidgets.QWidget, area: Any) -> QtWidgets.QDockWidget:
    dock = QtWidgets.QDockWidget(title, window)
    dock.setObjectName(title)
    dock.setWidget(widget)
    window.addDockWidget(area, dock)
    return dock


def _shots(window: Any) -> QtWidgets.QWidget:
    window.follow.setCheckable(True)
    window.follow.setChecked(True)
    window.follow.setToolTip("always show the newest fitted shot;\na click on a row ends it")
    widget = QtWidgets.QWidget()
    layout = QtWidgets.QVBoxLayout(widget)
    layout.setContentsMargins(0 if window.can_run else 6, 0, 0, 4)
    layout.setSpacing(6)
    layout.addWidget(window.table)
    layout.addWidget(window.follow, 0, Qt.AlignmentFlag.AlignRight)
    return widget


def _column(*widgets: QtWidgets.QWidget) -> QtWidgets.QWidget:
    column = QtWidgets.QWidget()
    layout = QtWidgets.QVBoxLayout(column)
    layout.setContentsMargins(6, 0, 0, 4)
    layout.setSpacing(10)
    for widget in widgets:
        layout.addWidget(widget)
    layout.addStretch(1)
    return column


def _status(window: Any) -> None:
    bar = window.statusBar()
    bar.setSizeGripEnabled(False)
    bar.addWidget(window.status.bench)
    bar.addWidget(window.status.origin)
    bar.addPermanentWidget(window.status.path)


def _menu(window: Any, docks: list[QtWidgets.QDockWidget]) -> None:
    view, plain = window.menuBar().addMenu("&View"), window.saveState()
    for theme in (LIGHT, DARK):
        view.addAction(f"{theme.name.capitalize()} theme", lambda theme=theme: window.set_theme(theme))
    view.addSeparator()
    for dock in docks:
        view.addAction(dock.toggleViewAction())
    view.addSeparator()
    view.addAction("Reset layout", lambda: window.restoreState(plain))
    view.addAction("Whole shot (A)", window.plot.reset_view)
