"""A person's words become folder names, and no name leads out of the library."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab_desktop.artifacts import Leaf, LeafKind
from lab_desktop.errors import LeafError
from lab_desktop.taxonomy import names
from tests.taxonomy import leaves

ANY_NAME = st.one_of(st.text(max_size=300), st.text("aAäß .-_'/\\:\0con\u0301é中مي", max_size=80))


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Velmora", "velmora"),
        ("The Heron's Nest!", "the_herons_nest"),
        ("  Rock   pools — and tides  ", "rock_pools_and_tides"),
        ("Änderungen in Göteborg", "anderungen_in_goteborg"),
        ("Straße, Œuvre, Łódź, Þór", "strasse_oeuvre_lodz_thor"),
        ("e\u0301te\u0301", "ete"),
        ("История Москвы", "история_москвы"),
        ("日本の歴史", "日本の歴史"),
        ("हिन्दी", "हिन्दी"),
        ("a/b\\c:d", "a_b_c_d"),
        ("../../etc/passwd", "etc_passwd"),
        (".hidden", "hidden"),
        ("CON", "con_topic"),
        ("com¹", "com1_topic"),
        ("Knowledge", "knowledge_topic"),
        ("", "untitled"),
        ("!?…", "untitled"),
        ("soft\u00adhyphen", "softhyphen"),
        ("½ litre", "1_2_litre"),
    ],
)
def test_words_become_a_folder_name(words: str, name: str) -> None:
    assert names.folder_name(words) == name


@given(ANY_NAME)
def test_every_text_becomes_a_safe_name_and_a_name_stays_as_it_is(words: str) -> None:
    name = names.folder_name(words)

    assert names.is_safe(name)
    assert names.is_safe(names.numbered(name, 99_999))
    assert len(name) <= names.MOST_LETTERS + len("_topic")
    assert name == name.strip("_")
    assert "__" not in name
    assert not any(unicodedata.category(letter) in ("Lu", "Lt") and letter.isascii() for letter in name)
    assert names.folder_name(name) == name
    assert names.folder_name(names.title_of(name)) == name or not name.isascii()


def test_a_long_name_is_cut_between_words() -> None:
    assert names.folder_name("a very long title " * 9) == "a_very_long_title_a_very_long_title_a_very_long_title_a_very"
    assert len(names.folder_name("x" * 500)) == names.MOST_LETTERS


def test_the_title_of_a_name_is_the_title_of_its_leaf() -> None:
    leaf = Leaf(("knowledge", "rock_pools"), Path(), LeafKind.KNOWLEDGE, 3, "", ())

    assert names.title_of("rock_pools") == leaf.title == "Rock pools"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".git", "a/b", "a\\b", "a\0b", "a:b", "a\nb", "con", "Nul", "LPT1.txt", "aux .x", "a.", "a ",
     "x" * 256, "é" * 128, "\ud800"],
)  # fmt: skip
def test_a_name_that_could_do_harm_is_not_safe(name: str, tmp_path: Path) -> None:
    assert not names.is_safe(name)
    with pytest.raises(LeafError):
        names.inside(tmp_path, "knowledge", name)


@pytest.mark.parametrize("name", ["a b", 'it"s', "größe", "qna.yaml", "a.b", "console", "日本"])
def test_unusual_names_of_others_are_accepted(name: str, tmp_path: Path) -> None:
    assert names.inside(tmp_path, name) == tmp_path / name


@given(st.lists(ANY_NAME, max_size=4))
def test_no_parts_lead_out(parts: list[str]) -> None:
    root = Path("/nowhere/library")

    try:
        path = names.inside(root, *parts)
    except LeafError:
        return

    assert path.resolve() == path
    assert path == root or root in path.parents


def test_a_link_on_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "link").symlink_to(tmp_path / "outside")

    with pytest.raises(LeafError, match="link"):
        names.inside(tmp_path / "library", "link", "x")


def test_places_that_read_alike_when_joined_are_found(tmp_path: Path) -> None:
    leaves.write(tmp_path / "knowledge" / "a" / "b_c", leaves.knowledge())
    leaves.write(tmp_path / "knowledge" / "a_b" / "other", leaves.knowledge())
    (tmp_path / "knowledge" / "x_y" / "z").mkdir(parents=True)

    assert names.output_clash(tmp_path, ("knowledge", "a_b", "c")) == ("knowledge", "a", "b_c")
    assert names.output_clash(tmp_path, ("knowledge", "A_B", "C")) == ("knowledge", "a", "b_c")
    assert names.output_clash(tmp_path, ("knowledge", "a", "b_c")) is None
    assert names.output_clash(tmp_path, ("knowledge", "a_b", "d")) is None
    assert names.output_clash(tmp_path, ("knowledge", "x", "y_z")) is None, "a topic writes no files"


@given(st.lists(st.lists(st.sampled_from(["a", "b", "a_b", "b_a", "a_b_a"]), min_size=1, max_size=3), max_size=6))
def test_clashes_are_those_of_a_plain_search(tmp_path_factory: pytest.TempPathFactory, places: list[list[str]]) -> None:
    root = tmp_path_factory.mktemp("tree")
    for place in places:
        folder = root.joinpath("knowledge", *place)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "qna.yaml").touch()
    every = [file.parent.relative_to(root).parts for file in root.rglob("qna.yaml")]

    for place in every:
        alike = {other for other in every if "_".join(other) == "_".join(place) and other != place}
        found = names.output_clash(root, place)
        assert found in alike if alike else found is None


def test_a_free_name_is_the_first_that_is_not_taken() -> None:
    assert names.free_name("a", {"b"}.__contains__) == "a"
    assert names.free_name("a", {"a", "a_2", "a_4"}.__contains__) == "a_3"


def test_names_that_some_disk_takes_for_one_are_the_same() -> None:
    assert names.is_same("Foo", "foo")
    assert names.is_same("caf\u00e9", "CAFE\u0301")
    assert not names.is_same("foo", "foo_2")
