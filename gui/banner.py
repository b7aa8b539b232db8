"""One readable paragraph over the plots: what went wrong, or how the run ended. Never a modal box."""

from __future__ import annotations

from .qt import Qt, QtWidgets


class Banner(QtWidgets.QFrame):
    """Hidden until it has something to say; the person who has read it closes it."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._text = QtWidgets.QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QtWidgets.QToolButton()
        close.setText("×")
        close.setAutoRaise(True)
        close.setToolTip("close this message")
        close.clicked.connect(self.hide)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.addWidget(self._text, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    @property
    def text(self) -> str:
        """What it says; empty while it is hidden."""
        return "" if self.isHidden() else self._text.text()

    def say(self, text: str, severity: str = "note") -> None:
        """Show a paragraph; `severity` is "note", "done" or "error". An empty text hides the banner."""
        self._text.setText(text)
        self.setProperty("severity", severity)
        self.style().unpolish(self)
        self.style().polish(self)
        self.setVisible(bool(text))
