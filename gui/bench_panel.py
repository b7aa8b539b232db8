"""What is on the bench: each role with what it answered to the question who it is, and the safe state."""

from __future__ import annotations

from procedures.machinery.records.events import SafeState

from .event_source import BenchOpened
from .qt import QtWidgets

_RANKS = {"simulated": "warning", "real": "good"}


class BenchPanel(QtWidgets.QFrame):
    """Roles of the bench file, greyed until they have answered."""

    def __init__(self, roles: tuple[str, ...]) -> None:
        super().__init__()
        self.setObjectName("card")
        self._state = QtWidgets.QLabel()
        self._state.setWordWrap(True)
        self._grid = QtWidgets.QGridLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        layout.addWidget(self._state)
        layout.addLayout(self._grid)
        self.show_roles(tuple((role, "", "") for role in roles))
        self.show_state("not connected yet", "muted")

    def show_bench(self, event: BenchOpened) -> None:
        """The bench has answered."""
        self.show_roles(event.roles)
        self.show_state("connected", "muted")

    def show_roles(self, roles: tuple[tuple[str, str, str], ...]) -> None:
        """(role, identity, origin) line by line."""
        while (item := self._grid.takeAt(0)) is not None:
            if (label := item.widget()) is not None:
                label.deleteLater()
        for row, (role, identity, origin) in enumerate(roles):
            self._grid.addWidget(_label(role, "muted"), row, 0)
            text = _label(short(identity) if identity else "–", "plain" if identity else "muted")
            text.setToolTip(identity)
            self._grid.addWidget(text, row, 1)
            self._grid.addWidget(_label(origin[:3].upper(), _RANKS.get(origin, "muted")), row, 2)

    def show_safe_state(self, state: SafeState) -> None:
        """What was read back after everything was turned off."""
        if state.verified:
            words = f"safe, read back: laser {state.laser}, shutter {state.shutter}, RF {state.rf}"
            self.show_state(words, "good")
        else:
            self.show_state(f"STATE UNKNOWN, use the emergency stop: {state.message}", "danger")

    def show_state(self, text: str, rank: str) -> None:
        """One line on the bench as a whole."""
        self._state.setText(text)
        self._state.setProperty("rank", rank)
        self._state.style().unpolish(self._state)
        self._state.style().polish(self._state)

    @property
    def state_text(self) -> str:
        return self._state.text()


def short(identity: str) -> str:
    """Maker and model of "Maker,Model,Serial,Firmware"."""
    parts = [part.strip() for part in identity.split(",")]
    return parts[1] if len(parts) > 1 and parts[1] else identity[:28]


def _label(text: str, rank: str) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(text)
    label.setProperty("rank", rank)
    return label
