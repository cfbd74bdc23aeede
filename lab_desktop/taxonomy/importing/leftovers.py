"""What stands in a lesson's file beside its values: comments, shared texts, and the layout of its lines."""

from __future__ import annotations

import re

import yaml

from lab_desktop.taxonomy.importing.repairs import Loss, Repair
from lab_desktop.taxonomy.importing.written import Written
from lab_desktop.taxonomy.layout import faults
from lab_desktop.taxonomy.words import LINT

_MOST_LINTED = 500_000
"""Letters of a file whose layout is looked at."""
_LAYOUT_ONLY = "Only blanks and line ends change."


def note_leftovers(file: Written) -> None:
    """Note the comments, which a leaf has no place for, and whatever else writing the leaf anew changes."""
    _comments(file)
    _layout(file)


def _comments(file: Written) -> None:
    """List the comments, which a leaf has no place for, and the texts that were shared through aliases."""
    last: yaml.Token | None = None
    for token in yaml.scan(file.text, Loader=yaml.SafeLoader):
        if last is not None:
            _gap(file, last.end_mark.index, token.start_mark.index)
        if isinstance(token, yaml.AliasToken):
            number = file.mended.numbers[file.at(token.start_mark.index)]
            file.repairs.append(Repair(number, f"*{token.value}", "", "A shared text is written out."))
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            head_end = file.text.find("\n", token.start_mark.index)
            _gap(file, token.start_mark.index + 1, head_end if head_end >= 0 else len(file.text))
        last = token


def _gap(file: Written, start: int, end: int) -> None:
    """List the comments between two tokens."""
    for found in re.finditer(r"#.*", file.text[start:end]):
        if start + found.start() not in file.comments_read:
            number = file.mended.numbers[file.at(start + found.start())]
            file.losses.append(Loss(number, "a comment", found[0].rstrip()))


def _layout(file: Written) -> None:
    """Name each kind of layout that InstructLab objects to, once, with its first line."""
    if not file.mended.was_yaml or len(file.text) > _MOST_LINTED:
        return
    lines: dict[str, list[int]] = {}
    for fault in faults(file.text):
        if fault.rule != "key-duplicates":
            lines.setdefault(fault.rule, []).append(fault.line - 1)
    for rule, found in lines.items():
        at = min(found[0], len(file.mended.lines) - 1)
        line = file.mended.lines[at]
        message = LINT[rule][0].replace(" ({desc})", "")
        more = f" There are {len(found)} such lines." if len(found) > 1 else ""
        after = " ".join(line.split())
        file.repairs.append(Repair(file.mended.numbers[at], line, after, f"{message}{more} {_LAYOUT_ONLY}"))
