"""Addresses that somebody else wrote: shown whole before anything is opened."""

from __future__ import annotations

from urllib.parse import urlsplit

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget

from lab_desktop.ui.words import tr


def ask_to_open(parent: QWidget, address: str, warning: str) -> bool:
    """Ask whether an address is to be opened in the browser; False where it leads nowhere on the web.

    Args:
        warning: who wrote it.
    """
    try:
        scheme = urlsplit(address).scheme
    except ValueError:
        return False
    if scheme not in ("http", "https", "mailto"):
        return False
    box = QMessageBox(QMessageBox.Icon.NoIcon, "LAB Desktop", tr("Open this address in your browser?"))
    box.setParent(parent, Qt.WindowType.Sheet)
    box.setInformativeText(f"{address}\n\n{warning}")
    box.setTextFormat(Qt.TextFormat.PlainText)
    go = box.addButton(tr("Open"), QMessageBox.ButtonRole.AcceptRole)
    stay = box.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    go.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(address)))
    box.open()
    return True
