"""Page 3: what shows that the lesson works, and where it goes."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextDocument
from PySide6.QtNetwork import QNetworkInformation
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QFrame,
    QGridLayout,
    QLineEdit,
    QPlainTextEdit,
    QStackedWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from lab_desktop.contribution import destinations, proof
from lab_desktop.contribution.accounts import Account
from lab_desktop.contribution.destinations import Destination
from lab_desktop.contribution.proof import Proof, Shown
from lab_desktop.errors import ContributionError, LabError
from lab_desktop.ui.pages.share.choice import Choice
from lab_desktop.ui.pages.share.face import Face
from lab_desktop.ui.pages.share.preparing import Look, Ways
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Card, Icon, Label, announce, column, empty, row, scrolled
from lab_desktop.ui.words import model_word, number, tr

_LETTERS_SHOWN = 320
_EXAMPLES = 3


class ProofPage(QWidget):
    """Attributes:
    community, team, file: the three places.
    address: of the team's repository.
    note: what the person wants to say to those who look at it.
    sign_in: asks for the sign-in page.
    """

    changed = Signal()
    """Another place was chosen, or who is signed in there is another."""
    sign_in_wanted = Signal()
    sign_out_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._ways: Ways | None = None
        self._team: Destination | None = None
        self._is_asked = False
        self.community = Choice("share", self.tr("Community library on GitHub"), "")
        self.team = Choice("library", self.tr("My team's repository"), "")
        self.file = Choice("document", self.tr("A file to send by mail"), "")
        self._group = QButtonGroup(self)
        for choice in (self.community, self.team, self.file):
            self._group.addButton(choice)
            choice.toggled.connect(lambda _: self._choose())
        self.address = QLineEdit()
        self.address.setAccessibleName(self.tr("Address of the team's repository"))
        self.address.setPlaceholderText(self.tr("https://…, git@…, or a folder"))
        self.address.returnPressed.connect(self._take_address)
        self._use = Button(self.tr("Use"), on_click=self._take_address)
        self._use.setAccessibleName(self.tr("Use this repository"))
        self._wrong = Label("", "small", "bad", wraps=True)
        self.pick = Button(self.tr("Choose a folder…"), "plain", size="small", on_click=self._pick_folder)
        self._asks_address = QWidget()
        self._asks_address.setLayout(column(row(self.address, self._use, gap=8), row(self.pick, -1), 4, self._wrong))
        self._change = Button(self.tr("Another repository…"), "plain", size="small", on_click=self._ask_address)
        self._of_team = QWidget()
        self._of_team.setLayout(column(self._asks_address, row(self._change, -1), margins=(0, 6, 0, 0)))
        self.sign_in = Button(self.tr("Sign in…"), on_click=self.sign_in_wanted.emit)
        self._who = Label("", "small", "text2", wraps=True)
        self._out = Button(self.tr("Sign out"), "plain", size="small", on_click=self.sign_out_wanted.emit)
        who = row(self._who, self._out, self.sign_in, gap=8)
        who.setStretch(0, 1)
        self._account = QWidget()
        self._account.setLayout(who)
        right = QWidget()
        right.setLayout(
            column(
                Label(self.tr("Where to"), "strong"), 8, self.community, 8, self.team, self._of_team,
                8, self.file, 12, self._account, -1, margins=(0, 0, 8, 0),
            )
        )  # fmt: skip
        where = scrolled(right)
        where.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        columns = row(self._left(), where, gap=24)
        columns.setStretch(0, 1)
        columns.setStretch(1, 1)
        self.setLayout(columns)

    def _left(self) -> QWidget:
        self._proof = QVBoxLayout()
        self._proof.setSpacing(8)
        self.note = QPlainTextEdit()
        self.note.setTabChangesFocus(True)
        self.note.setAccessibleName(self.tr("A few words to those who look at it"))
        self.note.setPlaceholderText(self.tr("Why it matters, what they should know. You can leave it empty."))
        look().changed.connect(self._fit_note)
        self._fit_note()
        inside = QWidget()
        inside.setLayout(column(self._proof, -1, margins=(0, 0, 8, 0)))
        shown = scrolled(inside)
        shown.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._letter = QTextBrowser()
        self._letter.setAccessibleName(self.tr("The text that goes along"))
        self._letter.setOpenLinks(False)
        self._letter.setFrameShape(QFrame.Shape.NoFrame)
        self._stack = QStackedWidget()
        self._stack.addWidget(shown)
        self._stack.addWidget(Card(self._letter, padding=(14, 12)))
        self.read = Button("", "quiet", icon="chevron-right", on_click=self._fold)
        self.read.setProperty("flush", True)
        made = QWidget()
        asked = Label(self.tr("A few words to those who look at it"), "label", "text2")
        whole = column(self._stack, 10, asked, 4, self.note, 6, row(self.read, -1))
        whole.setStretch(0, 1)
        made.setLayout(whole)
        self._fold()
        self._fold()
        return made

    def _fit_note(self) -> None:
        self.note.setFixedHeight(look().line_height("body") * 2 + 18)

    def _fold(self) -> None:
        is_open = self._stack.currentIndex() == 0
        self._stack.setCurrentIndex(int(is_open))
        self.read.setText(self.tr("Back to the proof") if is_open else self.tr("Details – the text that goes along"))
        self.read.set_icon("chevron-left" if is_open else "chevron-right")

    # What is shown

    def show_look(self, seen: Look) -> None:
        """Anew for a lesson."""
        self._is_asked = seen.is_asked
        self.note.setPlainText(seen.contribution.note)
        empty(self._proof)
        self._proof.addWidget(Label(self.tr("What shows that it works"), "strong"))
        for part in _proof_parts(seen.shown):
            self._proof.addWidget(part)
        document = QTextDocument(self._letter)
        document.setDefaultFont(look().font("body"))
        document.setMarkdown(
            seen.letter.replace("\n#", "\n##"),  # smaller headings: it is a page within a page
            QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML,
        )
        self._letter.setDocument(document)

    def show_ways(self, ways: Ways, chosen: Destination | None) -> None:
        """Where it can go, and which of them is chosen; without a choice the community's library is."""
        self._ways = ways
        self._team = chosen if chosen is not None and chosen.kind == "team" else self._team or ways.team
        if self._group.checkedButton() is None or chosen is not None:
            kind = chosen.kind if chosen is not None else "community"
            {"community": self.community, "team": self.team, "file": self.file}[kind].setChecked(True)
        self._choose()

    @property
    def chosen(self) -> Destination | None:
        """Where it goes; None: not said yet, or a file whose name is asked for last."""
        if self._ways is None or self.file.isChecked():
            return None
        return self._team if self.team.isChecked() else self._ways.community

    @property
    def is_file(self) -> bool:
        return self.file.isChecked()

    @property
    def account(self) -> Account | None:
        """Who is signed in where it goes."""
        chosen = self.chosen
        return self._ways.signed_in.get(chosen.host) if chosen is not None and self._ways is not None else None

    @property
    def needs_account(self) -> bool:
        """It goes to a host that takes contributions from people whom it knows, and nobody is signed in there."""
        chosen = self.chosen
        return chosen is not None and bool(chosen.forge) and self.account is None

    @property
    def is_offline(self) -> bool:
        """The system says that there is no network, and it is to go through one."""
        chosen = self.chosen
        return chosen is not None and bool(chosen.host) and network_is_gone()

    def face(self) -> Face:
        about, why, status = self.tr("What those see who look at it, and where it goes."), "", ""
        if self.team.isChecked() and self._team is None:
            why = status = self.tr("Write the address of your team's repository.")
        elif self.needs_account:
            status = self.tr("Nobody is signed in: it is kept, and sent when you press Send on the Share page.")
        elif self.is_offline:
            status = self.tr("There is no connection: it is kept, and sent when there is one.")
        return Face(about, self._next_words(), why, status)

    def _next_words(self) -> str:
        chosen = self.chosen
        if self.is_file:
            return self.tr("Write the file…")
        if chosen is None or self.needs_account or self.is_offline:
            return self.tr("Prepare, send later")
        return (self.tr("Send it anew to {0}") if self._is_asked else self.tr("Send to {0}")).format(chosen.name)

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        if self.team.isChecked() and self._team is None:
            return self.address
        return self._group.checkedButton() or self.community

    def _choose(self) -> None:
        if self._ways is None:
            return
        team, is_team = self._team, self.team.isChecked()
        self.community.say(
            self.tr(
                "It goes to {0} as a contribution (pull request). People there look at it; everybody can read it."
            ).format(self._ways.community.name)
        )
        if team is None:
            words = self.tr("It goes to a repository that you name, for your team to look at.")
        elif team.forge:
            words = self.tr("It goes to {0}, for your team to look at and take.").format(team.name)
        else:
            words = self.tr("It goes to {0} as a version of its own beside the others'.").format(team.name)
            if team.host:
                words += " " + self.tr(
                    "It is neither GitHub nor GitLab: only the sign-in that git keeps on this computer opens it."
                )
        self.team.say(words)
        self.file.say(
            self.tr(
                "Another LAB Desktop opens it, and everybody can read the page in it. Nothing leaves this computer."
            )
        )
        self._of_team.setVisible(is_team)
        self._asks_address.setVisible(is_team and team is None)
        self._change.setVisible(is_team and team is not None)
        chosen, account = self.chosen, self.account
        self._account.setVisible(chosen is not None and bool(chosen.forge))
        self.sign_in.setVisible(account is None)
        self._out.setVisible(account is not None)
        host = chosen.host if chosen is not None else ""
        if account is None:
            self._who.setText(self.tr("Nobody is signed in at {0} yet.").format(host))
            self.sign_in.setAccessibleName(self.tr("Sign in at {0}…").format(host))
        else:
            self._who.setText(self.tr("Signed in at {0} as {1}").format(host, account.login))
            self._out.setAccessibleName(self.tr("Sign out of {0}").format(host))
        self.changed.emit()

    def _ask_address(self) -> None:
        self.address.setText(self._team.address if self._team is not None else "")
        self._team = None
        self._wrong.setText("")
        self._choose()
        self.address.setFocus()
        self.address.selectAll()

    def _pick_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, self.tr("The folder of your team's repository")):
            self.address.setText(folder)
            self._take_address()

    def _take_address(self) -> None:
        try:
            taken = destinations.destination(self.address.text())
            if taken.kind == "team" and not taken.host and _has_no_repository(taken):
                raise ContributionError(
                    self.tr("There is no repository in that folder."),
                    self.tr("Ask who looks after your team's lessons which folder it is."),
                )
        except LabError as error:
            self._wrong.setText(f"{error.message} {error.hint}")
            announce(self.address, error.message)
            self.address.setFocus()
            return
        if taken.kind == "file":
            self._wrong.setText(self.tr("That is a file. Choose “A file to send by mail” below."))
            return
        self._wrong.setText("")
        if taken.kind == "community":
            self.community.setChecked(True)
        else:
            self._team = taken
            self._choose()
            self.team.setFocus()


def network_is_gone() -> bool:
    """What the system says of it; False where it does not tell."""
    if not QNetworkInformation.loadBackendByFeatures(QNetworkInformation.Feature.Reachability):
        return False
    known = QNetworkInformation.instance()
    return known is not None and known.reachability() is QNetworkInformation.Reachability.Disconnected


def _has_no_repository(team: Destination) -> bool:
    """A folder that is there and holds something else; one that is not there may be on a disk that comes again."""
    folder = Path(unquote(urlsplit(team.address).path))
    return folder.is_dir() and not any((folder / name).exists() for name in (".git", "objects"))


def _proof_parts(shown: Proof | None) -> list[QWidget]:
    if shown is None:
        return [
            Label(
                tr("No report speaks of this lesson yet: nothing was trained with it, or nothing was checked. You can "
                   "send it all the same; those who look at it are told so."), "body", "text2", wraps=True,
            )
        ]  # fmt: skip
    parts: list[QWidget] = []
    if shown.total:
        words = tr("{0} answered {1} of {2} questions right; {3} after it learned the lesson.").format(
            model_word(Path(f"{shown.original}.gguf")) if shown.original else tr("The original model"),
            number(shown.right_before),
            number(shown.total),
            number(shown.right_after),
        )
        parts.append(Label(words, "body", "text2", wraps=True))
    if not shown.is_of_this:
        parts.append(_note(tr("You changed the lesson since. Train and check again, and the proof is about this one.")))
    if shown.total and shown.right_after < shown.right_before:
        parts.append(_note(tr("It answers fewer questions than before. Those who look at it will ask why.")))
    return [*parts, *map(_example, proof.examples(shown, _EXAMPLES))]


def _example(shown: Shown) -> Card:
    answers = QGridLayout()
    answers.setContentsMargins(0, 0, 0, 0)
    answers.setHorizontalSpacing(8)
    answers.setVerticalSpacing(4)
    answers.setColumnStretch(2, 1)
    top = Qt.AlignmentFlag.AlignTop
    for line, (who, text, is_right) in enumerate(
        ((tr("Original"), shown.before, shown.was_right), (tr("New"), shown.after, shown.is_right))
    ):
        icon, role, verdict = {
            True: ("check", "good", tr("right")),
            False: ("cross", "bad", tr("wrong")),
            None: ("dash", "text3", ""),
        }[is_right]
        said = Label(_short(text) or tr("(nothing)"), "body", "text2", wraps=True)
        said.setAccessibleName(", ".join(filter(None, (who, verdict, _short(text)))))
        answers.addWidget(Icon(icon, role, 16), line, 0, top)
        answers.addWidget(Label(who, "label", "text3"), line, 1, top)
        answers.addWidget(said, line, 2, top)
    return Card(Label(_short(shown.question), "strong", wraps=True), 6, answers, padding=(14, 10))


def _note(text: str) -> QFrame:
    made = QFrame()
    made.setProperty("surface", "warn")
    line = row(column(2, Icon("info", "warn", 16), -1), Label(text, "small", wraps=True), gap=8,
               margins=(10, 8, 10, 8))  # fmt: skip
    line.setStretch(1, 1)
    made.setLayout(line)
    return made


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LETTERS_SHOWN else text[:_LETTERS_SHOWN].rsplit(" ", 1)[0] + " …"
