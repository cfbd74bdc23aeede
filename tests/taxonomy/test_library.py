"""A library is arranged step by step; every step can be undone, and a kill leaves none half done."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab_desktop import bins
from lab_desktop.artifacts import LeafKind
from lab_desktop.errors import LeafError, StorageError
from lab_desktop.taxonomy.library import Library, NewLeaf, Step, made_here
from lab_desktop.taxonomy.names import NameTaken
from lab_desktop.taxonomy.qna import read_draft, read_leaf
from lab_desktop.taxonomy.source import read_source
from tests.taxonomy import leaves

SCIENCE = Path("knowledge/science")
ARTS = Path("knowledge/arts")
BAY = SCIENCE / "bay"
SKILLS = Path("compositional_skills")

Snapshot = dict[str, bytes | None]


def snapshot(root: Path) -> Snapshot:
    """Every file's bytes, and None for every folder; without what is ours."""
    found: Snapshot = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", ".lab-desktop")]
        here = Path(folder).relative_to(root)
        found |= {str(here / name): None for name in folders}
        found |= {str(here / name): (root / here / name).read_bytes() for name in names}
    return found


def plant(root: Path) -> Path:
    """A small library without git."""
    leaves.write(root / BAY, leaves.knowledge())
    (root / BAY / "notes of mine.txt").write_text("unsaved, foreign")
    leaves.write(root / SCIENCE / "cape", leaves.knowledge(6).replace("Bay", "Cape"))
    (root / SCIENCE / "cape" / "attribution.txt").write_text("Title of work: Cape\n")
    leaves.write(root / SKILLS / "writing" / "rhyme", leaves.skill(), document=False)
    leaves.write(root / SKILLS / "grounded" / "summary", leaves.skill(context=True), document=False)
    leaves.write(root / "foundational_skills" / "sums", leaves.skill(), document=False)
    (root / ARTS / "music").mkdir(parents=True)
    (root / ARTS / "music" / ".gitkeep").touch()
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return plant(tmp_path / "library")


def undo_all(library: Library) -> None:
    while library.undo():
        pass


def test_a_new_topic_is_an_empty_folder_that_git_keeps(root: Path) -> None:
    step = Library(root).create_topic(SCIENCE, "Rock Pools!")

    assert (step.kind, step.path, step.result, step.title) == (
        "create_topic", None, SCIENCE / "rock_pools", "Rock pools"
    )  # fmt: skip
    assert [path.name for path in (root / SCIENCE / "rock_pools").iterdir()] == [".gitkeep"]


def coming(*places: str) -> list[NewLeaf]:
    return [NewLeaf(Path(place), lambda folder, _: leaves.write(folder, leaves.knowledge())) for place in places]


def test_leaves_come_together_in_one_step_each_where_nothing_is_in_its_way(root: Path) -> None:
    before = snapshot(root)
    library = Library(root)
    wanted = (
        "knowledge/science/bay",  # taken
        "knowledge/science/bay/inner",  # nothing lies in a leaf
        "knowledge/SCIENCE/tides",  # the topic that is there
        "knowledge/new/deep/one",
        "knowledge/new/deep/one",  # twice
        "knowledge/new/deep/one/below",  # below a leaf that comes along
        "knowledge/new_deep/one",  # its generated files would be those of new/deep/one
    )

    assert [place.as_posix() for place in library.free_places([Path(each) for each in wanted])] == [
        "knowledge/science/bay_2",
        "knowledge/science/inner",
        "knowledge/science/tides",
        "knowledge/new/deep/one",
        "knowledge/new/deep/one_2",
        "knowledge/new/deep/below",
        "knowledge/new_deep/one_3",
    ]
    step = library.add(coming(*wanted))

    assert (step.kind, step.path, step.result, len(step.made)) == ("import", None, Path("knowledge"), 7)
    assert all((root / place / "qna.yaml").is_file() for place in step.made)
    assert snapshot(root).items() >= before.items()
    library.undo()
    assert snapshot(root) == before
    library.redo()
    assert (root / "knowledge/new/deep/one/qna.yaml").is_file()


@pytest.mark.parametrize(
    "place", ["foundational_skills/sums_2", "knowledge", "elsewhere/x", "knowledge/../x", "/etc/x"]
)
def test_leaves_come_nowhere_else(root: Path, place: str) -> None:
    before = snapshot(root)

    with pytest.raises(LeafError):
        Library(root).add(coming("knowledge/arts/new", place))

    assert snapshot(root) == before


def test_leaves_that_cannot_be_written_leave_nothing(root: Path) -> None:
    before = snapshot(root)

    def fail(folder: Path, place: Path) -> None:
        raise OSError(28, "No space left on device")

    library = Library(root)
    with pytest.raises(StorageError, match="disk is full"):
        library.add([*coming("knowledge/arts/new"), NewLeaf(Path("knowledge/arts/other"), fail)])

    assert snapshot(root) == before
    assert not list((root / ".lab-desktop" / "kept").iterdir())
    assert library.undoable is None


def test_a_deleted_leaf_comes_back_to_what_is_left_of_it_or_beside_what_is_there(root: Path) -> None:
    library = Library(root)
    bay, before = coming(BAY.as_posix())[0], snapshot(root)
    assert library.put_back(bay).result == SCIENCE / "bay_2"  # another one is there
    library.undo()
    (root / BAY / "qna.yaml").unlink()
    (root / BAY / "island.md").write_text("mine")
    rest = snapshot(root)

    assert library.put_back(bay).result == BAY
    assert (root / BAY / "qna.yaml").read_text() == leaves.knowledge()
    assert (root / BAY / "island.md").read_text() == "mine"
    library.undo()
    assert snapshot(root) == rest
    shutil.rmtree(root / SCIENCE)
    assert library.put_back(bay).result == BAY
    assert snapshot(root)[f"{BAY}/qna.yaml"] == before[f"{BAY}/qna.yaml"]
    with pytest.raises(LeafError):
        library.put_back(coming("foundational_skills/sums_3")[0])


def test_what_a_person_made_is_known_wherever_it_was_put(root: Path) -> None:
    library = Library(root)
    made = library.create_leaf(ARTS, "Tides", LeafKind.KNOWLEDGE).result
    assert made is not None
    library.move(BAY, ARTS)  # somebody else's
    library.rename(ARTS, "Fine arts")
    library.move(Path("knowledge/fine_arts/tides"), SCIENCE)
    library.duplicate(SCIENCE / "cape")
    library.add(coming("knowledge/new/one"))

    there = {path for path in made_here(Library(root).steps) if (root / path).is_dir()}

    assert {path.as_posix() for path in there} == {
        "knowledge/science/tides", "knowledge/science/cape_2", "knowledge/new/one"
    }  # fmt: skip


def test_the_first_topic_of_a_library_without_facts_makes_their_folder(tmp_path: Path) -> None:
    (tmp_path / "compositional_skills").mkdir()
    library = Library(tmp_path)

    assert library.create_topic(Path("knowledge"), "Arts").result == ARTS
    library.undo()

    assert snapshot(tmp_path) == {"compositional_skills": None}


@pytest.mark.parametrize(
    ("parent", "kind", "place"),
    [
        (SCIENCE, LeafKind.KNOWLEDGE, "knowledge/science/tides"),
        (None, LeafKind.KNOWLEDGE, "knowledge/miscellaneous_unknown/tides"),
        (None, LeafKind.FREEFORM_SKILL, "compositional_skills/miscellaneous_unknown/tides"),
        (None, LeafKind.GROUNDED_SKILL, "compositional_skills/grounded/miscellaneous_unknown/tides"),
        (SKILLS / "writing", LeafKind.FREEFORM_SKILL, "compositional_skills/writing/tides"),
        (SKILLS / "writing", LeafKind.GROUNDED_SKILL, "compositional_skills/grounded/writing/tides"),
        (SKILLS / "grounded", LeafKind.FREEFORM_SKILL, "compositional_skills/tides"),
    ],
)
def test_a_new_leaf_is_a_draft_at_the_place_for_its_kind(
    root: Path, parent: Path | None, kind: LeafKind, place: str
) -> None:
    before = snapshot(root)
    library = Library(root)

    step = library.create_leaf(parent, "Tides", kind)

    assert step.result == Path(place)
    value = read_source(root / place / "qna.yaml").value
    assert value["version"] == 3
    assert value["seed_examples"] == []
    assert ("document" in value) == (kind is LeafKind.KNOWLEDGE)
    library.undo()
    assert snapshot(root) == before


def test_a_name_that_is_taken_gets_a_number(root: Path) -> None:
    library = Library(root)

    assert library.create_leaf(SCIENCE, "BAY", LeafKind.KNOWLEDGE).result == SCIENCE / "bay_2"
    assert library.create_topic(SCIENCE, "Bay").result == SCIENCE / "bay_3"
    assert library.duplicate(BAY).result == SCIENCE / "bay_4"


def test_a_leaf_whose_generated_files_would_overwrite_those_of_another_gets_a_number(root: Path) -> None:
    library = Library(root)
    knowledge = Path("knowledge")
    free = knowledge / "science_bay_2"

    assert library.create_leaf(knowledge, "Science bay", LeafKind.KNOWLEDGE).result == free
    library.undo()
    leaf = library.create_leaf(ARTS, "Science bay", LeafKind.KNOWLEDGE).result
    assert leaf == ARTS / "science_bay"
    assert library.move(leaf, knowledge).result == free
    library.undo()
    topic = library.create_topic(knowledge, "Other").result
    assert topic
    library.create_leaf(topic, "Bay", LeafKind.KNOWLEDGE)
    with pytest.raises(NameTaken):
        library.rename(SCIENCE, "other")
    library.rename(leaf, "Elsewhere")
    assert library.create_leaf(knowledge, "Other cape", LeafKind.KNOWLEDGE).result == knowledge / "other_cape"
    with pytest.raises(NameTaken) as caught:
        library.rename(knowledge / "other_cape", "Science cape")
    assert caught.value.free == "science_cape_2"


def test_renaming_keeps_everything_in_the_folder_and_tells_who_moved(root: Path) -> None:
    library = Library(root)
    inside = {path.name: path.read_bytes() for path in (root / BAY).iterdir()}

    step = library.rename(BAY, "The quiet bay")

    new = SCIENCE / "the_quiet_bay"
    assert step.moved == ((BAY, new),)
    assert {path.name: path.read_bytes() for path in (root / new).iterdir()} == inside
    assert not (root / BAY).exists()
    undone = library.undo()
    assert undone and undone.moved == ((new, BAY),)


def test_a_name_that_differs_only_in_case_is_the_same_place_for_others_and_a_new_name_for_itself(root: Path) -> None:
    library = Library(root)
    leaves.write(root / SCIENCE / "Reef", leaves.knowledge())

    with pytest.raises(NameTaken) as caught:
        library.rename(BAY, "reef")
    assert caught.value.free == "reef_2"
    assert "Reef 2" in caught.value.hint
    assert library.rename(SCIENCE / "Reef", "reef").result == SCIENCE / "reef"


def test_topics_move_with_all_they_hold(root: Path) -> None:
    library = Library(root)
    before = snapshot(root)

    step = library.move(SCIENCE, ARTS / "music")

    assert step.moved == ((SCIENCE, ARTS / "music" / "science"),)
    assert (root / ARTS / "music" / "science" / "bay" / "qna.yaml").is_file()
    library.undo()
    assert snapshot(root) == before


REFUSED: list[tuple[str, Callable[[Library], object]]] = [
    ("basics", lambda it: it.rename(Path("foundational_skills/sums"), "x")),
    ("basics", lambda it: it.create_topic(Path("foundational_skills"), "x")),
    ("basics", lambda it: it.move(BAY, Path("foundational_skills"))),
    ("basics", lambda it: it.delete(Path("foundational_skills/sums"))),
    ("main part", lambda it: it.delete(Path("knowledge"))),
    ("main part", lambda it: it.rename(Path("knowledge"), "x")),
    ("inside a lesson", lambda it: it.create_topic(BAY, "x")),
    ("inside a lesson", lambda it: it.move(SCIENCE / "cape", BAY)),
    ("into itself", lambda it: it.move(SCIENCE, SCIENCE)),
    ("already", lambda it: it.move(BAY, SCIENCE)),
    ("already", lambda it: it.rename(BAY, "Bay")),
    ("Facts and skills", lambda it: it.move(BAY, SKILLS)),
    ("Facts and skills", lambda it: it.merge(SKILLS / "writing", SCIENCE)),
    ("do not belong", lambda it: it.create_leaf(SKILLS, "x", LeafKind.KNOWLEDGE)),
    ("part of the other", lambda it: it.merge(SCIENCE, SCIENCE)),
    ("lesson and a topic", lambda it: it.merge(BAY, ARTS)),
    ("material", lambda it: it.merge(SKILLS / "writing" / "rhyme", SKILLS / "grounded" / "summary")),
    ("not there", lambda it: it.delete(SCIENCE / "nowhere")),
    ("cannot be the name", lambda it: it.delete(Path("knowledge/../..")),),
    ("not a place", lambda it: it.delete(Path("/etc"))),
    ("not a place", lambda it: it.delete(Path(".git"))),
    ("link", lambda it: it.delete(SCIENCE / "link" / "x")),
    ("link", lambda it: it.create_topic(SCIENCE / "link", "x")),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "ask"), REFUSED)
def test_what_makes_no_sense_is_refused_with_a_sentence_and_changes_nothing(
    root: Path, tmp_path: Path, sentence: str, ask: Callable[[Library], object]
) -> None:
    (tmp_path / "outside" / "x").mkdir(parents=True)
    (root / SCIENCE / "link").symlink_to(tmp_path / "outside")
    before = snapshot(root)

    with pytest.raises(LeafError, match=sentence) as caught:
        ask(Library(root))

    assert caught.value.hint
    assert snapshot(root) == before
    assert (tmp_path / "outside" / "x").is_dir()


def test_merging_two_leaves_joins_examples_and_brings_documents_without_overwriting(root: Path) -> None:
    library = Library(root)
    cape = root / SCIENCE / "cape"
    (cape / "island.md").write_text("# Another island\n")
    (cape / ".originals").mkdir()
    (cape / ".originals" / "cape.pdf").write_bytes(b"%PDF")
    shared = leaves.knowledge(6).replace("Bay 5", "Cape 5")  # five of its six contexts are those of the bay
    (cape / "qna.yaml").write_text(shared)
    (cape / ".editing").mkdir()
    (cape / ".editing" / "history.jsonl").write_text("{}\n")  # undo of that lesson, which this one has no use for
    before = snapshot(root)

    step = library.merge(SCIENCE / "cape", BAY)

    assert not (root / BAY / ".editing").exists()
    merged = read_leaf(root / BAY)
    assert [example.context for example in merged.seed_examples] == [
        *(f"Bay {number} has a pier." for number in range(5)), "Cape 5 has a pier."
    ]  # fmt: skip
    assert all(len(example.pairs) == 3 for example in merged.seed_examples)
    assert (root / BAY / "island.md").read_text() == "# Island\n\nText.\n"
    assert (root / BAY / "island_2.md").read_text() == "# Another island\n"
    assert (root / BAY / ".originals" / "cape.pdf").is_file()
    assert (root / BAY / "attribution.txt").read_text() == "Title of work: Cape\n"
    assert (root / BAY / "notes of mine.txt").is_file()
    assert not cape.exists()
    assert [thrown.path for thrown in library.binned()] == [SCIENCE / "cape"]
    assert step.moved == ((SCIENCE / "cape", BAY),)
    undone = library.undo()
    assert undone and undone.moved == ()
    assert snapshot(root) == before
    library.redo()
    assert read_leaf(root / BAY) == merged


def test_drafts_are_merged_too(root: Path) -> None:
    library = Library(root)
    one = library.create_leaf(SCIENCE, "Tides", LeafKind.KNOWLEDGE).result
    other = library.create_leaf(SCIENCE, "Tides of Osmery", LeafKind.KNOWLEDGE).result
    assert one is not None and other is not None

    library.merge(other, one)

    assert not (root / other).exists()
    assert read_draft(root / one).seed_examples == ()


def test_what_was_written_after_a_merge_is_there_again_when_it_is_done_again(root: Path) -> None:
    library = Library(root)
    library.merge(SCIENCE / "cape", BAY)
    (root / BAY / "qna.yaml").write_text("written later")

    library.undo()
    assert read_leaf(root / BAY)
    library.redo()

    assert (root / BAY / "qna.yaml").read_text() == "written later"


def test_a_leaf_with_problems_is_not_merged(root: Path) -> None:
    (root / BAY / "qna.yaml").write_text("seed_examples: [")
    before = snapshot(root)

    with pytest.raises(LeafError, match="problem"):
        Library(root).merge(SCIENCE / "cape", BAY)

    assert snapshot(root) == before


def test_merging_two_topics_moves_what_they_hold_and_renames_what_clashes(root: Path) -> None:
    library = Library(root)
    leaves.write(root / ARTS / "Bay", leaves.knowledge())
    before = snapshot(root)

    step = library.merge(SCIENCE, ARTS)

    assert set(step.moved) == {(BAY, ARTS / "bay_2"), (SCIENCE / "cape", ARTS / "cape")}
    assert sorted(path.name for path in (root / ARTS).iterdir()) == ["Bay", "bay_2", "cape", "music"]
    assert not (root / SCIENCE).exists()
    library.undo()
    assert snapshot(root) == before


def test_a_topic_can_be_dissolved_into_the_one_above(root: Path) -> None:
    library = Library(root)

    library.merge(SCIENCE, Path("knowledge"))

    assert sorted(path.name for path in (root / "knowledge").iterdir()) == ["arts", "bay", "cape"]


def test_the_bin_gives_back_a_leaf_also_where_its_topic_is_gone_or_its_name_taken(root: Path) -> None:
    library = Library(root)
    content = snapshot(root / BAY)
    library.delete(BAY)
    library.delete(SCIENCE)

    thrown = {each.path: each for each in library.binned()}
    assert library.restore(thrown[BAY]).result == BAY
    assert snapshot(root / BAY) == content
    assert library.restore(thrown[SCIENCE]).result == Path("knowledge/science_2")
    assert library.binned() == []
    with pytest.raises(LeafError, match="not in the bin"):
        library.restore(thrown[BAY])
    library.undo()
    library.undo()
    assert {each.path for each in library.binned()} == {BAY, SCIENCE}


def test_after_thirty_days_the_bin_is_emptied_and_what_needs_it_cannot_be_undone(root: Path) -> None:
    library = Library(root)
    library.create_topic(ARTS, "Early")
    library.delete(BAY)
    library.create_topic(ARTS, "Late")
    now = time.time()

    library.empty_bin(now + (bins.BIN_DAYS - 1) * 86_400)
    assert [thrown.path for thrown in library.binned()] == [BAY]
    library.empty_bin(now + (bins.BIN_DAYS + 1) * 86_400)

    assert library.binned() == []
    assert library.undo()
    assert library.undo() is None
    assert not (root / ARTS / "late").exists()
    assert (root / ARTS / "early").is_dir()
    assert not list((root / ".lab-desktop" / "bin").iterdir())
    assert Library(root).undo() is None


def test_steps_are_undone_and_done_again_after_a_restart(root: Path) -> None:
    before = snapshot(root)
    library = Library(root)
    library.rename(BAY, "Bight")
    library.move(SCIENCE / "bight", ARTS)
    after = snapshot(root)

    undo_all(Library(root))
    assert snapshot(root) == before
    again = Library(root)
    while again.redo():
        pass
    assert snapshot(root) == after


def test_two_programs_at_one_library_see_each_others_steps(root: Path) -> None:
    one, other = Library(root), Library(root)
    one.rename(BAY, "Bight")
    other.rename(SCIENCE / "cape", "Ness")

    assert one.undo() is not None
    assert (root / SCIENCE / "cape").is_dir()
    assert one.undo() is not None
    assert (root / BAY).is_dir()


def test_what_somebody_else_changed_is_not_overwritten_and_does_not_block_earlier_steps(root: Path) -> None:
    library = Library(root)
    library.create_topic(ARTS, "Dance")
    library.rename(BAY, "Bight")
    (root / BAY).mkdir()
    (root / BAY / "new.txt").write_text("of somebody else")

    with pytest.raises(LeafError, match="changed"):
        library.undo()

    assert (root / BAY / "new.txt").is_file()
    assert (root / SCIENCE / "bight" / "qna.yaml").is_file()
    step = library.undo()
    assert step and step.kind == "create_topic"


def test_a_step_that_cannot_be_undone_whole_is_not_undone_at_all(root: Path) -> None:
    library = Library(root)
    library.merge(SCIENCE, ARTS)
    shutil.rmtree(root / ARTS / "bay")
    before = snapshot(root)

    with pytest.raises(LeafError, match="changed"):
        library.undo()

    assert snapshot(root) == before


def test_a_damaged_history_is_put_aside_and_the_library_opens(root: Path) -> None:
    library = Library(root)
    library.rename(BAY, "Bight")
    journal = root / ".lab-desktop" / "history.jsonl"
    journal.write_bytes(b"\x00garbage\n" + journal.read_bytes())
    before = snapshot(root)

    again = Library(root)

    assert again.undoable is None
    assert snapshot(root) == before
    (kept,) = (root / ".lab-desktop").glob("*.damaged")
    loss = again.loss()
    assert loss is not None and "cannot be undone any more" in loss.message and str(kept) in loss.hint
    assert again.loss() is None, "it is told once"
    assert again.rename(SCIENCE / "bight", "Bay").result == BAY


@pytest.mark.parametrize(
    "row",
    [
        {"begin": 1, "at": 0, "do": [["move", "knowledge/science/bay", "../../stolen"]], "facts": {}},
        {"begin": 1, "at": 0, "do": [["move", "knowledge/science/bay", "knowledge/../../stolen"]], "facts": {}},
        {"begin": 1, "at": 0, "do": [["move", "knowledge/science/bay", "@/../../stolen"]], "facts": {}},
        {"begin": 1, "at": 0, "do": [["move", "/etc/hostname", "knowledge/x"]], "facts": {}},
        {"begin": 1, "at": 0, "do": [["move", ".git/config", "knowledge/x"]], "facts": {}},
        {"begin": 1, "at": 0, "do": [["move", "knowledge/science/bay", "knowledge/link/bay"]], "facts": {}},
        {"begin": 1, "at": 0, "do": [["swap", "knowledge/link/f", "@/../x", "@/y"]], "facts": {}},
        {"done": 7},
        [],
        {"begin": 1},
    ],
)
def test_a_hostile_history_moves_nothing_out(root: Path, tmp_path: Path, row: object) -> None:
    (tmp_path / "outside").mkdir()
    (root / "knowledge" / "link").symlink_to(tmp_path / "outside")
    (root / ".lab-desktop").mkdir()
    (root / ".lab-desktop" / "history.jsonl").write_text(json.dumps(row) + "\n")
    before = snapshot(root)

    library = Library(root)

    assert library.undoable is None
    assert snapshot(root) == before
    assert not list((tmp_path / "outside").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library", "outside"]
    assert library.rename(BAY, "Bight").result == SCIENCE / "bight"


def test_a_history_with_facts_of_something_else_can_be_opened(root: Path) -> None:
    (root / ".lab-desktop").mkdir()
    rows = [{"begin": 1, "at": 0, "do": [], "facts": {"path": 3}}, {"done": 1}]
    (root / ".lab-desktop" / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    library = Library(root)

    assert library.undoable
    assert library.undo()


def test_the_history_of_a_library_with_git_lies_where_git_never_looks(root: Path) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    Library(root).delete(BAY)

    status = subprocess.run(
        ["git", "-C", str(root), "status", "--porcelain", "-uall"], capture_output=True, text=True, check=True
    )

    assert (root / ".git" / "lab-desktop" / "history.jsonl").is_file()
    assert "lab-desktop" not in status.stdout
    assert "bay" not in status.stdout


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that may not be written")
def test_a_library_that_cannot_be_written_is_told_and_stays_whole(root: Path) -> None:
    library = Library(root)
    before = snapshot(root)
    (root / SCIENCE).chmod(0o500)
    try:
        with pytest.raises(StorageError, match="not allow"):
            library.rename(BAY, "Bight")
    finally:
        (root / SCIENCE).chmod(0o700)

    assert snapshot(root) == before
    assert library.undo() is None


TITLES = st.sampled_from(["Bay", "bay", "Cape", "Sciénce", "A b", "A", "b", "Nul", "日本"])
VERBS = ("topic", "leaf", "rename", "move", "duplicate", "merge", "delete", "restore", "undo", "redo", "edit", "reopen")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 99), st.integers(0, 99), TITLES), max_size=14))
def test_any_steps_can_be_undone_to_the_first_byte(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int, str]]
) -> None:
    root = plant(tmp_path_factory.mktemp("any") / "library")
    library = Library(root)
    states = [snapshot(root)]
    at = 0
    for verb, one, other, title in steps:
        if verb == "undo":
            assert (library.undo() is not None) == (at > 0)
            at = max(0, at - 1)
        elif verb == "redo":
            assert (library.redo() is not None) == (at < len(states) - 1)
            at = min(len(states) - 1, at + 1)
        elif verb == "reopen":
            library = Library(root)
        else:
            try:
                step = _some_step(library, verb, one, other, title)
            except LeafError:
                step = None
            if step:
                at += 1
                states[at:] = [snapshot(root)]
                for old, new in step.moved:
                    assert (root / new).is_dir()
                    assert not (root / old).exists()
        assert snapshot(root) == states[at]

    undo_all(library)
    assert snapshot(root) == states[0]
    while library.redo():
        pass
    assert snapshot(root) == states[-1]


def _some_step(library: Library, verb: str, one: int, other: int, title: str) -> Step | None:
    root = library.root
    every = sorted(
        path.relative_to(root)
        for path in root.rglob("*")
        if path.is_dir() and not path.relative_to(root).parts[0].startswith(".")
    )
    first, second = every[one % len(every)], every[other % len(every)]
    if verb == "topic":
        return library.create_topic(first, title)
    if verb == "leaf":
        return library.create_leaf(first, title, list(LeafKind)[other % 3])
    if verb == "rename":
        return library.rename(first, title)
    if verb == "move":
        return library.move(first, second)
    if verb == "duplicate":
        return library.duplicate(first)
    if verb == "merge":
        return library.merge(first, second)
    if verb == "delete":
        return library.delete(first)
    thrown = library.binned()
    return library.restore(thrown[one % len(thrown)]) if verb == "restore" and thrown else None


# Works in a copy of the library and kills itself at the AT-th time that it touches the disk.
WORKER = """
import os, shutil, signal, sys
from pathlib import Path
from lab_desktop.artifacts import LeafKind
from lab_desktop.files import write_text
from lab_desktop.taxonomy.library import Library, NewLeaf

TOUCHES = {
    "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.truncate", "shutil.copyfile", "shutil.rmtree",
}
plan, left = sys.argv[1], None

def hook(event, arguments):
    global left
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if left is not None and (event in TOUCHES or writes):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)

def work(root, at):
    global left
    library = Library(root)
    left = at
    science, arts = Path("knowledge/science"), Path("knowledge/arts")
    if plan == "merge":
        library.merge(science / "cape", science / "bay")
    elif plan == "topics":
        library.merge(science, arts)
    elif plan == "create":
        library.create_leaf(None, "Tides", LeafKind.GROUNDED_SKILL)
    elif plan == "import":
        library.add([NewLeaf(arts / name, lambda folder, _: write_text(folder / "qna.yaml", "a: b")) for name in "xy"])
    elif plan == "undo":
        library.undo()
    elif plan == "redo":
        library.redo()
    else:
        library.delete(science / "bay")
        library.restore(library.binned()[0])
    left = None

at = 0
while True:
    root = Path(sys.argv[3]) / str(at)
    shutil.copytree(sys.argv[2], root)
    child = os.fork()
    if child == 0:
        try:
            work(root, at)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        break
    at += 1
print(at)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("plan", ["merge", "topics", "create", "import", "undo", "redo", "bin"])
def test_a_kill_at_any_touch_of_the_disk_leaves_the_step_done_or_not_begun(
    root: Path, tmp_path: Path, plan: str
) -> None:
    states = [snapshot(root)]
    if plan in ("undo", "redo"):
        library = Library(root)
        library.merge(SCIENCE / "cape", BAY)
        states.append(snapshot(root))
        if plan == "redo":
            library.undo()
    (tmp_path / "killed").mkdir()

    done = subprocess.run(
        [sys.executable, "-c", WORKER, plan, str(root), str(tmp_path / "killed")],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip

    kills = int(done.stdout)
    assert kills >= 5, done.stderr
    whole = snapshot(tmp_path / "killed" / str(kills))
    for at in range(kills):
        killed = tmp_path / "killed" / str(at)
        library = Library(killed)
        now = snapshot(killed)
        assert now in ([*states, whole] if plan != "bin" else [states[0], _without(states[0], BAY), whole]), at
        undo_all(library)
        assert snapshot(killed) == states[0], at
        shutil.rmtree(killed)


def _without(state: Snapshot, path: Path) -> Snapshot:
    return {name: value for name, value in state.items() if not Path(name).is_relative_to(path)}
