"""How contributions are told: the word for each state, what is next, what can be done. Reads no file."""

from __future__ import annotations

from typing import Literal

from lab_desktop.contribution.contributions import State
from lab_desktop.contribution.hosts import Check, Comment, Standing
from lab_desktop.ui.held import Held
from lab_desktop.ui.sharing import Sharing
from lab_desktop.ui.widgets.action_list import MORE
from lab_desktop.ui.widgets.contribution_list import ContributionLine
from lab_desktop.ui.words import number, tr

Tone = Literal["good", "warn", "bad", "accent", "plain"]


def line_of(held: Held, sharing: Sharing) -> ContributionLine:
    """A contribution as a row."""
    word, icon, tone = state_words(held, sharing)
    progress = sharing.errand.progress if sharing.is_sending(held.folder) else None
    share = progress.done / progress.total if progress is not None and progress.total else None
    return ContributionLine(
        held.folder,
        word,
        held.contribution.title,
        place_words(held),
        next_words(held, sharing),
        icon,
        tone,
        bool(held.unread),
        share,
        actions(held, sharing),
    )


def state_words(held: Held, sharing: Sharing) -> tuple[str, str, str]:
    """(word, icon, colour role) of how far it is."""
    if sharing.is_sending(held.folder):
        return tr("Sending"), "send", "accent"
    if held.clash is not None:
        return tr("Changed meanwhile"), "warn", "warn"
    if sharing.is_queued(held.folder):
        return tr("Waiting"), "clock", "text2"
    if held.state is State.READY and held.contribution.trouble:
        return tr("Not sent"), "warn", "warn"
    return {
        State.DRAFT: (tr("Draft"), "edit", "text2"),
        State.READY: (tr("Ready"), "check", "text2"),
        State.WAITING: (tr("Waiting"), "clock", "text2"),
        State.SENT: (tr("Sent"), "send", "text2"),
        State.CHECKING: (tr("Being checked"), "clock", "text2"),
        State.CHANGES: (tr("Changes asked"), "warn", "warn"),
        State.ACCEPTED: (tr("Accepted"), "check", "good"),
        State.DECLINED: (tr("Not accepted"), "cross", "text2"),
    }[held.state]


def badge_tone(role: str) -> Tone:
    """The badge for a colour role."""
    tones: dict[str, Tone] = {"good": "good", "warn": "warn", "bad": "bad", "accent": "accent"}
    return tones.get(role, "plain")


def place_words(held: Held) -> str:
    """Where it goes."""
    destination = held.contribution.destination
    return tr("not chosen yet") if destination is None else destination.name


def next_words(held: Held, sharing: Sharing) -> str:
    """What is next, or what was said last, in a few words."""
    if sharing.is_sending(held.folder):
        return sharing.words
    if held.clash is not None:
        return tr("somebody changed the same lesson; look at both")
    if sharing.is_queued(held.folder):
        return tr("sent when the one before it is there")
    contribution, standing = held.contribution, held.standing
    if contribution.trouble:
        return contribution.trouble
    if held.state is State.DRAFT:
        return tr("look through it, agree, choose where it goes")
    if held.state is State.READY:
        return tr("nothing was sent yet")
    if held.state is State.WAITING:
        return tr("sent when there is a connection")
    if held.state is State.SENT:
        return _sent_words(held)
    if held.state is State.ACCEPTED:
        return tr("in {0} for everybody").format(place_words(held))
    said = _last_of_others(held)
    if held.state in (State.CHANGES, State.DECLINED) or held.unread:
        if said is not None:
            return f"{said.who}: “{' '.join(said.text.split())}”"
        if held.state is State.DECLINED:
            return tr("closed without a word")
    return checks_words(standing)


def _sent_words(held: Held) -> str:
    done = held.done
    if done.file is not None:
        return tr("send it by mail: {0}").format(done.file.name)
    if not done.number:
        return tr("its page tells who may take it in")
    return tr("nobody looked at it yet")


def checks_words(standing: Standing | None) -> str:
    """What the automatic checks say, counted."""
    checks = standing.checks if standing is not None else ()
    if not checks:
        return tr("nobody looked at it yet")
    failed = [check for check in checks if check.state == "failed"]
    if failed:
        words = tr("1 check found something") if len(failed) == 1 else tr("{0} checks found something")
        return words.format(number(len(failed)))
    passed = sum(check.state == "passed" for check in checks)
    if passed < len(checks):
        return tr("{0} of {1} checks passed").format(number(passed), number(len(checks)))
    return tr("the check passed") if passed == 1 else tr("all {0} checks passed").format(number(passed))


def check_words(check: Check) -> tuple[str, str, str]:
    """(word, icon, colour role) of a check."""
    return {
        "passed": (tr("passed"), "check", "good"),
        "failed": (tr("found something"), "warn", "warn"),
        "waiting": (tr("not done yet"), "clock", "text2"),
    }[check.state]


def check_name(check: Check) -> str:
    """What a check looks at, with its own name where that says something else."""
    name = check.name.strip() or tr("A check")
    folded = name.casefold()
    known = (
        (("dco", "sign-off", "signoff"), tr("Your sign-off")),
        (("spell", "pyspelling", "typos"), tr("Spelling")),
        (("markdown",), tr("The documents")),
        (("lint", "schema", "check-yaml", "qna", "taxonomy"), tr("The lesson file")),
    )
    plain = next((words for parts, words in known if any(part in folded for part in parts)), "")
    return f"{plain} ({name})" if plain else name


def actions(held: Held, sharing: Sharing) -> tuple[str, ...]:
    """What can be done, the likeliest first."""
    if sharing.is_sending(held.folder) or sharing.is_queued(held.folder):
        return ("pause", "open", MORE)
    first = {
        State.DRAFT: "continue",
        State.READY: "send",
        State.WAITING: "send",
        State.CHANGES: "fix",
    }.get(held.state, "open")
    if held.has_failed:
        first = "fix"
    if held.clash is not None:
        first = "both"
    others = ["open"] if first not in ("open", "fix", "both") else []
    if first != "continue" and held.state not in (State.ACCEPTED, State.DECLINED):
        others += ["again", "edit"]
    if held.state is State.WAITING:
        others.append("hold")
    if held.done.page:
        others.append("page")
    if held.done.file is not None:
        others.append("file")
    return (first, *others, "remove", MORE)


def comment_place(comment: Comment) -> str:
    """What a comment is about: "" all of it."""
    if not comment.file:
        return ""
    name = comment.file.rpartition("/")[2]
    what = tr("the lesson file") if name == "qna.yaml" else tr("the credits") if name == "attribution.txt" else name
    return tr("line {0} of {1}").format(number(comment.line), what) if comment.line else what


def _last_of_others(held: Held) -> Comment | None:
    comments = held.standing.comments if held.standing is not None else ()
    return next((each for each in reversed(comments) if each.who != held.done.login), None)
