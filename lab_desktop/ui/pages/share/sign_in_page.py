"""The page where somebody signs in, in the place of the page that asked for it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from lab_desktop.contribution.destinations import Destination
from lab_desktop.ui.pages.share.face import Face
from lab_desktop.ui.signing_in import SignIn, sign_in_title, sign_in_words
from lab_desktop.ui.widgets.basic import column


class SignInPage(QWidget):
    """Attributes:
    sign_in: the ways to sign in at a host, while one is asked for.
    """

    signed_in = Signal(object)
    """The Account."""

    def __init__(self) -> None:
        super().__init__()
        self.sign_in: SignIn | None = None
        self.title = ""
        self._inside = column()
        self.setLayout(self._inside)

    def ask(self, destination: Destination, before: QWidget) -> None:
        """
        Args:
            destination: of a host that knows its people.
            before: the control that Tab comes from.
        """
        assert destination.forge
        self.drop()
        self.title = sign_in_title(destination.forge, destination.host)
        self.sign_in = SignIn(destination.forge, destination.host, destination.address)
        self.sign_in.signed_in.connect(self.signed_in)
        self._inside.addWidget(self.sign_in)
        for control in self.sign_in.controls:
            self.setTabOrder(before, control)
            before = control

    def drop(self) -> None:
        """Nobody signs in any more."""
        if self.sign_in is not None:
            self.sign_in.stop()
            self.sign_in.hide()
            self.sign_in.deleteLater()
            self.sign_in = None

    def face(self) -> Face:
        return Face(sign_in_words())

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self.sign_in.entrance() if self.sign_in is not None else self
