"""resources/help against the window: it names only what is there, its links lead somewhere, and it is found."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtGui import QFont, QFontMetricsF
from PySide6.QtWidgets import QApplication

import lab_desktop
from lab_desktop import paths
from lab_desktop.ui.help_texts import ARTICLE_OF, Article, find_articles, read_articles, read_words
from lab_desktop.ui.theme import Theme

FOLDER = paths.resources() / "help"
ARTICLES = read_articles(FOLDER)
NAMES = {article.name for article in ARTICLES}
LINK = re.compile(r"(?<!!)\[[^]]+\]\((.+?)\)")
PICTURE = re.compile(r"!\[(.*?)\]\((.+?)\)")
IN_MENUS = re.compile(r"\s*▸\s*")
ITS_NUMBER = re.compile(r"[ ]*[({]+\d*[)}]+$")


@functools.cache
def said_by_the_window() -> frozenset[str]:
    """Every text that is given to tr() anywhere in the window, without keys' marks, dots and numbers."""
    return frozenset(plain(text) for text in _texts())


def _texts() -> Iterator[str]:
    for path in (Path(lab_desktop.__file__).parent / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "tr":
                for text in node.args:
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        yield text.value


def plain(name: str) -> str:
    """A control's name as somebody says it: "Accept all Strong ({0})" is "Accept all Strong"."""
    return ITS_NUMBER.sub("", name.replace("&", "")).strip("…“” .:").removesuffix(" {0} %")


def controls(text: str) -> list[str]:
    """What an article prints bold, but for the beginnings of paragraphs, which end like a sentence."""
    bold = [name for name in re.findall(r"\*\*(.+?)\*\*", text) if name[-1] not in ".?"]
    return [part for name in bold for part in IN_MENUS.split(name)]


@pytest.mark.parametrize("article", ARTICLES, ids=lambda article: article.name)
def test_an_article_names_controls_as_the_window_does(article: Article) -> None:
    there = said_by_the_window()

    unknown = [name for name in controls(article.text) if plain(name) not in there]
    assert [part for name in unknown for part in name.split(", ") if plain(part) not in there] == []


def test_what_the_window_does_not_say_is_noticed() -> None:
    there = said_by_the_window()

    assert controls("**Lead in.** Press **Settings ▸ Fly** or **Write questions**.") == [
        "Settings", "Fly", "Write questions",
    ]  # fmt: skip
    assert {"Settings", "Write questions", "Accept all Strong", "Take it along", "Memory of this chat"} <= there
    assert "Fly" not in there


def test_every_sheet_leads_to_an_article() -> None:
    sheets = {
        node.name
        for path in (Path(lab_desktop.__file__).parent / "ui").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and "QDialog" in map(ast.unparse, node.bases)
    }

    assert "ShareSheet" in sheets
    assert sheets - set(ARTICLE_OF) == set()


def test_every_page_leads_to_an_article_and_every_link_too() -> None:
    links = {link for article in ARTICLES for link in LINK.findall(article.text)}
    words = {word.article for word in read_words(FOLDER / "glossary.yaml")}

    assert set(ARTICLE_OF.values()) | links | words <= NAMES
    assert NAMES - {"path"} <= links | set(ARTICLE_OF.values())


def test_every_picture_is_there_is_shown_and_is_told() -> None:
    shown = {name: told for article in ARTICLES for told, name in PICTURE.findall(article.text)}

    assert set(shown) == {path.name for path in (FOLDER / "pictures").iterdir()}
    assert [name for name, told in shown.items() if len(told.split()) < 10] == []


@pytest.mark.parametrize("file", sorted((FOLDER / "pictures").iterdir()), ids=lambda file: file.stem)
def test_a_picture_has_only_colours_of_the_look_and_its_words_fit(file: Path, qapp: QApplication) -> None:
    drawing = ElementTree.parse(file)
    colours = {each.get(name) for each in drawing.iter() for name in ("fill", "stroke")} - {None, "none"}
    assert {colour for colour in colours if colour not in {f"var(--{each.name})" for each in fields(Theme)}} == set()

    left, top, width, height = map(float, (drawing.getroot().get("viewBox") or "").split())
    for said in drawing.iter("{http://www.w3.org/2000/svg}text"):
        font = QFont()
        font.setPixelSize(int(said.get("font-size", "14")))
        font.setBold(said.get("font-weight") == "600")
        long = QFontMetricsF(font).horizontalAdvance(said.text or "")
        begins = float(said.get("x", "0")) - {"middle": long / 2, "end": long}.get(said.get("text-anchor", ""), 0)
        assert left <= begins, said.text
        assert begins + long <= left + width, said.text
        assert top < float(said.get("y", "0")) < top + height, said.text


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("forget", "training"),
        ("slow", ""),
        ("memory", "chat"),
        ("wrong answer", "chat"),
        ("cancel", "stopped"),
        ("privacy", "private"),
        ("offline", "private"),
        ("licence", "private"),
        ("password", "private"),
        ("disk is full", ""),
        ("undo", ""),
        ("scanned", "editor"),
        ("PDF", "editor"),
        ("new project", "home"),
        ("ollama", ""),
        ("delete", ""),
        ("how long", ""),
        ("keyboard", "settings"),
        ("backup", "private"),
        ("license", ""),
        ("stuck", ""),
        ("hallucinate", "chat"),
        ("export", ""),
        ("what does it cost", "questions"),
        ("leave my computer", "questions"),
        ("close the lid", "questions"),
        ("why did it not learn", "questions"),
        ("my language", "questions"),
        ("gradient", None),
        ("pull down", None),
    ],
)
def test_what_a_person_types_is_found(typed: str, first: str | None) -> None:
    found = [article.name for article in find_articles(ARTICLES, typed)]

    assert found[:1] == ([] if first is None else [first or found[0]])
