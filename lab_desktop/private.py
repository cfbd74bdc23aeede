"""What should not go out unseen: e-mail addresses, phone numbers, keys, names of people of this computer, folders.

The only place that knows what these look like. Numbers, dates, ISBNs, paths on a web site and "@" as a word are none.
"""

from __future__ import annotations

import bisect
import contextlib
import getpass
import os
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["e-mail", "phone", "key", "name", "folder"]


@dataclass(frozen=True)
class Private:
    """Something found in a text.

    Attributes:
        kind: what it seems to be.
        text: as it stands there; of a key only its beginning.
        line: from 1.
        start, end: where in the whole text, in characters.
    """

    kind: Kind
    text: str
    line: int
    start: int
    end: int


def scan(text: str, names: tuple[str, ...] = ()) -> list[Private]:
    """Everything in a text that looks private, in its order; nothing overlaps. Linear in its length.

    Args:
        names: of people who use this computer, looked for as whole words.
    """
    lines = [match.start() for match in re.finditer("\n", text)]
    found: list[Private] = []
    for kind, start, end, shown in sorted(_found(text, names), key=lambda each: (each[1], -each[2])):
        if found and start < found[-1].end:
            continue
        line = bisect.bisect_left(lines, start) + 1
        found.append(Private(kind, text[start:shown] + "…" * (shown < end), line, start, end))
    return found


def people() -> tuple[str, ...]:
    """Names of who uses this computer: the home folder's and the account's own, without those that mean nobody."""
    names = [Path.home().name]
    with contextlib.suppress(ImportError, KeyError, OSError):
        import pwd  # not on Windows

        names.append(pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0])
    return tuple(dict.fromkeys(name.strip() for name in names if _is_somebody(name.strip())))


def names_here() -> dict[str, str]:
    """What tells who or which computer this is → what stands for it, the longest first."""
    home = Path.home()
    users = {home.name, *(os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME"))}
    with contextlib.suppress(OSError, KeyError, ImportError):  # an account without a name
        users.add(getpass.getuser())
    hosts = {platform.node(), platform.node().partition(".")[0], os.environ.get("HOSTNAME", "")}
    found = {str(home): "[home]"}
    found |= dict.fromkeys(hosts, "[computer]") | dict.fromkeys(users, "[user]")
    return {name: found[name] for name in sorted(found, key=len, reverse=True) if name.strip("/\\ ")}


_NOBODY = frozenset(
    {"root", "home", "user", "users", "admin", "ubuntu", "public", "shared", "guest", "runner", "debian"}
)
_FEWEST_LETTERS = 3

_EMAIL = re.compile(
    r"(?<![\w.+-])(?!git@)[\w.+-]++@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,10}[^\W\d_]{2,24}(?![\w-])(?!\.[^\W_])"
)
_FILES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".js", ".css", ".html", ".py", ".md")
"""Not how an address ends: icon@2x.png."""
_FOLDER = re.compile(
    r"(?<![\w:/.])(?:(?:~|/(?:home|Users|root|tmp|var|private|Volumes|mnt|media|opt|srv|work))/[\w.+/-]+"
    r"|[A-Za-z]:\\[^\s|`]+)|file://\S+"
)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"gh[pousr]_[A-Za-z0-9]{20,}+|github_pat_\w{20,}+"
    r"|gl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat)-[\w-]{20,}+"
    r"|hf_[A-Za-z0-9]{20,}+"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|AIza[\w-]{35}(?![\w-])"
    r"|xox[abeoprs]-[\w-]{10,}+|[sr]k_(?:live|test)_\w{16,}+|npm_[A-Za-z0-9]{36}|pypi-[\w-]{16,}+"
    r"|sk-(?=[A-Za-z_-]{0,40}\d)[\w-]{20,}+"
    r"|eyJ[\w-]{10,}+\.eyJ[\w-]{10,}+\.[\w-]{10,}+"
    r")"
)
_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s]*+"
    r"(?:-----END [A-Z0-9 ]{0,60}-----)?"
)
_IN_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://)[^\s/:@]{1,200}:[^\s/@]{1,200}@", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?<![A-Za-z])(?:password|passwort|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)"
    r"[\"']?[ \t]{0,3}([:=])[ \t]{0,3}[\"']?(?=\S)",
    re.IGNORECASE,
)
_VALUE = re.compile(r"[^\s\"'`,;<>(){}\[\]|]{1,200}")
_SHOWN = 8
_NUMBER = re.compile(r"(?<![\w.,])\+?\(?\d[\d ()./\u00a0\u2010-\u2013-]*")
_CALLED = re.compile(
    r"\b(?:tele?(?:phone|fon)?|phone|mobile|mobil|cell|fax|handy|whatsapp|tél|tlf)\.?(?: number| no\.?)? ?:? ?\Z",
    re.IGNORECASE,
)
_MOST_BEFORE = 24
_PHONE = (
    re.compile(r"\+[1-9]\d{0,2}(?:[ ./-]?\(0\)|[ ./-]?\(\d{1,5}\))?(?:[ ./-]{0,3}\d++)++"),
    re.compile(r"\(0\d{1,5}\)[ /-]?\d+(?:[ -]\d+)*|\(\d{3}\)[ ]?\d{3}[ .-]\d{4}"),
    re.compile(r"0\d{1,4}(?:[ /-]|[ ][/-][ ])\d+(?:[ -]\d+)*"),
    re.compile(r"(?:1[.-])?\d{3}-\d{3}-\d{4}|(?:1\.)?\d{3}\.\d{3}\.\d{4}"),
)
"""With a country's code, with the area's in brackets, with the 0 before an area's code, and as in North America."""
_DATE = re.compile(r"\d{1,2}([-./ ])\d{1,2}\1(?:1\d|20)\d\d\b")
_ALL_TWOS = re.compile(r"\d\d(?: \d\d)+")
_YEARS = re.compile(r"(?:1\d|20)\d\d ?[-/] ?(?:1\d|20)\d\d")


def _found(text: str, names: tuple[str, ...]) -> Iterator[tuple[Kind, int, int, int]]:
    """(kind, start, end, end of what is shown) of everything, in no order; some overlap."""
    for match in _EMAIL.finditer(text):
        if not match[0].lower().endswith(_FILES):
            yield "e-mail", match.start(), match.end(), match.end()
    for pattern in (_TOKEN, _PEM):
        for match in pattern.finditer(text):
            end = match.start() + len(match[0].rstrip())
            yield "key", match.start(), end, min(match.start() + _SHOWN, end)
    for match in _IN_ADDRESS.finditer(text):
        yield "key", match.start(), match.end(), match.end(1)
    for match in _ASSIGNED.finditer(text):
        value = _VALUE.match(text, match.end())
        if value and _is_secret(value[0], is_set=match[1] == "="):
            yield "key", match.start(), value.end(), match.end()
    for match in _FOLDER.finditer(text):
        yield "folder", match.start(), match.end(), match.end()
    for match in _NUMBER.finditer(text):
        number = match[0].rstrip(" ()./\u00a0\u2010\u2011\u2012\u2013-")
        if _is_phone(number, text[max(0, match.start() - _MOST_BEFORE) : match.start()]):
            yield "phone", match.start(), match.start() + len(number), match.start() + len(number)
    for name in names:
        words = r"\s{1,3}".join(re.escape(word) for word in name.split())
        if words:
            for match in re.finditer(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE):
                yield "name", match.start(), match.end(), match.end()


def _is_secret(value: str, is_set: bool) -> bool:
    """True for the value of a password: not for what stands in a sentence, or in the place of one."""
    if len(value) < 4 or value[0] in "$%" or set(value) <= set("*•.xX…-_"):
        return False
    if is_set:
        return True
    return len(value) >= 6 and any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value)


def _is_phone(number: str, before: str) -> bool:
    count = sum(letter.isdigit() for letter in number) if len(number) <= 40 else 0
    if not 6 <= count <= 15 or _YEARS.fullmatch(number):
        return False
    if _CALLED.search(before):
        return True
    if count < 8 or before.rstrip(" :").upper().endswith(("ISBN", "ISBN-10", "ISBN-13", "ISSN", "DOI", "PMID")):
        return False
    number = re.sub("[\u00a0\u2010-\u2013]", lambda sign: " " if sign[0] == "\u00a0" else "-", number)
    if _PHONE[0].fullmatch(number):
        return not re.fullmatch(r"\+\d+\.\d+", number)
    if _PHONE[2].fullmatch(number):
        groups = number.replace("/", " ").split()
        is_list = bool(_ALL_TWOS.fullmatch(number)) and len(groups) != 5
        return count >= 9 and not is_list and not _DATE.match(number) and bool(set(number) - set("01 /-"))
    return bool(_PHONE[1].fullmatch(number) or _PHONE[3].fullmatch(number))


def _is_somebody(name: str) -> bool:
    return len(name) >= _FEWEST_LETTERS and name.lower() not in _NOBODY
