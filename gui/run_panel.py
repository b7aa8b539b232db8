"""The form that starts a run, the button that ends everything safely, and how far the run has come.

Knows the catalogue, never a bench: it says what a person wants and shows what it is told.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from procedures import catalogue
from twin.quantity import read

from .number_text import duration
from .qt import Qt, QtGui, QtWidgets, Signal
from .setting_field import SettingField

_ETA_AFTER = 2  # shots; before that a remaining time would be a guess


class RunPanel(QtWidgets.QWidget):
    """Signals `run(procedure, {setting: text}, seed or None)`, `stop()` and `wrong(message)`."""

    run = Signal(str, dict, object)
    stop = Signal()
    wrong = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, SettingField] = {}
        self._began: tuple[float, int] | None = None
        self.choice, self._summary = QtWidgets.QComboBox(), _muted()
        self._form = QtWidgets.QFormLayout()
        self.seed = QtWidgets.QLineEdit()
        self.run_button, self.stop_button = QtWidgets.QPushButton("Run"), QtWidgets.QPushButton("STOP-SAFE")
        self.bar, self.progress_text = QtWidgets.QProgressBar(), _muted("ready")
        self._build()
        self.choice.currentTextChanged.connect(self._choose)
        self.choice.addItems(catalogue.names())
        self.run_button.clicked.connect(self.start)
        self.stop_button.clicked.connect(self.stop)

    # what others call

    def choose(self, procedure: str, settings: Mapping[str, Any], seed: int | None = None) -> None:
        """Fill the form; ValueError for an unknown procedure or setting."""
        catalogue.procedure(procedure)
        self.choice.setCurrentText(procedure)
        for name, value in settings.items():
            if name not in self.fields:
                raise ValueError(f"{procedure} has no setting {name!r}; it has {', '.join(self.fields)}")
            self.fields[name].set_value(value)
        self.seed.setText("" if seed is None else str(seed))

    def start(self) -> None:
        """Ask for the run that the form describes, or say what is wrong with it."""
        problems = [field.problem() for field in self.fields.values()]
        try:
            seed = self._seed()
        except ValueError as wrong:
            problems.append(str(wrong))
        found = [problem for problem in problems if problem]
        if found:
            self.wrong.emit(" ".join(f"{problem}." for problem in found))
            return
        self.run.emit(self.choice.currentText(), {n: f.text for n, f in self.fields.items()}, seed)

    def set_busy(self, busy: bool, stopping: bool = False) -> None:
        """While a run is under way its form is closed; STOP-SAFE never is."""
        self.run_button.setEnabled(not busy)
        self.run_button.setText("Running …" if busy and not stopping else "Stopping …" if stopping else "Run")
        for widget in (self.choice, self.seed, *self.fields.values()):
            widget.setEnabled(not busy)
        if not busy:
            self._began = None

    def show_progress(self, done: int, total: int, text: str = "") -> None:
        """`done` of `total`; 0 of 0 is work of unknown length."""
        self.bar.setRange(0, max(total, 0))
        self.bar.setValue(done)
        words = [text] if text else []
        if total:
            words.append(f"{done} of {total}")
            words += self._remaining(done, total)
        self.progress_text.setText("  ·  ".join(words))

    def rest(self, text: str) -> None:
        """Nothing is under way."""
        if self.bar.maximum() == 0:
            self.bar.setRange(0, 1)
            self.bar.setValue(0)
        self.progress_text.setText(text)

    def _remaining(self, done: int, total: int) -> list[str]:
        now = time.monotonic()
        if self._began is None:
            self._began = (now, done)
        began, first = self._began
        if done - first < _ETA_AFTER or done >= total:
            return []
        return [f"{duration((now - began) / (done - first) * (total - done))} left"]

    # how it is built

    def _build(self) -> None:
        self.run_button.setObjectName("run")
        self.run_button.setToolTip("start the procedure (Ctrl+Enter)")
        self.stop_button.setObjectName("stop")
        self.stop_button.setToolTip("end the run and bring the bench into its verified safe state:\n"
                                    "laser off, shutter closed, RF off (F12, or Esc twice)")
        self.choice.setMinimumHeight(30)
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1)
        self.seed.setPlaceholderText("random")
        self.seed.setToolTip("whole number; on a virtual bench the same seed gives the same data")
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._form.setFormAlignment(Qt.AlignmentFlag.AlignTop)
        self._form.setHorizontalSpacing(12)
        self._form.setVerticalSpacing(8)
        card = QtWidgets.QFrame()
        card.setObjectName("card")
        inside = QtWidgets.QVBoxLayout(card)
        inside.setContentsMargins(14, 14, 14, 14)
        inside.setSpacing(10)
        inside.addWidget(self.choice)
        inside.addWidget(self._summary)
        inside.addLayout(self._form)
        inside.addWidget(self.run_button)
        inside.addWidget(self.bar)
        inside.addWidget(self.progress_text)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self.stop_button)  # above the form, so that it never moves
        layout.addWidget(card)
        QtGui.QShortcut(QtGui.QKeySequence("Ctrl+Return"), self, self.start,
                        context=Qt.ShortcutContext.WindowShortcut)

    def _choose(self, name: str) -> None:
        self._summary.setText(catalogue.summary(catalogue.procedure(name)))
        self.seed.setParent(self)
        while self._form.rowCount():
            self._form.removeRow(0)
        self.fields = {}
        for setting in catalogue.settings(name):
            self.fields[setting.name] = field = SettingField(name, setting)
            self._form.addRow(_name(setting.name.replace("_", " ")), field)
        self._form.addRow(_name("seed"), self.seed)
        self.seed.show()

    def _seed(self) -> int | None:
        text = self.seed.text().strip()
        if not text:
            return None
        number = read(text, "", "seed")
        if number != int(number) or number < 0:
            raise ValueError(f"seed: expected a whole number that is not negative, found {text!r}")
        return int(number)


def _name(text: str) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(text)
    label.setContentsMargins(0, 3, 0, 0)  # in line with the text of a field that may grow downwards
    return label


def _muted(text: str = "") -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(text)
    label.setProperty("rank", "muted")
    label.setWordWrap(True)
    return label
