"""The library's index tells what lies on the disk, whatever happened to either."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab_desktop.artifacts import LeafKind
from lab_desktop.taxonomy.badges import Badge
from lab_desktop.taxonomy.index import Entry, Index, Node
from lab_desktop.taxonomy.index import file as index_file
from lab_desktop.taxonomy.index.search import Question, snippet, spans, tokens
from lab_desktop.taxonomy.index.survey import is_as_seen, survey
from tests.taxonomy.leaves import knowledge, skill, write

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path):
    """A small library: a facts lesson with its document, a skill, an empty topic."""
    root = tmp_path / "library"
    write(root / "knowledge" / "islands" / "velmora", knowledge())
    write(root / "compositional_skills" / "writing" / "rhymes", skill(), document=False)
    (root / "knowledge" / "animals").mkdir()
    return root


@pytest.fixture
def opened(tmp_path):
    """Opens indexes and closes them."""
    indexes = []

    def open_index(root: Path, name: str = "index.sqlite") -> Index:
        indexes.append(Index(root, tmp_path / "home" / name))
        return indexes[-1]

    yield open_index
    for index in indexes:
        index.close()


def filled(index: Index) -> Index:
    """With everything read and verified."""
    index.refresh()
    while index.verify_some(1):
        pass
    return index


def known(index: Index) -> list[Entry]:
    """What it says of every lesson, but for when it read it."""
    return [replace(entry, stamp="") for entry in index.entries()]


def found(index: Index, text: str) -> set[str]:
    return {hit.entry.path for hit in index.search(text, limit=1000)}


def names(node: Node) -> list[str]:
    return [node.path, *(name for child in node.children for name in names(child))]


# What a lesson's entry says


def test_an_entry_says_what_a_lesson_is(tree, opened):
    index = filled(opened(tree))

    facts, rhymes = index.entry("knowledge/islands/velmora"), index.entry("compositional_skills/writing/rhymes")
    assert facts is not None and rhymes is not None
    assert (facts.title, facts.root, facts.topic) == ("Velmora", "knowledge", "knowledge/islands")
    assert (facts.kind, facts.examples, facts.questions) == (LeafKind.KNOWLEDGE, 5, 15)
    assert (facts.author, facts.version, facts.words) == ("jane", 3, 5 * 5 + 15 * 4)
    assert (facts.badge, facts.problem) == (Badge.READY, "")
    assert (rhymes.kind, rhymes.examples, rhymes.questions) == (LeafKind.FREEFORM_SKILL, 5, 5)


def test_the_tree_has_empty_topics_and_counts(tree, opened):
    index = opened(tree)
    index.look()

    top = index.tree()
    assert names(top) == [
        "",
        "knowledge",
        "knowledge/animals",
        "knowledge/islands",
        "knowledge/islands/velmora",
        "compositional_skills",
        "compositional_skills/writing",
        "compositional_skills/writing/rhymes",
    ]
    assert (top.lessons, top.children[0].lessons, top.children[0].children[0].lessons) == (2, 1, 0)
    assert top.children[0].children[1].children[0].title == "Velmora"


def test_names_are_there_before_anything_is_read(tree, opened):
    index = opened(tree)

    assert index.look() == 2
    assert [entry.title for entry in index.entries()] == ["Rhymes", "Velmora"]
    assert all(entry.kind is None and entry.badge is None for entry in index.entries())
    assert index.search("pier") == []


def test_folders_of_documents_are_no_topics_and_leaves_elsewhere_are_not_listed(tree, opened):
    write(tree / "docs" / "velmora", skill())
    write(tree / "knowledge" / ".hidden" / "velmora", skill())
    (tree / "knowledge/islands/velmora/pictures").mkdir()

    assert names(filled(opened(tree)).tree())[1:5] == [
        "knowledge",
        "knowledge/animals",
        "knowledge/islands",
        "knowledge/islands/velmora",
    ]


def test_what_is_on_the_screen_comes_first_then_the_newest(tree, opened):
    for number in range(5):
        file = write(tree / "knowledge" / f"topic_{number}", skill(), document=False)
        os.utime(file, (1_000_000 + number, 1_000_000 + number))
    for name in ("velmora", "rhymes"):
        shutil.rmtree(next(tree.rglob(name)))
    index = opened(tree)
    index.look()

    index.read_some(0, first=["knowledge/topic_2"])
    assert [entry.path[-1] for entry in index.entries() if entry.kind] == ["2"]
    index.read_some(0)
    assert [entry.path[-1] for entry in index.entries() if entry.kind] == ["2", "4"]
    assert index.verify_some(0) == 1
    assert [entry.path[-1] for entry in index.entries() if entry.badge] == ["4"]


# Badges


def verdict_of(opened, tree, text: str | bytes, document: bool = True, place: str = "knowledge/x") -> tuple[Badge, str]:
    write(tree / place, text, document)
    entry = filled(opened(tree)).entry(place)
    assert entry is not None and entry.badge is not None
    return entry.badge, entry.problem


@pytest.mark.parametrize(
    ("text", "badge"),
    [
        (knowledge(), Badge.READY),
        (knowledge(examples=4), Badge.DRAFT),
        (knowledge(pairs=2), Badge.DRAFT),
        (knowledge().replace('created_by: "jane"', 'created_by: ""'), Badge.DRAFT),
        (knowledge().replace('created_by: "jane"\n', ""), Badge.DRAFT),
        ("", Badge.DRAFT),
        ("version: 3\n", Badge.DRAFT),
        (knowledge().replace("Fact 21.", " "), Badge.DRAFT),
        (knowledge() + "extra: 1\n", Badge.PROBLEM),
        (knowledge().replace('"Fact 21."', "42"), Badge.PROBLEM),
        (knowledge().replace('"Fact 21."', "@x"), Badge.PROBLEM),
        (knowledge().replace("version: 3", "version: 1"), Badge.PROBLEM),
        (knowledge() + "\n\n", Badge.PROBLEM),
        (knowledge() + 'created_by: "joe"\n', Badge.PROBLEM),
        ("- a\n- b\n", Badge.PROBLEM),
        (knowledge().encode("utf-16"), Badge.PROBLEM),
    ],
)
def test_draft_is_what_lacks_something_and_problem_what_another_hand_put_there(text, badge, tree, opened):
    verdict, problem = verdict_of(opened, tree, text)

    assert verdict is badge
    assert (problem == "") == (badge is Badge.READY)


def test_a_document_that_is_missing_makes_a_draft_and_coming_back_makes_it_ready(tree, opened):
    index = filled(opened(tree))
    document = tree / "knowledge/islands/velmora/island.md"
    path = "knowledge/islands/velmora"
    text = document.read_text()
    document.unlink()

    filled(index)
    entry = index.entry(path)
    assert entry and entry.badge is Badge.DRAFT and "no document beside it" in entry.problem
    document.write_text(text)
    filled(index)
    entry = index.entry(path)
    assert entry and entry.badge is Badge.READY


def test_a_document_in_a_lesson_further_down_counts_for_both(tree, opened):
    outer = write(tree / "knowledge/outer", knowledge().replace("*.md", "**/*.md"), document=False).parent
    inner = write(outer / "inner", skill()).parent
    index = filled(opened(tree))
    assert index.entry("knowledge/outer").badge is Badge.READY

    (inner / "island.md").unlink()

    assert filled(index).entry("knowledge/outer").badge is Badge.DRAFT


def test_trained_and_shared_stand_for_ready_only(tree, opened):
    write(tree / "knowledge" / "half", knowledge(examples=2))
    index = filled(opened(tree))
    velmora, half = "knowledge/islands/velmora", "knowledge/half"

    index.set_marks(Badge.TRAINED, [velmora, half])
    assert [index.entry(path).badge for path in (velmora, half)] == [Badge.TRAINED, Badge.DRAFT]
    index.set_marks(Badge.SHARED, [velmora])
    assert index.entry(velmora).badge is Badge.SHARED
    (tree / velmora / "qna.yaml").write_text(knowledge(examples=5, pairs=4))
    filled(index)
    assert index.entry(velmora).badge is Badge.SHARED
    index.set_marks(Badge.SHARED, [])
    index.set_marks(Badge.TRAINED, [])
    assert index.entry(velmora).badge is Badge.READY


def test_a_lesson_that_changes_while_it_is_verified_is_verified_again(tree, opened):
    index = opened(tree)
    index.refresh()
    write(tree / "knowledge/islands/velmora", knowledge(examples=2))

    index.verify_some(5)

    assert index.entry("knowledge/islands/velmora").badge is None
    assert filled(index).entry("knowledge/islands/velmora").badge is Badge.DRAFT


# Search


def test_words_are_found_wherever_they_stand_and_it_is_said_where(tree, opened):
    folder = tree / "knowledge/islands/velmora"
    (folder / "island.md").write_text("# Island\n\nThe lighthouse of Tarn was built by fishermen.\n")
    index = filled(opened(tree))

    def where(text: str) -> tuple[str, int, int, str]:
        hit = index.search(text)[0]
        return hit.where, hit.example, hit.pair, "".join(hit.snippet.text[a:b] for a, b in hit.snippet.marks)

    assert where("velm") == ("title", -1, -1, "Velmora")
    assert where("bay 3 pier") == ("passage", 3, -1, "Bay3pier")
    assert where("fact 21") == ("answer", 2, 1, "Fact21")
    assert where("item 40?") == ("question", 4, 0, "Item40")
    assert where("rhyme on 2") == ("question", 2, -1, "Rhymeon2")
    assert where("lighthouse fisher") == ("document", -1, -1, "lighthousefishermen")
    assert index.search("lighthouse")[0].document == "island.md"
    assert where("jane") == ("author", -1, -1, "jane")


def test_a_word_in_the_name_comes_before_the_same_word_inside(tree, opened):
    write(tree / "knowledge" / "aaa", skill().replace("Number 2.", "velmora velmora velmora"), document=False)

    assert [hit.entry.title for hit in filled(opened(tree)).search("velmora")] == ["Velmora", "Aaa"]


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Die Straße nach Zürich", "ZURICH"),
        ("Die Straße nach Zürich", "strasse nach zu"),
        ("Crème brûlée", "creme BRULEE"),
        ("Москва – столица", "столиц"),
        ("東京は日本の首都です", "首都"),
        ("東京は日本の首都です", "日本の"),
        ("서울은 한국의 수도", "한국"),
        ("ประเทศไทยมีภาษา", "ไทย"),
        ("दिल्ली भारत की राजधानी", "राजधा"),
        ("القاهرة عاصمة مصر", "عاصمة"),
        ("an e-mail to a_b", "e-mail a_b"),
        ("it's 1,382 km²", "it's 1,382 km2"),
        ("ﬁnal", "final"),
    ],
)
@pytest.mark.parametrize("is_fast", [True, False])
def test_every_language_is_searched(written, asked, is_fast, tree, opened, monkeypatch):
    if not is_fast:
        monkeypatch.setattr(index_file, "_FTS", "fts99")
    write(tree / "compositional_skills" / "x", skill().replace("Number 2.", written), document=False)
    index = filled(opened(tree))

    hits = index.search(asked)

    assert [hit.entry.path for hit in hits] == ["compositional_skills/x"]
    assert hits[0].snippet.marks
    assert index.search(asked + " absent") == []


@pytest.mark.parametrize("is_fast", [True, False])
def test_signs_are_found_only_in_a_row(is_fast, tree, opened, monkeypatch):
    if not is_fast:
        monkeypatch.setattr(index_file, "_FTS", "fts99")
    write(tree / "compositional_skills" / "x", skill().replace("Number 2.", "日は本"), document=False)
    write(tree / "compositional_skills" / "y", skill().replace("Number 2.", "日").replace("Number 3.", "本"), False)

    assert found(filled(opened(tree)), "日本") == set()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(max_size=40), st.text(alphabet='ab "*():^-+{}ANDORNEAR', max_size=40)))
def test_whatever_is_typed_harms_nothing(text, searched):
    for hit in searched.search(text):
        assert all(0 <= start < end <= len(hit.snippet.text) for start, end in hit.snippet.marks)
    searched.near(text)
    searched.places_for(text, text)
    assert searched._file.starts == 0
    assert found(searched, "velmora")


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("searched")
    write(folder / "library/knowledge/velmora", knowledge().replace("Fact 21.", 'a AND b OR "c"* NEAR(x)'))
    index = filled(Index(folder / "library", folder / "index.sqlite"))
    yield index
    index.close()


@given(st.text(max_size=80))
def test_the_words_of_a_text_are_those_of_its_parts_and_safe_to_store(text):
    words = tokens(text)

    assert all(re.fullmatch(r"[a-z0-9\u0080-\U0010ffff]+", word) for word in words)
    assert [word for _, _, word in spans(text)] == words
    assert snippet(text, Question.of(text)).text.count("\n") == 0


VOCABULARY = ["island", "islands", "pier", "bay", "cat", "catch", "tide", "tidal", "moor", "harbour"]


def brute_force(root: Path, asked: str) -> set[str]:
    """Lessons with every word in their files or place, the last one as a beginning unless it is a letter."""
    *whole, begun = asked.split()
    hits = set()
    for file in root.rglob("qna.yaml"):
        texts = [file.read_text(), *(each.read_text() for each in file.parent.glob("*.md"))]
        path = file.parent.relative_to(root).as_posix()
        there = set(re.findall("[a-z]+", " ".join([*texts, path.partition("/")[2]]).lower()))
        is_begun = any(word == begun or (len(begun) > 1 and word.startswith(begun)) for word in there)
        if there >= set(whole) and is_begun:
            hits.add(path)
    return hits


def test_search_finds_what_reading_every_file_finds_after_any_edits(tmp_path, opened):
    draw = random.Random(7)
    root = tmp_path / "library"
    folders = [root / kind / word for kind in ("knowledge", "compositional_skills") for word in VOCABULARY]

    def text() -> str:
        said = [" ".join(draw.choices(VOCABULARY, k=draw.randint(1, 3))) for _ in range(5)]
        return "seed_examples:\n" + "".join(f"- question: {each}\n  answer: {each}\n" for each in said)

    index = opened(root)
    for _ in range(60):
        folder = draw.choice(folders)
        action = draw.random()
        if action < 0.5:
            write(folder, text(), document=False)
        elif action < 0.7 and folder.exists():
            (folder / f"{draw.choice('ab')}.md").write_text(" ".join(draw.choices(VOCABULARY, k=4)))
        elif action < 0.85:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            other = draw.choice(folders)
            if folder.exists() and not other.exists():
                folder.rename(other)
        index.refresh()
        for asked in ("island", "is", "cat", "tid bay", "bay tid", "moor harbour c", draw.choice(VOCABULARY)):
            assert found(index, asked) == brute_force(root, asked), asked


# Near-duplicates and places


def topic_leaf(*questions: str, task: str = "Answer.") -> str:
    pairs = "".join(f'  - question: "{each}"\n    answer: "x"\n' for each in questions)
    return f'version: 3\ncreated_by: "jane"\ntask_description: "{task}"\nseed_examples:\n{pairs}'


@pytest.fixture
def topics(tree, opened):
    k, s = tree / "knowledge", tree / "compositional_skills"
    write(k / "food" / "bread", topic_leaf("How long is bread baked?", "Which flour rises best?", task="Baking bread"))
    write(k / "food" / "cheese", topic_leaf("How is cheese made?", "Which milk gives cheddar?", task="Making cheese"))
    write(k / "sport" / "rowing", topic_leaf("How many rowers has an eight?", "What is a cox?", task="Racing boats"))
    write(k / "sport" / "sailing", topic_leaf("What is a jib?", "When does one tack?", task="Racing under sail"))
    write(k / "travel" / "ferries", topic_leaf("When does the ferry leave?", task="Ferries between islands"))
    write(s / "letters" / "thanks", topic_leaf("Write a thank-you letter to aunt Jo.", task="Write letters"))
    return filled(opened(tree))


def test_the_same_questions_under_another_name_are_near(topics, tree):
    write(
        tree / "knowledge" / "misc" / "loaves",
        topic_leaf("How long must bread be baked?", "Which flour rises best?", task="Loaves"),
    )
    filled(topics)

    first = topics.near(topics.entry("knowledge/misc/loaves"))[0]

    assert first.entry.path == "knowledge/food/bread"
    assert first.score > 0.9
    assert first.why == "It asks 2 of the same questions: “How long must bread be baked?”"


def test_the_same_name_is_near_and_other_subjects_are_not(topics):
    assert [(near.entry.title, near.why) for near in topics.near("Rowing")] == [("Rowing", "It has the same name.")]
    assert [near.entry.title for near in topics.near("How cheese is made")] == ["Cheese"]
    assert topics.near("Quantum chromodynamics") == []
    assert topics.near("") == []


def test_a_topic_belongs_where_its_words_are(topics):
    def first(title: str, description: str = "", root: str = "") -> str:
        return topics.places_for(title, description, root)[0].path

    assert first("Baking rolls", "flour and milk, and how long they are baked") == "knowledge/food"
    assert first("Regatta", "boats racing with sails and a jib") == "knowledge/sport"
    assert first("Sport shoes") == "knowledge/sport"
    assert first("Letters to friends") == "compositional_skills/letters"
    assert first("Animals of the sea") == "knowledge/animals"
    best = topics.places_for("Sourdough", "bread flour")[0]
    assert [entry.title for entry in best.neighbours] == ["Bread", "Cheese"]
    assert best.words == ("bread", "flour")
    assert all(place.path.startswith("knowledge") for place in topics.places_for("letters island", root="knowledge"))
    assert topics.places_for("Quantum chromodynamics") == []


# Keeping up with the disk


def test_changes_are_seen_without_reading(tree, opened):
    index = filled(opened(tree))
    old = time.time() - 100
    for file in tree.rglob("*.*"):
        os.utime(file, (old, old))
    filled(index)
    before = index.entries()
    assert index.changed_since() == index.changed_since(before) == frozenset()

    (tree / "compositional_skills/writing/rhymes/qna.yaml").write_text(skill(6))
    write(tree / "knowledge" / "new", skill())
    shutil.rmtree(tree / "knowledge" / "islands")

    changed = {"compositional_skills/writing/rhymes", "knowledge/new", "knowledge/islands/velmora"}
    assert index.changed_since() == changed
    assert index.refresh() == changed
    assert index.changed_since(before) == changed


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: (tree / "foundational_skills").mkdir(),
        lambda tree: (tree / "knowledge" / "animals").rmdir(),
        lambda tree: (tree / "knowledge" / "animals").rename(tree / "knowledge" / "beasts"),
        lambda tree: (tree / "knowledge/islands/velmora/more.pdf").touch(),
        lambda tree: (tree / "knowledge/islands/velmora/island.md").unlink(),
        lambda tree: edit(tree),
        lambda tree: write(tree / "knowledge" / "new", skill()),
    ],
    ids=["root", "no topic", "renamed topic", "file", "no document", "edited", "lesson"],
)
def test_the_cheap_look_sees_every_change(change, tree):
    old = time.time() - 100
    for path in [tree, *tree.rglob("*")]:
        os.utime(path, (old, old))
    seen = survey(tree)
    assert is_as_seen(tree, seen)

    change(tree)

    assert not is_as_seen(tree, seen)


def edit(tree: Path) -> None:
    """Change a file in place, so that its folder's time stays."""
    with open(tree / "knowledge/islands/velmora/qna.yaml", "a") as file:
        file.write("# a comment\n")


@pytest.mark.parametrize("new", ["knowledge/animals", "knowledge/islands/velmora/qna.yaml"])
def test_what_is_too_new_is_never_sure(new, tree):
    for path in [tree, *tree.rglob("*")]:
        os.utime(path, (1_000_000, 1_000_000))
    os.utime(tree / new)

    assert not is_as_seen(tree, survey(tree))


def test_a_change_within_the_same_tick_of_the_clock_is_not_missed(tree, opened):
    file = tree / "compositional_skills/writing/rhymes/qna.yaml"
    index = opened(tree)
    index.refresh()
    stat = file.stat()
    with open(file, "r+b") as same_inode:
        same_inode.write(skill().replace("Number 2.", "Anchors 2"[:9]).encode())
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    index.refresh()

    assert found(index, "anchors") == {"compositional_skills/writing/rhymes"}


def test_a_second_start_reads_nothing_that_is_as_it_was(tree, opened):
    old = time.time() - 100
    for file in tree.rglob("*.*"):
        os.utime(file, (old, old))
    entries = filled(opened(tree)).entries()

    again = opened(tree)

    assert again.entries() == entries
    assert again.look() == 0
    assert again.verify_some(1) == 0
    assert found(again, "velm") == {"knowledge/islands/velmora"}


def test_what_is_gone_is_gone_from_the_file_too(tree, opened):
    index = filled(opened(tree))
    shutil.rmtree(tree / "knowledge" / "islands")

    index.refresh()

    assert found(index, "pier") == set()
    assert [entry.title for entry in opened(tree).entries()] == ["Rhymes"]


def test_a_library_whose_disk_is_gone_for_a_while_is_not_forgotten(tree, opened):
    index = filled(opened(tree))
    away = tree.with_name("away")
    tree.rename(away)

    index.refresh()
    assert len(index.entries()) == 2
    assert index.search("pier")[0].entry.title == "Velmora"
    away.rename(tree)
    assert known(filled(index)) == known(filled(opened(tree, "fresh.sqlite")))


PLACES = [
    "knowledge/a",
    "knowledge/a/b",
    "knowledge/a/b/c",
    "knowledge/d",
    "compositional_skills/a",
    "compositional_skills/grounded/e",
    "foundational_skills/f",
]
CONTENTS = [
    knowledge(),
    knowledge(2),
    skill(),
    skill(context=True),
    skill(5, version=2),
    "",
    "a: [",
    b"\xff\xfe",
    "x: &a [*a]\n",
    knowledge() + "more: 1\n",
]
place = st.sampled_from(PLACES)
operation = st.one_of(
    st.tuples(st.just("write"), place, st.sampled_from(range(len(CONTENTS)))),
    st.tuples(st.just("document"), place, st.sampled_from(["island.md", "deep/x.md", "a.pdf", "attribution.txt"])),
    st.tuples(st.just("undocument"), place, st.sampled_from(["island.md", "a.pdf"])),
    st.tuples(st.just("unwrite"), place, st.none()),
    st.tuples(st.just("misname"), place, st.sampled_from(["qna.yml", "QNA.YAML"])),
    st.tuples(st.just("folder"), place, st.none()),
    st.tuples(st.just("remove"), place, st.none()),
    st.tuples(st.just("move"), place, place),
    st.tuples(st.just("touch"), place, st.sampled_from([1_000_000, 2_000_000])),
    st.tuples(st.just("link"), place, place),
    st.tuples(st.just("look"), st.none(), st.none()),
    st.tuples(st.just("fill"), st.none(), st.none()),
    st.tuples(st.just("reopen"), st.none(), st.none()),
)


def apply(root: Path, kind: str, target: str | None, what: object) -> None:
    """One operation on the tree; what is not possible is left."""
    folder = root / (target or "")
    if kind == "write":
        write(folder, CONTENTS[int(str(what))], document=False)
    elif kind == "document":
        file = folder / str(what)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"text {what}")
    elif kind in ("undocument", "unwrite"):
        (folder / (str(what) if kind == "undocument" else "qna.yaml")).unlink(missing_ok=True)
    elif kind == "misname" and (folder / "qna.yaml").exists():
        (folder / "qna.yaml").rename(folder / str(what))
    elif kind == "folder":
        folder.mkdir(parents=True, exist_ok=True)
    elif kind == "remove":
        shutil.rmtree(folder, ignore_errors=True)
    elif kind == "move":
        to = root / str(what)
        if folder.exists() and not to.exists() and not to.is_relative_to(folder):
            to.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(to)
    elif kind == "touch" and (folder / "qna.yaml").exists():
        os.utime(folder / "qna.yaml", (int(str(what)), int(str(what))))
    elif kind == "link" and folder.is_dir() and not (folder / "qna.yaml").exists():
        (folder / "qna.yaml").symlink_to(root / str(what) / "qna.yaml")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(operation, max_size=14))
def test_after_any_operations_the_index_is_as_if_made_anew(operations, tmp_path_factory):
    tmp = tmp_path_factory.mktemp("any")
    root = tmp / "library"
    index = Index(root, tmp / "index.sqlite")
    for kind, target, what in operations:
        if kind == "look":
            index.look()
        elif kind == "fill":
            filled(index)
        elif kind == "reopen":
            index.close()
            index = Index(root, tmp / "index.sqlite")
        else:
            try:
                apply(root, kind, target, what)
            except OSError as error:
                assert error.errno  # a link to itself, a folder in the way: the tree stays as it is
    filled(index)
    fresh = filled(Index(root, tmp / "fresh.sqlite"))

    assert known(index) == known(fresh)
    assert names(index.tree()) == names(fresh.tree())
    for asked in ("bay", "rhyme number", "text", "jane", "a b"):
        assert found(index, asked) == found(fresh, asked)
    assert (index.is_kept, fresh.is_kept, index._file.starts) == (True, True, 0)
    index.close()
    fresh.close()
    shutil.rmtree(tmp)


# Its file


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"no database at all" * 1000),
        lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
        lambda file: file.write_bytes(file.read_bytes()[:5000] + os.urandom(20_000) + file.read_bytes()[25_000:]),
        lambda file: altered(file, "PRAGMA user_version = 77; UPDATE leaf SET author = 'of another time'"),
        lambda file: altered(file, "DROP TABLE found"),
        lambda file: altered(file, "DROP TABLE leaf"),
        lambda file: altered(file, "UPDATE about SET root = x'00'"),
        lambda file: (file.unlink(), file.mkdir()),
    ],
    ids=["empty", "noise", "half", "holes", "version", "no words", "no lessons", "another tree", "a folder"],
)
def test_a_file_that_is_not_ours_any_more_is_made_anew(damage, tree, tmp_path, opened):
    for number in range(40):
        write(tree / "compositional_skills" / f"more_{number}", skill(), document=False)
    file = tmp_path / "home" / "index.sqlite"
    index = filled(opened(tree))
    index.close()
    damage(file)

    again = filled(filled(opened(tree)))

    assert known(again) == known(filled(opened(tree, "fresh.sqlite")))
    assert found(again, "rhyme") == {entry.path for entry in again.entries() if entry.kind is LeafKind.FREEFORM_SKILL}
    assert again.is_kept == file.is_file()


def altered(file: Path, sql: str) -> None:
    database = sqlite3.connect(file)
    database.executescript(sql)
    database.close()


def test_damage_that_shows_while_it_is_open_costs_one_more_reading(tree, tmp_path, opened):
    file = tmp_path / "home" / "index.sqlite"
    index = filled(opened(tree))
    altered(file, "DROP TABLE found")

    assert index.search("pier") == []
    filled(index)

    assert found(index, "pier") == {"knowledge/islands/velmora"}
    assert index.is_kept


def test_without_a_place_for_its_file_it_works_from_memory(tree, tmp_path, opened):
    (tmp_path / "home").write_text("a file in the way")

    index = filled(opened(tree))

    assert not index.is_kept
    assert found(index, "pier") == {"knowledge/islands/velmora"}
    assert index.entry("knowledge/islands/velmora").badge is Badge.READY


FILL = """
import sys
from pathlib import Path
from lab_desktop.taxonomy.index import Index
index = Index(Path(sys.argv[1]), Path(sys.argv[2]))
index.look()
print("looked", flush=True)
while index.read_some(0.01): pass
print("read", flush=True)
if "verify" in sys.argv:
    while index.verify_some(0.05): pass
print(index.is_kept, len(index.search("rhyme", limit=1000)), flush=True)
"""


def child(tree: Path, file: Path, *more: str, before: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", before + FILL, str(tree), str(file), *more]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def many(tree: Path, count: int) -> None:
    for number in range(count):
        file = write(tree / "compositional_skills" / f"many_{number % 10}" / f"x{number}", skill(), document=False)
        os.utime(file, (1_000_000, 1_000_000))


def test_a_full_disk_makes_it_slower_and_no_more(tree, tmp_path):
    many(tree, 100)
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"

    with child(tree, tmp_path / "index.sqlite", before=full) as process:
        assert process.stdout is not None
        said = process.stdout.read().split()

    assert (process.returncode, said[-2:]) == (0, ["False", "101"])


def test_killed_anywhere_the_next_start_goes_on(tree, tmp_path, opened):
    many(tree, 150)
    file = tmp_path / "home" / "index.sqlite"
    for delay in (0.0, 0.02, 0.1, 0.3, 0.0):
        with child(tree, file, "verify") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "looked\n"
            time.sleep(delay)
            os.kill(process.pid, signal.SIGKILL)

    index = opened(tree)
    assert index.look() < 152
    filled(index)

    assert index.is_kept
    assert known(index) == known(filled(opened(tree, "fresh.sqlite")))
    assert len(found(index, "rhyme")) == 151


def test_processes_and_threads_share_it(tree, tmp_path, opened):
    many(tree, 100)
    file = tmp_path / "home" / "index.sqlite"
    processes = [child(tree, file, "verify") for _ in range(2)]
    index = opened(tree)
    counts: list[int] = []
    threads = [threading.Thread(target=filled, args=(index,)) for _ in range(2)]
    threads.append(threading.Thread(target=lambda: counts.extend(len(index.search("rhyme")) for _ in range(50))))

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        with process:
            assert process.stdout is not None
            assert process.stdout.read().split()[-2:] == ["True", "101"]

    assert len(counts) == 50
    filled(index)
    assert index.is_kept
    assert known(index) == known(filled(opened(tree, "fresh.sqlite")))
    assert len(found(index, "rhyme")) == 101


def test_another_process_that_writes_for_long_is_waited_for(tree, tmp_path, opened, monkeypatch):
    monkeypatch.setattr(index_file, "_BUSY_S", 0.02)
    index = opened(tree)
    index.look()
    other = sqlite3.connect(tmp_path / "home" / "index.sqlite")
    other.execute("BEGIN IMMEDIATE")

    assert index.read_some(0.1) == 2
    assert index.search("pier") == []
    other.rollback()
    other.close()

    assert index.read_some(1) == 0
    assert found(index, "pier") == {"knowledge/islands/velmora"}
    assert (index.is_kept, index._file.starts) == (True, 0)


def test_closing_it_under_a_thread_that_fills_it_loses_nothing(tree, opened):
    many(tree, 200)
    index = opened(tree)
    thread = threading.Thread(target=filled, args=(index,))
    thread.start()
    while not any(entry.kind for entry in index.entries()):
        time.sleep(0.01)

    index.close()
    thread.join(20)

    assert not thread.is_alive()
    again = opened(tree)
    assert 0 < len(again.entries()) <= 202
    assert known(filled(again)) == known(filled(opened(tree, "fresh.sqlite")))


# Whatever may lie there


def test_hostile_lessons_become_problems_and_hold_nothing_up(tree, tmp_path, opened):
    k = tree / "knowledge"
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
    )
    write(k / "huge", b"answer: " + b"x" * 5_000_000)
    write(k / "bomb", bomb)
    write(k / "deep", "a: " + "[" * 100_000)
    write(k / "deeper", "- " * 50_000 + "x")
    write(k / "itself", "a: &a [*a]\n")
    write(k / "latin", "answer: caf\xe9".encode("latin-1"))
    write(k / "zero", b"\0" * 1000)
    write(k / "half", 'a: "\\ud800"\n')
    write(k / "endless", "a: 'never closed\n" + "line\n" * 40_000)
    write(k / "date", "a: 2024-99-99\n")
    (tmp_path / "secret.yaml").write_text(knowledge().replace("pier", "secret"))
    hostile = ["bomb", "date", "deep", "deeper", "endless", "half", "huge", "itself", "latin", "zero"]
    for name, make in {
        "pipe": os.mkfifo,
        "out": lambda path: path.symlink_to(tmp_path / "secret.yaml"),
        "loop": lambda path: path.symlink_to(path),
        "nothing": lambda path: path.symlink_to(path.with_name("gone")),
        "device": lambda path: path.symlink_to("/dev/zero"),
        "to_a_folder": lambda path: path.symlink_to(k),
    }.items():
        (k / name).mkdir()
        make(k / name / "qna.yaml")
        hostile.append(name)
    os.mkfifo(k / "islands/velmora/pipe.md")
    (k / "islands/velmora/out.md").symlink_to(tmp_path / "secret.yaml")
    (k / "islands/velmora/zero.md").symlink_to("/dev/zero")
    (k / "round").symlink_to(k)
    (k / "away").symlink_to(tmp_path)
    (k / os.fsdecode(b"caf\xe9")).mkdir()
    write(k / os.fsdecode(b"caf\xe9") / "x", skill(), document=False)
    start = time.monotonic()

    index = filled(opened(tree))

    assert time.monotonic() - start < 30
    badges = {entry.path.rpartition("/")[2]: entry.badge for entry in index.entries()}
    assert {name: badges[name] for name in hostile} == dict.fromkeys(hostile, Badge.PROBLEM)
    assert all(index.entry(f"knowledge/{name}").problem for name in hostile)
    assert badges["x"] is not None
    assert found(index, "secret") == set()
    assert found(index, "pier") == {"knowledge/islands/velmora"}
    problems = {node.path: node.problem for node in index.tree().children[0].children if node.problem}
    assert problems.keys() == {"knowledge/away", "knowledge/round"}
    assert known(filled(opened(tree))) == known(index)


@pytest.fixture
def deep(tree):
    """3,000 folders inside each other, which only rm can take away again."""
    handle = os.open(tree / "knowledge", os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("a", dir_fd=handle)
        below = os.open("a", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    os.close(handle)
    yield tree
    subprocess.run(["rm", "-rf", tree / "knowledge" / "a"], check=True)


def test_thousands_of_folders_inside_each_other_end_at_a_depth(deep, opened):
    index = filled(opened(deep))
    deepest = index.tree().children[0]
    while deepest.children and deepest.children[0].path.endswith("a"):
        deepest = deepest.children[0]

    assert "60 folders" in deepest.problem
    assert len(index.entries()) == 2
