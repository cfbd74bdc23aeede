"""Models: what is on this computer and what can be had, how well each fits, and what can be done with it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from lab_desktop import paths, projects
from lab_desktop.errors import LabError
from lab_desktop.jobs.errands import DownloadRequest
from lab_desktop.models import catalogue, choosing, store
from lab_desktop.models.catalogue import Entry, Licence, Role
from lab_desktop.models.facts import FactsBook
from lab_desktop.models.store import Binned, StoredModel
from lab_desktop.projects import Project
from lab_desktop.ui.background import Background, Errands
from lab_desktop.ui.pages.models import lines
from lab_desktop.ui.pages.models.address_sheet import AddressSheet
from lab_desktop.ui.pages.models.found_sheet import FoundSheet
from lab_desktop.ui.pages.models.holdings import Holdings, look
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Banner, Button, ElidedLabel, Icon, column, row
from lab_desktop.ui.widgets.bin_button import BinButton
from lab_desktop.ui.widgets.model_list import ModelLine, ModelList, ModelModel
from lab_desktop.ui.words import size

_HUB_PAGE = "https://huggingface.co/{0}"


class ModelsPage(QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._book = FactsBook()
        self._holdings = Holdings()
        self._again = False
        self._banner = Banner("info", "", "")
        self._banner.hide()
        self._by_address = Button(self.tr("From an address…"), icon="models", on_click=self.open_address)
        self._find = Button(self.tr("Look for models here…"), icon="search", on_click=self.find_models)
        self._add = Button(self.tr("Add a file…"), icon="plus", on_click=self.add_file)
        self.model = ModelModel()
        self.list = ModelList(self.model)
        self.list.acted.connect(self._act)
        self._room = ElidedLabel("", "small", "text2")
        self.bin = BinButton(self._restore)
        head = row(Icon("disk"), self._room, self.bin, self._by_address, self._find, self._add, gap=8)
        head.setStretch(1, 1)
        whole = column(column(self._banner, head, gap=12, margins=(32, 16, 32, 0)), self.list, margins=(0, 0, 0, 8))
        whole.setStretch(1, 1)
        self.setLayout(whole)
        book = self._book
        self._look = Background[Holdings](lambda _: look(book), self._take, self)
        self._errands = Errands(self)
        downloads = session.downloads
        downloads.changed.connect(self.redraw)
        downloads.said.connect(self.redraw)
        downloads.came.connect(self._came)
        session.changed.connect(self.refresh)
        self.redraw()
        self.refresh()

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self.list

    def heading(self) -> tuple[str, str]:
        return self.tr("Models"), ""

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        return "", "", lambda: None

    @property
    def holdings(self) -> Holdings:
        return self._holdings

    def refresh(self) -> None:
        """Look at the disk again, when somebody sees it."""
        if self.isVisible():
            self._look.renew()
        else:
            self._again = True

    def redraw(self) -> None:
        downloads = self._session.downloads
        self._room.setText(lines.room_words(self._holdings) if self._holdings.originals else "")
        here = lines.here_lines(self._holdings) if self._holdings.originals else []
        self.model.show([*here, *lines.offered_lines(self._holdings, downloads.all, downloads.pace)])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._again or not self._holdings.originals:
            self._again = False
            self._look.renew()

    def _take(self, found: Holdings) -> None:
        self._holdings = found
        self.bin.show_thrown(found.binned)
        self.redraw()

    def _came(self, request: DownloadRequest) -> None:
        self._tell(
            "good", self.tr("{0} is here.").format(request.title or request.file), self.tr("Its check number is right.")
        )
        self.refresh()

    # What the person does

    def _act(self, line: ModelLine, name: str) -> None:
        offered = next((entry for entry in catalogue.catalogue() if entry.id == line.key), None)
        download = next((d for d in self._session.downloads.all if str(d.request.folder) == line.key), None)
        model = self._holdings.original(Path(line.key))
        if name in ("get", "again", "continue"):
            self._get(download.request if download else None, offered)
        elif download is not None:
            self._change_download(download.request, name)
        elif name == "licence":
            self._show_licence(offered, model)
        elif name == "fit":
            self._tell("info", f"{line.title}:", lines.fit_sentences(line.fits))
        elif offered is not None:
            self._act_on_offer(offered, name)
        elif model is not None:
            self._act_on_model(model, name)
        else:
            self._act_on_version(Path(line.key), name)

    def _get(self, request: DownloadRequest | None, entry: Entry | None) -> None:
        if request is None and entry is not None and self._agrees(entry):
            request = lines.request_of(entry)
        if request is None:
            return
        try:
            self._session.downloads.get(request)
        except LabError as error:
            self._tell("bad", error.message, error.hint)

    def open_address(self) -> None:
        """Ask for a model's address on the hub, and show what there is."""
        sheet = AddressSheet(self, self._holdings)
        sheet.wanted.connect(lambda request: self._get(request, None))
        sheet.open()

    def _agrees(self, entry: Entry) -> bool:
        """The licence, the room it takes, and one button."""
        box = QMessageBox(self)
        box.setText(self.tr("Get {0}?").format(entry.title))
        parts = [entry.about, f"{entry.licence.name}: {entry.licence.means}"]
        if entry.is_gated:
            parts.append(lines.gated_words())
        room = lines.fetch_words(entry.size_bytes, self._holdings.free_bytes)
        box.setInformativeText("\n\n".join([*parts, room]))
        agree = box.addButton(self.tr("Get it"), QMessageBox.ButtonRole.AcceptRole)
        read = box.addButton(self.tr("Read the licence"), QMessageBox.ButtonRole.HelpRole)
        read.clicked.disconnect()
        read.clicked.connect(functools.partial(_open, entry.licence.url))
        box.addButton(self.tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(agree)
        box.exec()
        return box.clickedButton() is agree

    def _change_download(self, request: DownloadRequest, name: str) -> None:
        downloads = self._session.downloads
        try:
            if name == "pause":
                downloads.pause(request)
            elif name == "cancel":
                downloads.give_up(request)
        except LabError as error:
            self._tell("bad", error.message, error.hint)

    def _act_on_offer(self, entry: Entry, name: str) -> None:
        if name == "page":
            _open(_HUB_PAGE.format(entry.repo))
        elif name == "why":
            best = choosing.best("chat", self._holdings.memory_bytes, self._holdings.speed)
            words = self.tr("The largest that fits this computer comfortably is {0}.").format(best.title)
            self._tell("info", f"{lines.refusal_words(entry, self._holdings)}.", words)

    def _act_on_model(self, model: StoredModel, name: str) -> None:
        if name == "chat":
            self._session.talk_to(model.path)
            self._session.go("chat")
        elif name in ("student", "teacher"):
            self._use(model, "student" if name == "student" else "teacher")
        elif name == "show":
            _open_folder(model.path)
        elif name == "locate":
            self._locate(model)
        elif name == "remove":
            self._remove(model)

    def _act_on_version(self, run: Path, name: str) -> None:
        version = self._holdings.version(run)
        if version is None:
            return
        if name == "show":
            _open_folder(version.files[-1] if version.files else run)
            return
        folder = version.undertaking.project
        if name == "chat" and not (folder and version.undertaking.is_newest):  # a project's model is its newest
            self._session.talk_to(version.files[-1])
            self._session.go("chat")
            return
        project = next((each for each in self._session.projects if each.folder == folder), None)
        if project is not None:
            self._session.open(project)
            self._session.go("chat" if name == "chat" else "check")

    def _use(self, model: StoredModel, role: Role) -> None:
        """Let it learn, or teach, in the project in hand; what was made with another one stays in its folder."""
        project = self._session.project
        if project is None:
            self._tell(
                "info", self.tr("There is no project yet."), self.tr("Make one; then choose its model here."),
                self.tr("New project…"), functools.partial(self._session.go, "new"),
            )  # fmt: skip
            return
        path = "" if model.origin == "practice" else str(model.path)
        changed = replace(project, model=path) if role == "student" else replace(project, teacher=path)
        if changed == project or not self._begins_anew(project, model, role):
            return
        try:
            projects.save(changed)
            if project.run is not None:
                projects.new_run(changed, paths.practice_model())
        except LabError as error:
            self._tell("bad", error.message, error.hint)
            return
        self._session.open(changed)
        words = (
            self.tr("{0} learns in “{1}” from now on.")
            if role == "student"
            else self.tr("{0} teaches in “{1}” from now on.")
        )
        self._tell("good", words.format(model.name, project.title), "")

    def _begins_anew(self, project: Project, model: StoredModel, role: Role) -> bool:
        why = model.facts.why_not_taught if model.facts is not None and role == "student" else ""
        if why:
            self._tell("warn", why, self.tr("It can still chat and teach."))
            return False
        if project.run is None:
            return True
        box = QMessageBox(self)
        box.setText(self.tr("Begin anew in “{0}”?").format(project.title))
        words = self.tr(
            "Its practice questions and trainings were made with another model. They stay in its folder; "
            "with {0} the path begins again at Practice."
        )
        box.setInformativeText(words.format(model.name))
        anew = box.addButton(self.tr("Begin anew"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(self.tr("Keep it as it is"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(anew)
        box.exec()
        return box.clickedButton() is anew

    def _show_licence(self, entry: Entry | None, model: StoredModel | None) -> None:
        licence: Licence | None = entry.licence if entry else None
        if model is not None:
            name = model.record.licence if model.record else model.facts.licence if model.facts else ""
            licence = (
                catalogue.entry(catalogue.PRACTICE).licence if model.origin == "practice" else catalogue.licence(name)
            )
        if licence is not None:
            self._tell(
                "info", f"{licence.name}.", licence.means, self.tr("Read it") if licence.url else "",
                functools.partial(_open, licence.url),
            )  # fmt: skip

    def _locate(self, model: StoredModel) -> None:
        """A linked file that went elsewhere."""
        name, _ = QFileDialog.getOpenFileName(
            self, self.tr("Where is {0} now?").format(model.name), "", "GGUF (*.gguf)"
        )
        if name:
            book = self._book
            self._errands.do(lambda: _linked_again(model, Path(name), book), lambda _: self.refresh(), self._refuse)

    def add_file(self) -> None:
        """Take a model in where it lies."""
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Choose a model file"), "", "GGUF (*.gguf)")
        if name:
            self._link(Path(name))

    def _link(self, path: Path, name: str = "", program: str = "") -> None:
        book = self._book
        self._errands.do(lambda: store.link(path, name, program, book), self._linked, self._refuse)

    def _linked(self, model: StoredModel) -> None:
        cause, safe = self.tr("{0} is among your models."), self.tr("It stays where it is; nothing was copied.")
        why = model.facts.why_not_taught if model.facts is not None else ""
        self._tell("warn" if why else "good", cause.format(model.name), f"{safe} {why}".strip())
        self.refresh()

    def find_models(self) -> None:
        """Look where other programs keep theirs, and let the person choose."""
        sheet = FoundSheet(self, {model.path for model in self._holdings.originals})
        sheet.chosen.connect(self._link_all)
        sheet.open()

    def _link_all(self, found: object) -> None:
        for each in found:  # type: ignore[attr-defined]
            self._link(each.path, each.name, each.program)

    def _remove(self, model: StoredModel) -> None:
        uses = self._holdings.uses.get(model.path, ())
        box = QMessageBox(self)
        box.setText(self.tr("Remove {0}?").format(model.name))
        parts = []
        if uses:
            titles = ", ".join(f"“{title}”" for title in sorted({use.title for use in uses}))
            parts.append(self.tr("{0} cannot go on without it.").format(titles))
        if model.origin == "linked":
            parts.append(self.tr("Only the link goes; the file stays where it is."))
        else:
            parts.append(self._bin_words(model))
        box.setInformativeText(" ".join(parts))
        remove = box.addButton(self.tr("Remove it"), QMessageBox.ButtonRole.DestructiveRole)
        keep = box.addButton(self.tr("Keep it"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.exec()
        if box.clickedButton() is remove:
            self._errands.do(functools.partial(store.remove, model), self._removed, self._refuse)

    def _bin_words(self, model: StoredModel) -> str:
        return self.tr("It stays in the bin for 30 days; then {0} are free again.").format(size(model.takes_bytes))

    def _removed(self, thrown: Binned) -> None:
        self._tell(
            "info", self.tr("{0} was removed.").format(thrown.title), "", self.tr("Undo"), lambda: self._restore(thrown)
        )
        self.refresh()

    def _restore(self, thrown: Binned) -> None:
        self._banner.hide()
        self._errands.do(functools.partial(store.restore, thrown), lambda _: self.refresh(), self._refuse)

    def _refuse(self, error: LabError) -> None:
        self._tell("bad", error.message, error.hint)
        self.refresh()

    def _tell(self, tone: str, cause: str, safe: str, button: str = "", do: Callable[[], object] | None = None) -> None:
        self._banner.say(tone, cause, safe, button, do)  # type: ignore[arg-type]
        self._banner.show()


def _linked_again(model: StoredModel, path: Path, book: FactsBook) -> StoredModel:
    made = store.link(path, model.name, model.link.program if model.link else "", book)
    store.remove(model)
    return made


def _open(url: str, *_: object) -> None:
    QDesktopServices.openUrl(QUrl(url))


def _open_folder(file: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(file if file.is_dir() else file.parent))
