"""What a host tells, made harmless: names in one line, addresses of its own, text without control characters."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from lab_desktop.contribution.destinations import is_local
from lab_desktop.errors import ContributionError

MOST_SAID = 4000
"""Characters of what a check or a person wrote; the rest is on its page."""
_FULL_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]{0,254}(/[A-Za-z0-9_.][\w.+-]{0,254}){1,20}", re.ASCII)
_EMAIL = re.compile(r"[^\s<>@,;\"()\[\]\\]{1,200}@[A-Za-z0-9.-]{1,200}")


def full_name_of(text: object, host: str) -> str:
    """OWNER/NAME, as it may stand in an address.

    Raises:
        ContributionError: it is none.
    """
    name = str(text)
    if not _FULL_NAME.fullmatch(name) or {".", ".."} & set(name.split("/")):
        raise ContributionError(f"That is no name of a repository at {host}.", "It looks like OWNER/NAME.")
    return name


def one_line(text: object) -> str:
    """A name that can stand in a commit: one line, without angle brackets and control characters."""
    kept = "".join(" " if sign.isspace() else sign for sign in str(text or "") if _is_shown(sign) and sign not in "<>")
    return " ".join(kept.split())[:200].strip()


def plain(text: str) -> str:
    """Text to be shown: lines stay, what moves a terminal's cursor or hides itself does not."""
    kept = whole(text)
    return kept if len(kept) <= MOST_SAID else f"{kept[:MOST_SAID]}…"


def whole(text: str) -> str:
    """As `plain`, however long it is."""
    without = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", text.replace("\r\n", "\n"))
    return "".join(sign for sign in without if sign in "\n\t\u200c\u200d" or _is_shown(sign)).strip()


def an_email(text: object) -> str:
    """An e-mail address that can stand in a commit, or ""."""
    return text if isinstance(text, str) and text.isprintable() and _EMAIL.fullmatch(text) else ""


def a_page(text: object) -> str:
    """An address that a browser may open, or ""."""
    if not isinstance(text, str) or len(text) > 2000 or not text.isprintable() or " " in text:
        return ""
    return text if re.match(r"https?://[^/@]+(/|$)", text) else ""


def an_address(text: object, host: str) -> str:
    """An address for git at this very computer, without a user in it, or ""."""
    page = a_page(text)
    if not page or not (page.startswith("https://") or is_local(urlsplit(page).netloc)):
        return ""
    return page if urlsplit(page).hostname == urlsplit(f"//{host}").hostname else ""


def _is_shown(sign: str) -> bool:
    return sign.isspace() or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn")
