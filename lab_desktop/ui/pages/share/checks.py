"""What automatic checks of a taxonomy say, in words of the lesson. Reads no file.

Source: the messages of yamllint 1.37, of jsonschema 4.25 as instructlab-schema prints them, and of the DCO app.
"""

from __future__ import annotations

import re

from lab_desktop.contribution.hosts import Check
from lab_desktop.ui.words import number, tr

_MOST_LINES = 12
_PLACE = re.compile(
    r"^(?:::error\s+)?(?:file=)?(?P<file>[^\s:,]+\.(?:yaml|yml|txt|md))[,:]\s*(?:line[ =])?(?P<line>\d+)"
    r"(?:[:,](?:col=)?\d+)?:*\s*(?P<says>.*)$"
)
_RULE = re.compile(r"\s*(?:\[[\w-]+\]|\([a-z-]+\))\s*")
_LONGEST = 400


def plain_says(check: Check) -> list[str]:
    """What a check wrote, a sentence for each line; in our words where they are known, else as it stands."""
    lines = [" ".join(line.split()) for line in check.says.splitlines()]
    found = list(dict.fromkeys(_sentence(line[:_LONGEST]) for line in lines if line))
    return [*found[:_MOST_LINES], *([tr("and more")] if len(found) > _MOST_LINES else [])]


def is_mended_by_sending(check: Check) -> bool:
    """All it says is about the form of the lesson file, which is written anew whenever it is shared."""
    lines = [" ".join(line.split()) for line in check.says.splitlines()]
    placed = [match for line in lines if line and (match := _PLACE.match(line))]
    return bool(placed) and all(_form_words(match["says"]) for match in placed)


def _sentence(line: str) -> str:
    match = _PLACE.match(line)
    if match is None:
        return _whole_words(line) or line
    says = match["says"]
    words = _form_words(says) or _field_words(says) or _RULE.sub(" ", says).strip()
    name = match["file"].rpartition("/")[2]
    what = {"qna.yaml": tr("Line {0}"), "attribution.txt": tr("The credits, line {0}")}.get(name, f"{name}, {{0}}")
    return f"{what.format(number(int(match['line'][:9])))}: {words}"


def _form_words(says: str) -> str:
    """Of what yamllint finds in the form of a file; "" for anything else."""
    if found := re.search(r"line too long \((\d+) > (\d+) characters\)", says):
        return tr("it is longer than {0} letters").format(found[2])
    known = (
        ("trailing spaces", tr("it ends in blanks")),
        ("no new line character at the end of file", tr("the last line has no end")),
        ("too many blank lines", tr("there are too many blank lines")),
        ("wrong indentation", tr("it is indented in another way than the lines around it")),
        ("wrong new line character", tr("the line ends are those of another system")),
        ("too many spaces", tr("there are too many blanks")),
        ("missing document start", tr("the head of the file is missing")),
    )
    return next((words for part, words in known if part in says), "")


def _field_words(says: str) -> str:
    """Of what the schema finds in a lesson; "" for anything else."""
    if found := re.search(r"'([\w-]{1,60})' is a required property", says):
        return tr("“{0}” is missing").format(found[1])
    if found := re.search(r"duplication of key \"([\w-]{1,60})\"", says):
        return tr("“{0}” stands twice").format(found[1])
    known = (
        ("is too short", tr("there is too little of it, or too few examples")),
        ("should be non-empty", tr("it is empty")),
        ("is too long", tr("there is too much of it")),
        ("does not match", tr("it does not have the form that is asked for")),
        ("Additional properties are not allowed", tr("there is a field that no lesson has")),
        ("syntax error", tr("it cannot be read")),
    )
    return next((words for part, words in known if part in says), "")


def _whole_words(line: str) -> str:
    folded = line.casefold()
    if "signed-off-by" in folded or ("dco" in folded and "sign" in folded):
        return tr("The sign-off is missing, or it names somebody else than the author.")
    if "attribution.txt" in folded and ("missing" in folded or "not found" in folded or "empty" in folded):
        return tr("The credits are missing.")
    return ""
