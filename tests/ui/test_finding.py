"""ui/widgets/finding.py: what words find, and in what order."""

from __future__ import annotations

import pytest

from lab_desktop.ui.widgets.finding import Entry, find

TITLES = (
    "Home", "Improve", "Activity", "Our service manual", "Bread and its flours", "How do I bake bread?",
    "Text size", "Light or dark", "Practice questions", "Practice again", "Larger Text",
)  # fmt: skip
ENTRIES = [Entry(title, "Thing", "home", lambda: None) for title in TITLES]


def found(words: str) -> list[str]:
    return [entry.title for entry in find(ENTRIES, words)]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("home", "Home"),
        ("HO", "Home"),
        ("manual serv", "Our service manual"),
        ("prac qu", "Practice questions"),
        ("again", "Practice again"),
        ("bred", "Bread and its flours"),
        ("sevrice", "Our service manual"),
        ("prctce qstns", "Practice questions"),
        ("actvity", "Activity"),
        ("size", "Text size"),
    ],
)
def test_words_find_what_was_meant_first(words: str, first: str) -> None:
    assert found(words)[0] == first


def test_every_word_must_be_found() -> None:
    assert found("bread manual") == []
    assert found("xylophone") == []


def test_without_a_word_the_order_stays() -> None:
    assert found("") == list(TITLES)
    assert found(" ?! ") == list(TITLES)


def test_of_two_that_fit_alike_the_shorter_comes_first() -> None:
    assert found("bread") == ["Bread and its flours", "How do I bake bread?"]


def test_other_words_find_it_after_those_of_a_title() -> None:
    some = [Entry("Light or dark", "Setting", "settings", lambda: None, also="theme night"), *ENTRIES]

    assert find(some, "night")[0].title == "Light or dark"
    assert [entry.title for entry in find([*some, Entry("Night watch", "Chat", "chat", lambda: None)], "night")] == [
        "Night watch",
        "Light or dark",
    ]
