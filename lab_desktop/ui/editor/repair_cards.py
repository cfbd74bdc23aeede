"""What importing changes and leaves out of a lesson file, a card for each."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QWidget

from lab_desktop.taxonomy.importing import Imported
from lab_desktop.ui.widgets.basic import Card, Icon, Label, column, row
from lab_desktop.ui.words import tr

_MOST_SHOWN = 200


def repair_cards(imported: Imported) -> list[QWidget]:
    """The repairs, then what there is no place for."""
    return [
        *(_repair(each.line, each.why, each.before, each.after) for each in imported.repairs[:_MOST_SHOWN]),
        *(_loss(each.line, each.what, each.text) for each in imported.losses[:_MOST_SHOWN]),
    ]


def repairs_words(imported: Imported) -> str:
    """How much of a file is changed and left out."""
    repairs, losses = len(imported.repairs), len(imported.losses)
    parts = [tr("1 repair") if repairs == 1 else tr("{0} repairs").format(repairs)] if repairs else []
    parts += [tr("1 part left out") if losses == 1 else tr("{0} parts left out").format(losses)] if losses else []
    return " · ".join(parts)


def _repair(line: int, why: str, before: str, after: str) -> QFrame:
    parts: list[QWidget | int] = [Label(tr("Line {0}: {1}").format(line, why), "strong", wraps=True)]
    if before or after:
        parts += [4, Label(before, "small", "text3", wraps=True), 2, Label(after, "small", "text", wraps=True)]
    return _card("edit", "accent", parts)


def _loss(line: int, what: str, text: str) -> QFrame:
    said = tr("Line {0}: there is no place for {1}.").format(line, what)
    parts: list[QWidget | int] = [Label(said, "strong", wraps=True), 4, Label(text, "small", "text3", wraps=True)]
    return _card("info", "warn", parts)


def _card(icon: str, tone: str, parts: list[QWidget | int]) -> QFrame:
    line = row(Icon(icon, tone, 16), column(*parts), gap=10)
    line.setStretch(1, 1)
    return Card(line, padding=(14, 10))
