"""A button that copies a text, and says for some seconds that it did."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication

from lab_desktop.ui.widgets.basic import Button, Kind, announce

_SAID_MS = 4000


class CopyButton(Button):
    def __init__(self, text: str, on_click: Callable[[], object], kind: Kind = "") -> None:
        """
        Args:
            on_click: gives `take` what is to be copied, now or when it has been found.
        """
        super().__init__(text, kind, "copy", on_click)
        self._words = text, self.tr("Copied")
        self._quiet = QTimer(self, singleShot=True, interval=_SAID_MS)
        self._quiet.timeout.connect(self.rest)

    def take(self, text: str) -> None:
        """Put a text on the clipboard, and say so."""
        QGuiApplication.clipboard().setText(text)
        self.setText(self._words[1])
        self.set_icon("check")
        announce(self, self._words[1])
        self._quiet.start()

    def rest(self) -> None:
        """Offer to copy: there is something else."""
        self._quiet.stop()
        self.setText(self._words[0])
        self.set_icon("copy")

    def sizeHint(self) -> QSize:
        """Room for either word, so that nothing beside it moves."""
        metrics, flag = self.fontMetrics(), Qt.TextFlag.TextShowMnemonic  # as Qt's own hint measures
        wide = max(metrics.size(flag, word).width() for word in self._words)
        return super().sizeHint() + QSize(wide - metrics.size(flag, self.text()).width(), 0)
