"""One setting of a procedure as a form field: text with units in, checked while it is typed.

The procedure's own parameter decides what is right; unit, bounds and meaning come from the catalogue.
"""

from __future__ import annotations

from typing import Any

from procedures import catalogue
from procedures.machinery.records.settings import Setting, values

from .number_text import engineering
from .qt import QtWidgets, Signal


class SettingField(QtWidgets.QWidget):
    """A line (or a choice) with a message under it when the text is wrong."""

    changed = Signal()

    def __init__(self, procedure: str, setting: Setting) -> None:
        super().__init__()
        self.setting, self._procedure = setting, catalogue.procedure(procedure)
        self._editor = _editor(setting)
        self._editor.setToolTip(tooltip(setting))
        self._editor.setAccessibleName(setting.name)
        self._problem = QtWidgets.QLabel()
        self._problem.setProperty("rank", "problem")
        self._problem.setWordWrap(True)
        self._problem.hide()
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._editor)
        layout.addWidget(self._problem)
        if isinstance(self._editor, QtWidgets.QLineEdit):
            self._editor.textChanged.connect(self._check)
            self._editor.editingFinished.connect(self._tidy)
        self.set_value(setting.default)

    @property
    def text(self) -> str:
        """What a person has written or chosen."""
        if isinstance(self._editor, QtWidgets.QComboBox):
            return self._editor.currentText()
        return self._editor.text().strip()

    def set_text(self, text: str) -> None:
        if isinstance(self._editor, QtWidgets.QComboBox):
            self._editor.setCurrentText(text)
        else:
            self._editor.setText(text)

    def set_value(self, value: Any) -> None:
        """Show an SI value, or text with units as it stands."""
        self.set_text(value if isinstance(value, str) else written(value, self.setting.unit))

    def problem(self) -> str:
        """Why the text is not a value of this setting; empty when it is one."""
        try:
            self._value()
        except ValueError as wrong:
            return str(wrong)
        return ""

    def _value(self) -> Any:
        return values(self._procedure, {self.setting.name: self.text})[self.setting.name]

    def _check(self) -> None:
        problem = self.problem()
        self._problem.setText(problem.removeprefix(f"{self.setting.name}: "))
        self._problem.setVisible(bool(problem))
        if self._editor.property("wrong") != bool(problem):
            self._editor.setProperty("wrong", bool(problem))
            self._editor.style().unpolish(self._editor)
            self._editor.style().polish(self._editor)
        self.changed.emit()

    def _tidy(self) -> None:
        if not self.problem():
            self.set_value(self._value())


def _editor(setting: Setting) -> QtWidgets.QLineEdit | QtWidgets.QComboBox:
    choices = setting.choices or (("yes", "no") if isinstance(setting.default, bool) else None)
    if choices is None:
        return QtWidgets.QLineEdit()
    box = QtWidgets.QComboBox()
    box.addItems(choices)
    box.setMinimumHeight(28)
    return box


def written(value: Any, unit: str) -> str:
    """A value as one would type it: "5 mJ", "20", "yes"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    return engineering(value, unit, 9) if isinstance(value, float) else str(value)


def tooltip(setting: Setting) -> str:
    """Meaning, bounds and how to write it."""
    lines = [setting.meaning] if setting.meaning else []
    if setting.minimum is not None and setting.maximum is not None and setting.choices is None:
        kind = type(setting.default)
        low, high = (written(kind(bound), setting.unit) for bound in (setting.minimum, setting.maximum))
        lines.append(f"from {low} to {high}")
    if setting.unit:
        lines.append(f"write a number with its unit; without one it is in {setting.unit}")
    return "\n".join(lines)
