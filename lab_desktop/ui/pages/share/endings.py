"""What became of a contribution, in words, and what can be done now; draws and does nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab_desktop.contribution.contributions import State
from lab_desktop.contribution.destinations import Destination
from lab_desktop.ui.pages.share.preparing import Sent
from lab_desktop.ui.words import tr

Action = Literal["", "page", "folder", "contributions", "both", "send", "back", "sign_in"]


@dataclass(frozen=True)
class Ending:
    """
    Attributes:
        icon, role: its picture, and the colour role of it.
        title, text: what happened, and what happens next.
        first, second: the best thing to do now, and the next best.
        called: what the first is called, where its usual name will not do.
    """

    icon: str
    role: str
    title: str
    text: str
    first: Action = ""
    second: Action = ""
    called: str = ""


def ending(sent: Sent, destination: Destination) -> Ending:
    """How it ended, or stands."""
    if sent.state in (State.ACCEPTED, State.DECLINED):
        return _verdict(sent.state, destination)
    if sent.is_there:
        return _there(sent, destination)
    contribution = sent.contribution
    if sent.has_clash:
        text = tr("Nothing was sent. Look at both; then send yours on top of theirs: both histories stay.")
        return Ending("compare", "warn", tr("Somebody changed the same lesson"), text, "both", "back")
    if contribution.trouble:
        safe = tr("It is kept on this computer, and what arrived is not sent again.")
        text = f"{contribution.trouble} {contribution.hint}\n\n{safe}"
        return Ending("warn", "warn", tr("It is not there yet"), text, "send", "back")
    if contribution.is_wanted:
        text = tr("What arrived there is not sent again.")
        return Ending("pause", "text2", tr("Paused"), text, "send", "back", tr("Go on"))
    text = tr("Everything is kept on this computer. Sign in at {0} when you like, and press Send.")
    return Ending("clock", "accent", tr("Prepared"), text.format(destination.host), "sign_in", "contributions")


def _verdict(state: State, destination: Destination) -> Ending:
    if state is State.ACCEPTED:
        text = tr("It is part of {0} now. Thank you.").format(destination.name)
        return Ending("check", "good", tr("Accepted"), text, "page", "contributions")
    text = tr("What was said about it stands on the Share page. Your lesson stays as it is.")
    return Ending("info", "text2", tr("Not accepted"), text, "contributions")


def _there(sent: Sent, destination: Destination) -> Ending:
    if destination.kind == "file":
        title = tr("“{0}” is written").format(Path(destination.address).name)
        text = tr(
            "Send it by mail, or take it along. Another LAB Desktop imports it into its library; the page in it is for "
            "everybody else."
        )
        return Ending("check", "good", title, text, "folder")
    title = tr("Sent to {0}").format(destination.name)
    if destination.forge:
        text = tr(
            "First checks run by themselves, then people look at it, mostly within some days. What they say comes to "
            "the Share page, and you are told."
        )
        return Ending("check", "good", title, text, "page", "contributions")
    text = tr("It stands there as “{0}”. Tell your team: they take it over when they like.")
    has_page = sent.done.page.startswith(("https://", "http://"))
    text = text.format(sent.contribution.branch)
    return Ending("check", "good", title, text, "page" if has_page else "", "contributions")
