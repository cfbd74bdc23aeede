"""The help as data: articles in Markdown and words with their meaning, from resources/help; what a word finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Article:
    """Attributes:
    name: what links call it: the file's name without its number.
    title: its first heading.
    text: Markdown.
    """

    name: str
    title: str
    text: str


@dataclass(frozen=True)
class Word:
    """Attributes:
    word: as it stands on screen.
    term: what the field calls it.
    means: one sentence.
    article: the name of the article that tells more.
    """

    word: str
    term: str
    means: str
    article: str


def read_articles(folder: Path) -> list[Article]:
    """
    Raises:
        OSError: the help is not there.
        ValueError: an article is not text, or has no heading.
    """
    articles = []
    for path in sorted(folder.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        heading, _, _ = text.partition("\n")
        if not heading.startswith("# "):
            raise ValueError(path.name)
        articles.append(Article(path.stem.partition("-")[2] or path.stem, heading[2:].strip(), text))
    return articles


def read_words(path: Path) -> list[Word]:
    """
    Raises:
        OSError: the glossary is not there.
        ValueError: it is damaged.
    """
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
        return [Word(**{key: str(value) for key, value in row.items()}) for row in rows]
    except (yaml.YAMLError, TypeError, AttributeError) as error:
        raise ValueError(path.name) from error


def find_articles(articles: Sequence[Article], wanted: str) -> list[Article]:
    """The articles that hold every word asked for, those first whose title does."""
    parts = wanted.casefold().split()
    found = [article for article in articles if _holds(article.text, parts)]
    return sorted(found, key=lambda article: not _holds(article.title, parts))


def find_words(words: Sequence[Word], wanted: str) -> list[Word]:
    """The words that are asked for by either name first, then those whose sentence holds what is asked for."""
    parts = wanted.casefold().split()
    named = [word for word in words if _holds(f"{word.word} {word.term}", parts)]
    return named + [word for word in words if word not in named and _holds(word.means, parts)]


def _holds(text: str, parts: Sequence[str]) -> bool:
    folded = text.casefold()
    return all(part in folded for part in parts)
