"""What stands round the pages of the sheet: its title, how many steps there are, what is told, and the buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from lab_desktop.ui.pages.share.face import Face
from lab_desktop.ui.pages.share.steps_bar import StepsBar
from lab_desktop.ui.widgets.basic import Banner, Button, Icon, Label, column, row, rule


class Frame(QWidget):
    """Attributes:
    title, steps, banner: above the page.
    back, close_it, next: below it.
    """

    def __init__(self, steps: list[str], pages: QWidget) -> None:
        super().__init__()
        self.title = Label("", "title", wraps=True)
        self._about = Label("", "body", "text2", wraps=True)
        self.steps = StepsBar(steps)
        self.banner = Banner("warn", "")
        self.banner.hide()
        self._rule = rule()
        self._icon, self.status = Icon("check", "good", 16), Label("", "body", "text2", wraps=True)
        self.back, self.close_it = Button(self.tr("Back")), Button(self.tr("Close"))
        self.close_it.setToolTip(self.tr("What you did is kept as a draft"))
        self.next = Button(self.tr("Continue"), "primary")
        foot = row(self._icon, self.status, 12, self.back, self.close_it, self.next, gap=8)
        foot.setStretch(1, 1)
        body = column(self.banner, pages, gap=12)
        body.setStretch(1, 1)
        whole = column(
            self.title, 4, self._about, 12, self.steps, 14, self._rule, 18, body, 14, foot, margins=(30, 24, 30, 20)
        )
        whole.setStretchFactor(body, 1)
        self.setLayout(whole)

    def show_face(self, face: Face, at: int | None, reached: int, *, is_end: bool) -> None:
        """
        Args:
            at: which of the steps the page is; None: none of them.
            reached: the last one that the person has seen.
            is_end: there is no step before it any more.
        """
        self.back.setVisible(bool(at) or (at is None and not is_end))
        self.steps.setVisible(at is not None)
        self._rule.setVisible(not is_end)
        if at is not None:
            self.steps.show_page(at, reached)
        self._about.setText(face.about)
        self._about.setVisible(bool(face.about))
        self.next.setText(face.next)
        self.next.setVisible(bool(face.next))
        self.next.setEnabled(not face.why_not)
        self.next.setAccessibleDescription(face.why_not)
        self.next.setToolTip(face.why_not)
        self._icon.show_icon(face.icon, face.role)
        self._icon.setVisible(bool(face.status))
        self.status.setText(face.status)

    def say(self, cause: str, safe: str, button: str = "", do: Callable[[], object] | None = None) -> None:
        """Tell something above the page."""
        self.banner.say("warn", cause, safe, button, do)
        self.banner.show()
