"""Page 2: whose work it is, under which licence, whose name goes along, and what looks private in it."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QLabel, QLineEdit, QVBoxLayout, QWidget

from lab_desktop.contribution.accounts import Account
from lab_desktop.contribution.contributions import Author
from lab_desktop.taxonomy.attribution import FILE_NAME as CREDITS
from lab_desktop.taxonomy.attribution import LICENCES, Attribution
from lab_desktop.ui.pages.share.choice import Tick
from lab_desktop.ui.pages.share.face import Face
from lab_desktop.ui.pages.share.preparing import Finding, Look
from lab_desktop.ui.session import Spot
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Badge, Button, Card, Icon, Label, announce, column, empty, row, scrolled
from lab_desktop.ui.words import tr

MOST_LETTERS = 120
"""Of a name or an address."""
_WORKS_SHOWN = 6
_MAIL = re.compile(r"[^\s<>@\"]+@[^\s<>@\"]+")
_KINDS = {"e-mail": "an e-mail address", "phone": "a phone number", "key": "a key or password",
          "name": "a name", "folder": "a folder of this computer"}  # fmt: skip


class RightsPage(QWidget):
    """Attributes:
    name, email: of who signs it off.
    agree: the sentence that the person agrees to.
    change_credits: goes to the source and the licence in the lesson.
    take_out, keeps: two buttons for each finding, in their order.
    """

    mend = Signal(object)
    """The `Spot` that the person wants to mend."""
    changed = Signal()
    """Something was typed or decided."""
    sign_in_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._look: Look | None = None
        self._kept: set[tuple[str, str, str]] = set()
        self.take_out: list[Button] = []
        self.keeps: list[Button] = []
        self.name = QLineEdit()
        self.name.setAccessibleName(self.tr("Your name"))
        self.name.setMaxLength(MOST_LETTERS)
        self.name.setPlaceholderText(self.tr("As others should read it"))
        self.name.textChanged.connect(self.changed)
        self.email = QComboBox()
        self.email.setEditable(True)
        self.email.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.email.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.email.setAccessibleName(self.tr("Your e-mail address"))
        self.email.editTextChanged.connect(self.changed)
        field = self.email.lineEdit()
        assert field is not None
        field.setAccessibleName(self.email.accessibleName())
        field.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # Tab reaches the box, which writes into it
        field.setMaxLength(MOST_LETTERS)
        field.setPlaceholderText("name@example.org")
        self._mail_words = Label("", "small", "text2", wraps=True)
        self.sign_in = Button(self.tr("Sign in for a private one…"), "plain", size="small",
                              on_click=self.sign_in_wanted.emit)  # fmt: skip
        self.change_credits = Button(self.tr("Change in the lesson…"), "plain", size="small", on_click=self._go_credits)
        for link in (self.sign_in, self.change_credits):
            link.setProperty("flush", True)
        self._works = QVBoxLayout()
        self._works.setSpacing(8)
        left = QWidget()
        left.setLayout(
            column(
                Label(self.tr("Your name"), "label", "text2"), 4, self.name, 12,
                Label(self.tr("Your e-mail address"), "label", "text2"), 4, self.email, 4, self._mail_words,
                row(self.sign_in, -1), 16,
                Label(self.tr("Source and licence"), "strong"), 6, self._works, 4, row(self.change_credits, -1), -1,
            )
        )  # fmt: skip
        self._found_title = Label("", "strong", wraps=True)
        self._found_words = Label("", "small", "text2", wraps=True)
        self._found = QVBoxLayout()
        self._found.setSpacing(8)
        self._found_icon = Icon("check", "good", 18)
        words = row(column(self._found_icon, -1), column(self._found_title, self._found_words, gap=3), gap=10,
                    margins=(14, 12, 14, 12))  # fmt: skip
        words.setStretch(1, 1)
        self._told = QFrame()
        self._told.setLayout(words)
        right = QWidget()
        right.setLayout(column(self._told, 10, self._found, -1))
        columns = row(left, right, gap=24, margins=(0, 0, 8, 0))
        columns.setStretch(0, 1)
        columns.setStretch(1, 1)
        inside = QWidget()
        inside.setLayout(columns)
        area = scrolled(inside)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        whole = column(area, 12, self._sign_off())
        whole.setStretch(0, 1)
        self.setLayout(whole)

    def _sign_off(self) -> QFrame:
        self.agree = Tick(self.tr("I wrote this, or I may share it under this licence"))
        self.agree.toggled.connect(lambda _: self.changed.emit())
        sentence = _Sentence(self.tr("I wrote this, or I may share it under this licence."), self.agree)
        term = Label(self.tr("(sign-off)"), "small", "text3")
        self._bears = Label("", "small", "text2", wraps=True)
        first = row(sentence, term, gap=6)
        first.setStretch(0, 1)
        words = column(first, 2, self._bears)
        line = row(column(1, self.agree, -1), words, gap=10, margins=(16, 12, 16, 12))
        line.setStretch(1, 1)
        made = QFrame()
        made.setProperty("surface", "sunken")
        made.setLayout(line)
        return made

    def show_look(self, seen: Look, account: Account | None) -> None:
        """Anew for a lesson; what the person typed on this page before stays where there was something."""
        self._look = seen
        agreed = seen.contribution.agreed_at > 0
        self._kept = {finding.key for finding in seen.findings} if agreed else set()
        author = seen.contribution.author
        self.show_account(account, author)
        self.agree.setChecked(agreed)
        self._show_works(seen.works)
        self._show_findings(seen.findings)
        self.changed.emit()

    def show_account(self, account: Account | None, author: Author | None = None) -> None:
        """Whose name and addresses are offered; what was typed stays."""
        typed = self.email.currentText().strip()
        self.email.blockSignals(True)
        self.email.clear()
        if account is not None:
            self.email.addItems(list(dict.fromkeys([account.email, *account.emails])))
        self.email.setEditText(typed or (author.email if author else account.email if account else ""))
        self.email.blockSignals(False)
        written = self._look.leaf.created_by if self._look is not None else ""
        if self.name.text().strip() in ("", written):
            self.name.setText(author.name if author else account.name if account else written)
        if account is None:
            words = self.tr("It stands with the lesson for everybody to read.")
        else:
            words = self.tr("The first one is {0}'s own: it leads to you and tells nobody your address.").format(
                account.host
            )
        self._mail_words.setText(words)
        self.sign_in.setVisible(account is None)
        self.changed.emit()

    @property
    def author(self) -> Author:
        """As it is typed."""
        return Author(" ".join(self.name.text().split()), self.email.currentText().strip())

    @property
    def left(self) -> int:
        """How many findings nobody has decided about."""
        return sum(finding.key not in self._kept for finding in self._look.findings) if self._look is not None else 0

    def why_not(self) -> str:
        """What is missing on this page, in a sentence; "" for nothing."""
        author = self.author
        if not author.name or any(sign in author.name for sign in "<>"):
            return self.tr("Write your name: the community wants to know who gives it.")
        if not _MAIL.fullmatch(author.email):
            return (
                self.tr("Write your e-mail address, or sign in for a private one.")
                if (not author.email)
                else self.tr("“{0}” is not an e-mail address.").format(author.email)
            )
        if self.left:
            return self.tr("Look at what was found: take it out, or keep it.")
        if not self.agree.isChecked():
            return self.tr("Tick the sentence, if it is true.")
        return ""

    def face(self) -> Face:
        about = self.tr("Whose work it is, and whose name goes along. Nothing is sent yet.")
        return Face(about, self.tr("Continue"), self.why_not(), self.why_not())

    def entrance(self) -> QWidget:
        """Where the keyboard begins: at what is missing."""
        if not self.author.name:
            return self.name
        if not _MAIL.fullmatch(self.author.email):
            return self.email
        undecided = [button for button in self.keeps if not button.isChecked()]
        return undecided[0] if undecided else self.agree

    # Credits

    def _show_works(self, works: Sequence[Attribution]) -> None:
        empty(self._works)
        if not works:
            self._works.addWidget(Label(self.tr("Nothing is said about it yet."), "body", "text2", wraps=True))
        for work in works[:_WORKS_SHOWN]:
            self._works.addWidget(_work(work))
        if len(works) > _WORKS_SHOWN:
            self._works.addWidget(Label(self.tr("And {0} more.").format(len(works) - _WORKS_SHOWN), "small", "text2"))
        names = ", ".join(dict.fromkeys(_licence(work)[0] for work in works))
        self._bears.setText(
            self.tr("Licence: {0}. Your name and address stand with it for everybody to read, and for good.").format(
                names or self.tr("none yet")
            )
        )

    def _go_credits(self) -> None:
        if self._look is not None:
            self.mend.emit(Spot(self._look.folder, "credits"))

    # What looks private

    def _show_findings(self, findings: Sequence[Finding]) -> None:
        empty(self._found)
        self.take_out, self.keeps = [], []
        for finding in findings:
            self._found.addWidget(self._finding(finding))
        before: QWidget = self.change_credits
        for pair in zip(self.take_out, self.keeps, strict=True):
            for button in pair:
                self.setTabOrder(before, button)
                before = button
        self._count()

    def _count(self) -> None:
        findings = self._look.findings if self._look is not None else ()
        if not findings:
            self._found_title.setText(self.tr("Nothing private found"))
            words = self.tr("No e-mail address, phone number, key, or name of yours stands in the lesson. Other "
                            "people's names are not looked for: read it once with them in mind.")  # fmt: skip
        elif self.left:
            self._found_title.setText(self.tr("Look at this first"))
            words = self.tr("It looks private. Decide about each: once it is sent, it cannot be called back.")
        else:
            self._found_title.setText(self.tr("You looked at everything"))
            words = self.tr("What you keep goes along with the lesson.")
        self._found_words.setText(words)
        self._found_icon.show_icon("info" if self.left else "check", "warn" if self.left else "good")
        self._told.setProperty("surface", "warn" if self.left else "good")
        self._told.style().unpolish(self._told)
        self._told.style().polish(self._told)

    def _finding(self, finding: Finding) -> Card:
        what = tr(_KINDS[finding.found.kind])
        shown = _Words(finding)
        take = Button(self.tr("Take out…"), size="small", on_click=functools.partial(self._take, finding))
        keep = Button("", size="small")
        keep.setCheckable(True)
        keep.setChecked(finding.key in self._kept)
        take.setAccessibleName(self.tr("Take {0} out of the lesson").format(finding.found.text))
        keep.setAccessibleName(self.tr("Keep {0}").format(finding.found.text))
        keep.toggled.connect(functools.partial(self._keep, finding, keep))
        self._name_keep(keep)
        self.take_out.append(take)
        self.keeps.append(keep)
        where = self._where(finding)
        badge = Badge(what[:1].upper() + what[1:], "warn")
        return Card(
            row(badge, Label(where, "small", "text2"), -1, gap=8), 6, shown, 8, row(take, keep, -1, gap=6),
            padding=(14, 10),
        )  # fmt: skip

    def _where(self, finding: Finding) -> str:
        if self._look is not None and finding.file in self._look.parcel.documents:
            return self.tr("in the document")
        return self.tr("in the credits") if finding.file.endswith(CREDITS) else self.tr("in the lesson")

    def _take(self, finding: Finding) -> None:
        if self._look is not None:
            self.mend.emit(Spot(self._look.folder, "", finding.found.text.rstrip("…")))

    def _keep(self, finding: Finding, button: Button, is_kept: bool) -> None:
        (self._kept.add if is_kept else self._kept.discard)(finding.key)
        self._name_keep(button)
        self._count()
        if not self.left:
            announce(self, self._found_title.text())
        self.changed.emit()

    def _name_keep(self, button: Button) -> None:
        button.setText(self.tr("Kept") if button.isChecked() else self.tr("Keep"))


class _Sentence(Label):
    """Words beside a box, which tick it as the box itself does."""

    def __init__(self, text: str, box: Tick) -> None:
        super().__init__(text, "strong", wraps=True)
        self._box = box
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mousePressEvent(self, event: object) -> None:
        self._box.toggle()
        self._box.setFocus()


class _Words(QLabel):
    """A finding with the words around it; it is marked."""

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        self._finding = finding
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAccessibleName(f"{finding.before} {finding.found.text} {finding.after}".strip())
        look().changed.connect(self._redraw)
        self._redraw()

    def _redraw(self) -> None:
        theme, finding = look().theme, self._finding
        self.setText(
            f'<span style="color:{theme.text2}">{html.escape(finding.before)} '
            f'<span style="background:{theme.mark2 if not theme.is_dark else theme.warn_tint}; color:{theme.text}">'
            f"{html.escape(finding.found.text)}</span> {html.escape(finding.after)}</span>"
        )


def _work(work: Attribution) -> QWidget:
    name, means = _licence(work)
    source = tr("Your own work") if work.is_own else work.link or tr("It is not said where it comes from")
    made = [Label(work.title or tr("A work without a title"), "body", wraps=True)]
    if work.creators:
        made.append(Label(tr("by {0}").format(work.creators), "small", "text2", wraps=True))
    made += [
        Label(source, "small", "text2", wraps=True),
        Label(f"{name}: {means}" if means else name, "small", "text2", wraps=True),
    ]
    return Card(*made, gap=2, padding=(14, 10))


def _licence(work: Attribution) -> tuple[str, str]:
    """Its name, and what it means."""
    known = next((each for each in LICENCES if each.id == work.licence), None)
    if known is not None:
        return tr(known.name), tr(known.means)
    return (work.licence or tr("No licence")), tr("A community takes only texts that everybody may use and change.")
