"""The sentences that several parts of the window share: progress, pace, finish times, amounts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QDate, QDateTime, QLocale

from lab_desktop.jobs.events import Pace, Progress
from lab_desktop.ui.downloads import Download
from lab_desktop.ui.errand import ErrandState, OneErrand
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.news import News

SILENCE_S = 20.0
"""After so long without a word a line says that work still goes on."""
HUNG_S = 240.0
"""After so long it says that nothing is heard, and what can be done."""
_FIRST_SHARE = 0.1
"""Before so much is done a finish time is a guess, and is given as a range."""


def tr(text: str) -> str:
    return QCoreApplication.translate("words", text)


def job_words(job: Job) -> str:
    """What a job does, in a verb and an object."""
    names = {
        "generate": tr("Writing practice questions"),
        "train": tr("Training"),
        "evaluate": tr("Checking"),
        "export": tr("Making the model smaller"),
        "measure": tr("Trying the model's size"),
    }
    first = "evaluate" if "evaluate" in job.steps else job.steps[0].partition(":")[0] if job.steps else ""
    return names.get(first, tr("Working"))


def state_words(job: Job) -> str:
    return {
        JobState.WAITING: tr("Waiting"),
        JobState.RUNNING: tr("Running"),
        JobState.STOPPING: tr("Pausing"),
        JobState.PAUSED: tr("Paused"),
        JobState.DONE: tr("Done"),
        JobState.FAILED: tr("Needs you"),
        JobState.BROKEN: tr("Stopped unexpectedly"),
        JobState.LEFT: tr("Has not begun"),
    }[job.state]


def result_words(job: Job) -> str:
    """What became of a job, and how long it took, where it took any time."""
    return state_words(job) if job.state is JobState.LEFT else f"{state_words(job)} · {duration(job.seconds)}"


def safe_words(job: Job) -> str:
    """What is safe of a job that was broken off."""
    at = job.saved_at
    if at is None:
        return tr("It had saved nothing yet; everything before it is safe.")
    return tr("Your work up to {0} is safe.").format(when(at))


def is_today(at: float) -> bool:
    """Whether that was today (seconds since 1970); a clock that was ahead has noted days that are still to come."""
    return time.localtime(at)[:3] == time.localtime()[:3]


def when(at: float) -> str:
    """A moment (seconds since 1970) as people say it: today's without its day; "" for 0, where none is known."""
    if not at:
        return ""
    is_this_year = time.localtime(at)[0] == time.localtime()[0]
    how = "HH:mm" if is_today(at) else "d MMM, HH:mm" if is_this_year else "d MMM yyyy, HH:mm"
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(at)), how)


def moment_words(at: float) -> str:
    """As `when`, as a line of its own: "Today, 13:40"."""
    return tr("Today, {0}").format(when(at)) if is_today(at) else when(at)


def day_words(day: date) -> str:
    """A day as the system writes it in full: "3 May 2026"."""
    return QLocale().toString(QDate(day.year, day.month, day.day), "d MMMM yyyy")


def wait_words(before: Sequence[Job], is_held: bool = False) -> str:
    """What a job waits for: power, the one that runs, and those that wait before it."""
    if is_held:
        return tr("it goes on by itself when the computer is plugged in")
    if not before:
        return ""
    first, others = before[0], len(before) - 1
    words = tr("it begins when {0} “{1}” is done or paused")
    if others:
        words = tr("it begins when {0} “{1}” and {2} more are done or paused")
    return words.format(job_words(first).lower(), first.title, number(others))


def progress_words(progress: Progress | None, pace: Pace, silent_s: float = 0.0) -> Sequence[str]:
    """Count, pace and finish time, as far as they are known."""
    if silent_s > HUNG_S:
        return [tr("no word for {0}; pause it and go on if that seems wrong").format(duration(silent_s))]
    if progress is None:
        return [tr("getting ready …")]
    parts = [tr("{0} of {1}").format(number(progress.done), number(progress.total))] if progress.total > 1 else []
    if silent_s > SILENCE_S:
        return [*parts, tr("still working …")]
    per_second = pace.per_second
    left = pace.seconds_left(progress.total)
    if per_second is None or left is None:
        return [*parts, tr("measuring speed …")]
    if progress.total > 1 and per_second * 60 < 600:
        parts.append(tr("{0} a minute").format(number(round(per_second * 60))))
    share = progress.done / max(1, progress.total)
    parts.append(finish_time(left, is_sure=share >= _FIRST_SHARE))
    return parts


def coming_words(download: Download, pace: Pace) -> list[str]:
    """How much has arrived, how fast, and when the rest will be here."""
    if not download.total:
        return [tr("asking for it …")]
    parts = [tr("{0} of {1}").format(size(download.done), size(download.total))]
    if download.done >= download.total:
        return [*parts, tr("comparing its check number …")]
    rate, left = pace.per_second, pace.seconds_left(download.total)
    if rate is not None and left is not None:
        parts += [tr("{0} a second").format(size(rate)), finish_time(left, is_sure=True)]
    return parts


def errand_words(errand: OneErrand[Any]) -> str:
    """How far one is that is under way, in bytes; what it says itself beside that goes before the time that is left."""
    progress = errand.progress
    if errand.state is ErrandState.STOPPING:
        return tr("stopping …")
    if progress is None or not progress.total:
        return tr("getting ready …")
    parts = [tr("{0} of {1}").format(size(progress.done), size(progress.total))]
    if progress.detail:
        parts.append(progress.detail)
    elif (left := errand.pace.seconds_left(progress.total)) is not None:
        parts.append(finish_time(left, is_sure=True))
    return " · ".join(parts)


def finish_time(seconds: float, is_sure: bool, now: float | None = None) -> str:
    """When something will be done: minutes while it is near, a time of day when far, a range while it is vague."""
    if seconds < 45:
        return tr("less than a minute")
    if not is_sure:
        low, high = max(1, round(seconds / 60 * 0.7)), max(2, round(seconds / 60 * 1.5))
        return tr("{0}–{1} minutes").format(low, high)
    if seconds < 600:
        minutes = max(1, round(seconds / 60))
        return tr("about a minute") if minutes == 1 else tr("about {0} minutes").format(minutes)
    at = time.localtime((time.time() if now is None else now) + seconds)
    return tr("done about {0}").format(time.strftime("%H:%M", at))


def duration(seconds: float) -> str:
    """How long something took."""
    if seconds < 90:
        return tr("{0} s").format(round(seconds))
    minutes = round(seconds / 60)
    if minutes < 90:
        return tr("{0} min").format(minutes)
    return tr("{0} h {1} min").format(*divmod(minutes, 60))


def number(value: int) -> str:
    return QLocale().toString(value)


def news_words(news: News) -> str:
    """What is known of a newer version; "" while nothing is."""
    if news.is_looking:
        return tr("Looking …")
    if news.trouble is not None:
        return f"{news.trouble.message} {news.trouble.hint}"
    if news.newer is not None:
        said = tr("Version {0} is there since {1}.").format(news.newer.version, day_words(news.newer.released))
        return f"{said} {news.newer.what}".strip()
    return tr("This is the newest version.") if news.has_looked else ""


def model_word(model: Path) -> str:
    """A model file as people call it: without its kind of compression and its ending."""
    return model.stem.split(".Q")[0].replace("-Instruct", "")


def size(size_bytes: float) -> str:
    """Bytes as people say them."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"
