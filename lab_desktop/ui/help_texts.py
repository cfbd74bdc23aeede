"""The help as data: articles in Markdown and words with their meaning, from resources/help; what a word finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ARTICLE_OF = {
    "welcome": "path", "home": "home", "library": "library", "lesson": "editor", "chat": "chat",
    "practice": "practice", "train": "training", "check": "report", "use": "use",
    "models": "models", "share": "sharing", "activity": "activity", "settings": "settings",
    "about": "stopped", "selftest": "stopped", "problem": "stopped", "licences": "private",
    "MoveSheet": "library", "ImportSheet": "library", "ImportMany": "library", "FileView": "editor",
    "TableSheet": "editor", "TeachSheet": "chat", "PublishSheet": "use", "AddressSheet": "models",
    "FoundSheet": "models", "ShareSheet": "sharing", "SignInSheet": "sharing", "OwnQuestions": "report",
}  # fmt: skip
"""The article about each page, each station of Improve, each small window, and each sheet by its class."""
_FOUND_BY = "<!-- found by:"


@dataclass(frozen=True)
class Article:
    """Attributes:
    name: what links call it: the file's name without its number.
    title: its first heading.
    text: Markdown.
    found_by: what else people may type who look for it, from the comment that ends the file.
    """

    name: str
    title: str
    text: str
    found_by: str = ""


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
        text, _, found_by = text.partition(_FOUND_BY)
        name = path.stem.partition("-")[2] or path.stem
        articles.append(Article(name, heading[2:].strip(), text, found_by.partition("-->")[0].strip()))
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
    """The articles that hold every word asked for: first where a title does, then a heading, then who says it most."""
    parts = wanted.casefold().split()
    found = [article for article in articles if _holds(f"{article.text} {article.found_by}", parts)]
    if not parts:
        return found

    def rank(article: Article) -> tuple[bool, bool, int]:
        folded = article.text.casefold()
        has_heading = any(line.startswith("##") and _holds(line, parts) for line in folded.splitlines())
        return not _holds(article.title, parts), not has_heading, -sum(folded.count(part) for part in parts)

    return sorted(found, key=rank)


def find_words(words: Sequence[Word], wanted: str) -> list[Word]:
    """The words that are asked for by either name first, then those whose sentence holds what is asked for."""
    parts = wanted.casefold().split()
    named = [word for word in words if _holds(f"{word.word} {word.term}", parts)]
    return named + [word for word in words if word not in named and _holds(word.means, parts)]


def _holds(text: str, parts: Sequence[str]) -> bool:
    folded = text.casefold()
    return all(part in folded for part in parts)
