"""Two versions of a text, with the words marked that only one of them has."""

from __future__ import annotations

import difflib
import html
from collections.abc import Sequence

from PySide6.QtCore import Qt

from lab_desktop.ui.widgets.basic import Label

_WORDS_AROUND = 12


def marked(parts: Sequence[tuple[str, bool]], mark: str) -> Label:
    """A text in which what the other one lacks is marked.

    Args:
        parts: one side of `words_of_both`.
        mark: "s" strikes it through, "b" makes it bold.
    """
    made = Label("", "body", "text2", wraps=True)
    made.setTextFormat(Qt.TextFormat.RichText)
    shown = [(html.escape(text, quote=False), is_other) for text, is_other in parts]
    made.setText(" ".join(f"<{mark}>{text}</{mark}>" if is_other else text for text, is_other in shown))
    return made


def words_of_both(before: str, after: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Both texts in parts, and of each part whether the other text lacks it; of what is in both only the ends."""
    old, new = before.split(), after.split()
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for number, (tag, start, end, other_start, other_end) in enumerate(steps):
        if tag == "equal":
            shared = _ends(old[start:end], is_first=number == 0, is_last=number == len(steps) - 1)
            left.append((shared, False))
            right.append((shared, False))
            continue
        if start < end:
            left.append((" ".join(old[start:end]), True))
        if other_start < other_end:
            right.append((" ".join(new[other_start:other_end]), True))
    return left, right


def _ends(words: list[str], *, is_first: bool, is_last: bool) -> str:
    """As many words of what is in both texts as show where the others stand."""
    if len(words) <= 2 * _WORDS_AROUND:
        return " ".join(words)
    head = [] if is_first else words[:_WORDS_AROUND]
    tail = [] if is_last else words[-_WORDS_AROUND:]
    return " ".join([*head, "…", *tail])
