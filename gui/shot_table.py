"""One row per shot: number, pulse energy, verdict, fitted values with their uncertainty, chi2.

Holds scalars only. A click on a row asks for that shot; while following, the newest fitted one is selected.
"""

from __future__ import annotations

import dataclasses

from procedures import FitRow, Shot

from .fitted_names import FITTED
from .number_text import concise, measured
from .qt import Qt, QtCore, QtGui, QtWidgets, Signal
from .theme import Theme

_Index = QtCore.QModelIndex | QtCore.QPersistentModelIndex
_NO_PARENT = QtCore.QModelIndex()
_LEFT = ("shot", "energy", "verdict")
_RIGHT = ("χ²/dof", "fit")
_WIDTHS, _WIDTHS_RIGHT, _NARROWEST = (50, 90, 146), (70, 72), 100  # [pixels]
_WORDS = {"OK": "good", "NO_BURST": "muted", "NOT_IDENTIFIABLE": "warning"}


@dataclasses.dataclass
class _Line:
    number: int
    energy: float
    fit: FitRow | None


class ShotModel(QtCore.QAbstractTableModel):
    """The shots of one run as a table; rows stand at their shots' numbers."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme, self.waiting = theme, True  # an answer of the twin may still come
        self._lines: list[_Line] = []

    def clear(self) -> None:
        self.beginResetModel()
        self._lines, self.waiting = [], True
        self.endResetModel()

    def settle(self) -> None:
        """The run is over: shots without an answer stay without one."""
        self.waiting = False
        if self._lines:
            self.dataChanged.emit(self.index(0, 2), self.index(len(self._lines) - 1, 2))

    def add(self, shots: list[Shot]) -> None:
        """Append shots that are on disk, in the order of their numbers."""
        first = len(self._lines)
        self.beginInsertRows(QtCore.QModelIndex(), first, first + len(shots) - 1)
        self._lines += [_Line(shot.number, shot.energy, shot.fit) for shot in shots]
        self.endInsertRows()

    def set_fit(self, number: int, fit: FitRow) -> None:
        """The twin's answer for a shot; one whose row is not there is left out."""
        if number < len(self._lines):
            self._lines[number].fit = fit
            self.dataChanged.emit(self.index(number, 0), self.index(number, self.columnCount() - 1))

    def fit(self, number: int) -> FitRow | None:
        return self._lines[number].fit if 0 <= number < len(self._lines) else None

    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: _Index = _NO_PARENT) -> int:
        return len(_LEFT) + len(FITTED) + len(_RIGHT)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        name = self._fitted(section)
        if role == Qt.ItemDataRole.DisplayRole:
            if name is None:
                return (*_LEFT, *FITTED, *_RIGHT)[section]
            f = FITTED[name]
            return f"{f.symbol}  ({f.unit})" if f.unit else f.symbol
        if role == Qt.ItemDataRole.ToolTipRole and name is not None:
            return f"{FITTED[name].meaning}; digits in brackets: statistical uncertainty of the last digits"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(section)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line, section = self._lines[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(line, section)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(section)
        if role == Qt.ItemDataRole.ForegroundRole and section == 2:
            word = _WORDS.get(line.fit.verdict.name, "danger") if line.fit else "muted"
            return QtGui.QColor(getattr(self.theme, word))
        if role == Qt.ItemDataRole.ToolTipRole and section == 2 and line.fit:
            return line.fit.verdict.advice
        return None

    def _text(self, line: _Line, section: int) -> str:
        name, fit = self._fitted(section), line.fit
        if name is not None:
            if fit is None or name not in fit.parameters:
                return ""
            scale, sigma = FITTED[name].scale, fit.sigma.get(name)
            return concise(fit.parameters[name] / scale, None if sigma is None else sigma / scale)
        quality = "" if fit is None or fit.chi2_per_dof is None else f"{fit.chi2_per_dof:.3f}"
        took = "" if fit is None else f"{1e3 * fit.seconds:.0f} ms"
        word = fit.verdict.name if fit else "…" if self.waiting else "–"
        left = (str(line.number), measured(line.energy, "J"), word)
        return left[section] if section < 3 else (quality, took)[section - 3 - len(FITTED)]

    @staticmethod
    def _fitted(section: int) -> str | None:
        place = section - len(_LEFT)
        return tuple(FITTED)[place] if 0 <= place < len(FITTED) else None

    @staticmethod
    def _alignment(section: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignLeft if section == 2 else Qt.AlignmentFlag.AlignRight
        return side | Qt.AlignmentFlag.AlignVCenter


class ShotTable(QtWidgets.QTableView):
    """The table; `chosen(number)` when a person clicks a row or moves to it with the arrow keys."""

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.shots = ShotModel(theme)
        self.setModel(self.shots)
        self.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setHorizontalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(25)
        self.horizontalHeader().setHighlightSections(False)
        self._set_widths()
        self._by_program = False
        self.selectionModel().currentRowChanged.connect(self._moved)

    def select(self, number: int) -> None:
        """Mark a row without asking for its shot."""
        self._by_program = True
        try:
            self.selectRow(number)
            self.scrollTo(self.shots.index(number, 0))
        finally:
            self._by_program = False

    def selected(self) -> int | None:
        """The number of the marked shot."""
        index = self.currentIndex()
        return index.row() if index.isValid() else None

    def _moved(self, current: QtCore.QModelIndex, _: QtCore.QModelIndex) -> None:
        if current.isValid() and not self._by_program:
            self.chosen.emit(current.row())

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """A click on the row that is marked already is a choice too: it ends the following."""
        before = self.selected()
        super().mousePressEvent(event)
        hit = self.indexAt(event.position().toPoint())
        if before is not None and hit.isValid() and hit.row() == before:
            self.chosen.emit(before)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """The fitted values share what room there is, but stay readable."""
        super().resizeEvent(event)
        fixed = sum(_WIDTHS) + sum(_WIDTHS_RIGHT)
        width = max(_NARROWEST, (self.viewport().width() - fixed) // len(FITTED))
        for place in range(len(FITTED)):
            self.horizontalHeader().resizeSection(len(_LEFT) + place, width)

    def _set_widths(self) -> None:
        header = self.horizontalHeader()
        header.setMinimumSectionSize(40)
        right = len(_LEFT) + len(FITTED)
        for section, width in (*enumerate(_WIDTHS), *enumerate(_WIDTHS_RIGHT, right)):
            header.resizeSection(section, width)
