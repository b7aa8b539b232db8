"""What the twin says about the shot that is on screen: verdict, values with both uncertainties, advice."""

from __future__ import annotations

from procedures import FitRow

from .fitted_names import FITTED, described
from .number_text import uncertain
from .qt import Qt, QtWidgets

_RANK = {"OK": "good", "NO_BURST": "muted", "NOT_IDENTIFIABLE": "warning"}


class FitReport(QtWidgets.QFrame):
    """Call `show_fit`; None is a shot that has no answer yet."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self._verdict, self._advice = _label("", "title"), _label("", "muted")
        self._quality = _label("", "muted")
        self._rows = {name: _ParameterRow(name) for name in FITTED}
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(4)
        layout.addWidget(self._verdict)
        layout.addWidget(self._advice)
        for row in self._rows.values():
            layout.addWidget(row)
        layout.addSpacing(6)
        layout.addWidget(self._quality)
        layout.addStretch(1)
        self.show_fit(None)

    def show_fit(self, row: FitRow | None, waiting: str = "No fit yet") -> None:
        """Show a fit, or `waiting` while there is none."""
        self._say(row.verdict.name.replace("_", " ") if row else waiting,
                  _RANK.get(row.verdict.name, "danger") if row else "muted")
        advice = row.verdict.advice if row and row.verdict.name != "OK" else ""
        self._advice.setText(advice[:1].upper() + advice[1:] + ("." if advice else ""))
        self._advice.setVisible(bool(advice))
        for name, widget in self._rows.items():
            widget.show_value(row, name)
        quality = []
        if row and row.chi2_per_dof is not None:
            quality.append(f"χ²/dof = {row.chi2_per_dof:.3f}")
        if row:
            quality.append(f"fitted in {1e3 * row.seconds:.0f} ms")
        self._quality.setText("  ·  ".join(quality))

    def _say(self, text: str, rank: str) -> None:
        self._verdict.setText(text)
        self._verdict.setProperty("rank", rank)
        self._verdict.style().unpolish(self._verdict)
        self._verdict.style().polish(self._verdict)


class _ParameterRow(QtWidgets.QWidget):
    """Symbol, value with statistical uncertainty, and under it meaning and declared model error."""

    def __init__(self, name: str) -> None:
        super().__init__()
        f = described(name)
        self._value, self._unit = _label("", "value"), _label(f.unit, "muted")
        self._model = _label("", "muted")
        layout = QtWidgets.QGridLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setHorizontalSpacing(8)
        layout.setVerticalSpacing(0)
        layout.addWidget(_label(f"{f.symbol}", "value"), 0, 0)
        layout.addWidget(self._value, 0, 1)
        layout.addWidget(self._unit, 0, 2, Qt.AlignmentFlag.AlignRight)
        layout.addWidget(_label(f.meaning, "muted"), 1, 1, 1, 2)
        layout.addWidget(self._model, 2, 1, 1, 2)
        layout.setColumnMinimumWidth(0, 24)
        layout.setColumnStretch(1, 1)

    def show_value(self, row: FitRow | None, name: str) -> None:
        known = row is not None and name in row.parameters
        self._unit.setVisible(known)
        self._model.setText("")
        if row is None or not known:
            self._value.setText("–")
            return
        scale = described(name).scale
        text, error = uncertain(row.parameters[name] / scale, row.sigma.get(name, 0.0) / scale)
        self._value.setText(f"{text} ± {error}" if error else text)
        model = row.sigma_model.get(name, 0.0) / scale
        if model > 0.0:
            self._model.setText(f"± {uncertain(0.0, model)[1]} declared model error")


def _label(text: str, rank: str) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(text)
    label.setProperty("rank", rank)
    label.setWordWrap(rank == "muted")
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
