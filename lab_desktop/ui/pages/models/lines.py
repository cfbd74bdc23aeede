"""Models in words: the lines of both shelves, from what is here, what comes and what is offered."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from PySide6.QtCore import QLocale

from lab_desktop import capacity
from lab_desktop.jobs.errands import RESERVE_BYTES, DownloadRequest
from lab_desktop.jobs.events import Pace
from lab_desktop.models import catalogue, choosing
from lab_desktop.models.catalogue import Entry, Role
from lab_desktop.models.lineage import Version
from lab_desktop.models.store import StoredModel, Use
from lab_desktop.ui.downloads import Download, DownloadState
from lab_desktop.ui.pages.models.holdings import Holdings
from lab_desktop.ui.widgets.action_list import MORE
from lab_desktop.ui.widgets.model_list import Coming, Fit, ModelLine, Tone
from lab_desktop.ui.words import coming_words, day_words, number, size, tr

_TONES: dict[str, Tone] = {"comfortable": "good", "tight": "warn", "too big": "bad", "too slow": "bad"}
_MEMORY_SIZES_GB = (8, 16, 32, 64, 128)


def here_lines(holdings: Holdings) -> list[ModelLine]:
    """What is on this computer, each trained version below what it was made from."""
    lines = []
    for model in holdings.originals:
        lines.append(_original_line(model, holdings))
        lines += [_version_line(version) for version in holdings.versions.get(model.path.resolve(), ())]
    known = {model.path.resolve() for model in holdings.originals}
    for original, versions in holdings.versions.items():
        if original not in known:
            lines += [_version_line(version) for version in versions]
    heading = ModelLine(
        "", tr("On this computer"),
        captions=(tr("How well it fits this computer"), tr("Speed"), tr("Size"), tr("Used by")),
    )  # fmt: skip
    return [heading, *_edged(lines)]


def offered_lines(holdings: Holdings, downloads: Sequence[Download], pace: Pace) -> list[ModelLine]:
    """What can be had: downloads that nobody offered any more stand first, and nothing that is here already."""
    here = {(model.record.repo, model.record.file) for model in holdings.originals if model.record is not None}
    coming = {(each.request.repo, each.request.file): each for each in downloads}
    lines = []
    for each in downloads:
        if catalogue.entry_of(each.request.repo, each.request.file) is None:
            lines.append(_coming_line(each, each.request.title or each.request.file, "", pace))
    offered = [entry for entry in catalogue.catalogue() if not entry.is_practice]
    for entry in offered:
        key = (entry.repo, entry.file)
        if key in coming:
            download = coming[key]
            guessed = download if download.total else replace(download, total=max(entry.size_bytes, download.done))
            lines.append(_coming_line(guessed, entry.title, _about(entry), pace))
        elif key not in here:
            lines.append(_entry_line(entry, holdings))
    heading = ModelLine(
        "", tr("Get more"), tr("{0} models, chosen for this program").format(number(len(offered))),
        captions=(tr("How well it fits this computer"), tr("Speed"), tr("Size"), tr("Good for")),
    )  # fmt: skip
    return [heading, *_edged(lines)] if lines else []


def fit_sentences(fits: Sequence[Fit]) -> str:
    """What a model can do here, and why so well or badly; what has the same reason is told together."""
    reasons: dict[str, list[str]] = {}
    for fit in fits:
        reasons.setdefault(fit.why, []).append(fit.spoken)
    return " ".join(f"{', '.join(told)}. {why}" for why, told in reasons.items())


def room_words(holdings: Holdings) -> str:
    """What models take of the disk, and what is left."""
    free = tr("{0} free, {1} always stay free").format(size(holdings.free_bytes), size(RESERVE_BYTES))
    return f"{tr('Models take {0}').format(size(holdings.taken_bytes))} · {free}"


def fetch_words(size_bytes: int, free_bytes: int) -> str:
    """What a download takes of the disk, and what stays."""
    words = tr("{0} to download. {1} are free, and {2} always stay free.")
    return words.format(size(size_bytes), size(free_bytes), size(RESERVE_BYTES))


def gated_words() -> str:
    """Whom a model is given to that not everyone gets."""
    return tr("Its makers give it only to those who agreed to this licence on its page, with an account.")


def request_of(entry: Entry) -> DownloadRequest:
    """The download of a model that is offered; the licence is the one that the person was shown."""
    return DownloadRequest(entry.repo, entry.file, entry.revision, entry.title, entry.licence.id)


def uses_words(uses: Sequence[Use]) -> str:
    """Who needs a model, short."""
    titles = sorted({use.title for use in uses})
    if len(titles) > 1:
        return tr("{0} projects").format(len(titles))
    return titles[0] if titles else ""


def _original_line(model: StoredModel, holdings: Holdings) -> ModelLine:
    uses = holdings.uses.get(model.path, ())
    line = ModelLine(
        key=str(model.path),
        title=model.name,
        detail=" · ".join(filter(None, (_origin_words(model), _licence_words(model)))),
        size=size(model.size_bytes) if model.size_bytes else "",
        used=uses_words(uses),
    )
    if model.problem:
        can = ("locate", MORE, "remove") if model.origin == "linked" else (MORE, "show", "remove")
        is_gone = not model.size_bytes and not model.path.exists()
        note = tr("Its file is no longer in {0}").format(model.path.parent) if is_gone else model.problem
        return replace(line, note=note, note_tone="warn", actions=can)
    assert model.facts is not None
    fits = choosing.file_fits(model.facts, model.size_bytes, holdings.memory_bytes, holdings.speed)
    actions = ["chat", MORE, "student", "teacher", "fit", "licence", "show"]
    if model.origin != "practice":
        actions.append("remove")
    return replace(line, fits=told_fits(fits), speed=_speed_words(model.size_bytes, holdings), actions=tuple(actions))


def _version_line(version: Version) -> ModelLine:
    undertaking = version.undertaking
    lessons = ", ".join(version.lessons[:3])
    figures = (
        tr("{0} → {1} of {2} right").format(version.right_before, version.right_now, version.asked)
        if version.asked
        else tr("not checked yet")
    )
    detail = " · ".join(filter(None, (tr("Trained {0}").format(_day(version.trained)), lessons, figures)))
    largest = max((file.stat().st_size for file in version.files if file.is_file()), default=0)
    is_in_hand = undertaking.project is not None and undertaking.is_newest
    can = ["chat", MORE] if is_in_hand or version.files else [MORE]
    return ModelLine(
        key=str(undertaking.run),
        title=undertaking.title,
        detail=detail,
        icon="improve",
        fits=(Fit("chat", "good", tr("It needs what its original needs.")),),
        size=size(largest) if largest else "",
        used=undertaking.title if undertaking.project is not None else "",
        actions=(*can, *(["report"] if version.verdict and is_in_hand else []), "show"),
        level=1,
    )


def _entry_line(entry: Entry, holdings: Holdings) -> ModelLine:
    fits = choosing.fits(entry, holdings.memory_bytes, holdings.speed)
    line = ModelLine(
        key=entry.id,
        title=entry.title,
        detail=_about(entry),
        speed=tr("about {0}").format(_speed_words(entry.size_bytes, holdings)) if holdings.speed else "",
        size=size(entry.size_bytes),
        used=_good_for(fits["chat"].bytes_needed),
    )
    if not fits["chat"].is_good:
        note = refusal_words(entry, holdings)
        return replace(line, note=note, note_tone="bad", speed="", actions=("why", MORE, "licence", "page"))
    return replace(line, fits=told_fits(fits), actions=("get", MORE, "fit", "licence", "page"))


def refusal_words(entry: Entry, holdings: Holdings) -> str:
    """Why nobody could talk to a model here."""
    fit = choosing.fits(entry, holdings.memory_bytes, holdings.speed)["chat"]
    if fit.verdict == "too slow":
        return tr("Too slow here: {0}").format(_speed_words(entry.size_bytes, holdings))
    return tr("Needs about {0} of memory; this computer has {1}").format(
        size(fit.bytes_needed), size(holdings.memory_bytes)
    )


def _coming_line(download: Download, title: str, detail: str, pace: Pace) -> ModelLine:
    line = ModelLine(
        key=str(download.request.folder),
        title=title,
        detail=detail,
        size=size(download.total) if download.total else "",
    )
    done = tr("{0} of {1}").format(size(download.done), size(download.total)) if download.total else size(download.done)
    share = download.done / download.total if download.total else None
    if download.state is DownloadState.FAILED:
        return replace(
            line, note=download.text, advice=download.hint, note_tone="warn", actions=("again", MORE, "cancel")
        )
    if download.state is DownloadState.WAITING:
        words = tr("Waits until the one before is here")
        return replace(line, coming=Coming(share, words, is_paused=True), actions=("pause", MORE, "pause"))
    if download.state is DownloadState.PAUSED:
        words = tr("Paused · {0}").format(done) if download.done else tr("Paused")
        return replace(line, coming=Coming(share, words, is_paused=True), actions=("continue", MORE, "cancel"))
    if download.state is DownloadState.STOPPING:
        return replace(line, coming=Coming(share, tr("pausing …"), is_paused=True), actions=())
    return replace(
        line, coming=Coming(share, " · ".join(coming_words(download, pace))), actions=("pause", MORE, "pause")
    )


def told_fits(fits: dict[Role, capacity.Fit]) -> tuple[Fit, ...]:
    """How well a model suits this computer, as the list shows it."""
    return tuple(Fit(role, _TONES[fit.verdict], fit.why) for role, fit in fits.items())


def _about(entry: Entry) -> str:
    return f"{entry.about.partition('. ')[0].rstrip('.')} · {entry.licence.name}"


def _good_for(bytes_needed: int) -> str:
    """The usual computer that carries it with room to spare."""
    gigabytes = next((each for each in _MEMORY_SIZES_GB if bytes_needed <= each * 0.5e9), None)
    return tr("{0} GB").format(gigabytes) if gigabytes is not None else ""


def _speed_words(model_bytes: int, holdings: Holdings) -> str:
    speed = holdings.speed
    if speed is None or not model_bytes:
        return ""
    words = speed.words_per_second * speed.model_bytes / model_bytes
    return tr("{0} words/s").format(QLocale().toString(words, "f", 0 if words >= 10 else 1))


def _origin_words(model: StoredModel) -> str:
    if model.origin == "practice":
        return tr("Comes with the program, for learning the steps")
    if model.origin == "linked":
        program = model.link.program if model.link is not None else ""
        return tr("Kept by {0}").format(program) if program else tr("Linked, in {0}").format(model.path.parent.name)
    if model.origin == "placed":
        return tr("Put here by hand")
    return tr("Original")


def _licence_words(model: StoredModel) -> str:
    name = model.record.licence if model.record else model.facts.licence if model.facts else ""
    if model.origin == "practice":
        return catalogue.entry(catalogue.PRACTICE).licence.name
    return catalogue.licence(name).name if name else ""


def _day(utc: str) -> str:
    """A day as people say it."""
    try:
        then = time.localtime(time.mktime(time.strptime(utc, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone)
    except ValueError:
        return ""
    if then[:3] == time.localtime()[:3]:
        return tr("today")
    return day_words(date(*then[:3]))


def _edged(lines: Sequence[ModelLine]) -> Iterator[ModelLine]:
    for place, line in enumerate(lines):
        yield replace(line, is_first=place == 0, is_last=place == len(lines) - 1)
