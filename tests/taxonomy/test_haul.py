"""A folder or .zip of lessons is looked through without harm, and what a person chose comes in one step."""

from __future__ import annotations

import os
import shutil
import stat
import warnings
import zipfile
from pathlib import Path

import pytest

from lab_desktop.errors import Cancelled, LeafError
from lab_desktop.taxonomy.importing import Find, Haul, archive, haul, newcomer, settled
from lab_desktop.taxonomy.library import Library
from lab_desktop.taxonomy.qna import read_leaf
from tests.taxonomy.leaves import knowledge, skill, write
from tests.taxonomy.test_library import plant, snapshot, undo_all


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(plant(tmp_path / "library"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Lessons of every kind in a taxonomy of its own, with what else lies in such folders."""
    root = tmp_path / "downloads" / "taxonomy"
    write(root / "knowledge/science/bay", knowledge())  # there already, the same
    write(root / "knowledge/science/cape", knowledge())  # another one is called so
    write(root / "knowledge/new_topic/reef", knowledge())
    (root / "knowledge/new_topic/reef/tax.pdf").write_bytes(b"private")
    (root / "knowledge/new_topic/reef/attribution.txt").write_text("Title of work: Reef\n")
    write(root / "compositional_skills/writing/old", "# mine\n" + skill(version=2), document=False)
    write(root / "knowledge/broken/letter", "Dear Jane", document=False)
    write(root / "foundational_skills/sums", skill(), document=False)
    write(root / ".git/knowledge/hidden", skill())
    write(root / "knowledge/new_topic/reef/.originals", skill())
    return root


def looked(source: Path) -> Haul:
    found = Haul(source)
    found.look(lambda what, share: None, lambda: False)
    return found


def verdicts(finds: list[Find]) -> dict[str, str]:
    return {find.name.removesuffix("/qna.yaml"): find.verdict for find in finds}


def take(library: Library, finds: list[Find]) -> list[str]:
    step = library.add([newcomer(find) for find in finds if find.verdict in ("fine", "mend")])
    return [place.as_posix() for place in step.made]


def test_every_lesson_has_a_verdict_and_a_place(tree: Path, library: Library) -> None:
    finds = settled(looked(tree).finds, library)

    assert verdicts(finds) == {
        "compositional_skills/writing/old": "mend",
        "foundational_skills/sums": "no",
        "knowledge/broken/letter": "no",
        "knowledge/new_topic/reef": "fine",
        "knowledge/science/bay": "same",
        "knowledge/science/cape": "fine",
    }
    told = {find.name.split("/")[-2]: find.problem.message for find in finds if find.problem}
    assert "basics" in told["sums"] and "nothing of a lesson" in told["letter"]
    cape = next(find for find in finds if "cape" in find.name)
    assert (cape.is_renamed, cape.place) == (True, Path("knowledge/science/cape_2"))


def test_what_is_taken_comes_whole_in_one_step(tree: Path, library: Library) -> None:
    before = snapshot(library.root)

    made = take(library, settled(looked(tree).finds, library))

    reef = library.root / "knowledge/new_topic/reef"
    assert made == ["compositional_skills/writing/old", "knowledge/new_topic/reef", "knowledge/science/cape_2"]
    assert sorted(path.name for path in reef.iterdir()) == ["attribution.txt", "island.md", "qna.yaml"]
    assert read_leaf(reef).node == ("knowledge", "new_topic", "reef")
    old = library.root / "compositional_skills/writing/old"
    assert (old / ".originals/qna.yaml.txt").read_text().startswith("# mine")
    assert read_leaf(old).version == 3
    library.undo()
    assert snapshot(library.root) == before


def test_an_archive_is_as_its_folder(tree: Path, library: Library, tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "packed"), "zip", tree.parent)
    packed = looked(tmp_path / "packed.zip")

    finds = settled(packed.finds, library)

    assert verdicts(finds) == {
        f"taxonomy/{name}": verdict for name, verdict in verdicts(settled(looked(tree).finds, library)).items()
    }
    assert "knowledge/new_topic/reef" in take(library, finds)
    assert (library.root / "knowledge/new_topic/reef/island.md").is_file()
    folder = packed.finds[0].folder
    packed.close()
    assert not folder.exists()


def test_lessons_outside_a_taxonomy_go_to_the_topic_in_hand_or_to_where_their_kind_belongs(
    library: Library, tmp_path: Path
) -> None:
    write(tmp_path / "box/Two Words", knowledge())
    write(tmp_path / "box/rhymes/sea", skill(), document=False)
    write(tmp_path / "box/given", skill(context=True), document=False)
    finds = looked(tmp_path / "box").finds

    def places(topic: str | None) -> list[str]:
        return [str(find.place) for find in settled(finds, library, Path(topic) if topic else None)]

    assert places("knowledge/arts") == [
        "knowledge/arts/two_words", "compositional_skills/grounded/miscellaneous_unknown/given",
        "compositional_skills/rhymes/sea",
    ]  # fmt: skip
    assert places(None)[0] == "knowledge/miscellaneous_unknown/two_words"


def test_a_lesson_that_is_cancelled_or_changes_meanwhile_leaves_nothing(tree: Path, library: Library) -> None:
    before = snapshot(library.root)
    finds = settled(looked(tree).finds, library)

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        library.add([newcomer(find, stop) for find in finds if find.verdict == "fine"])
    (tree / "knowledge/new_topic/reef/island.md").unlink()
    with pytest.raises(LeafError, match="cannot be read any more"):
        take(library, finds)

    assert snapshot(library.root) == before
    with pytest.raises(Cancelled):
        Haul(tree).look(lambda what, share: None, lambda: True)


def test_links_pipes_and_strange_names_do_no_harm(library: Library, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    write(secret, knowledge())
    box = tmp_path / "box"
    write(box / "out", knowledge(), document=False)
    (box / "out/secret.md").symlink_to(secret / "island.md")
    (box / "linked").mkdir()
    (box / "linked/qna.yaml").symlink_to(secret / "qna.yaml")
    (box / "around").symlink_to(box)
    (box / "pipe").mkdir()
    os.mkfifo(box / "pipe/qna.yaml")
    write(box / "CON", knowledge())
    write(box / "knowledge" / " X! " / "Über Größe!", knowledge())
    write(Path(os.fsdecode(os.fsencode(box) + b"/bad\xff")), skill(), document=False)
    deep = box
    for _ in range(70):
        deep = deep / "d"
    write(deep, skill(), document=False)

    finds = settled(looked(box).finds, library)

    assert {find.name.split("/")[-2]: find.verdict for find in finds} == {
        "CON": "fine", "bad?": "fine", "linked": "no", "out": "fine", "pipe": "no", "Über Größe!": "fine",
    }  # fmt: skip
    out = next(find for find in finds if find.name.startswith("out"))
    assert "link to a file outside" in out.note and out.documents == ()
    made = take(library, finds)
    assert "knowledge/x/uber_grosse" in made
    assert not [path for path in library.root.rglob("*") if path.is_symlink()]
    assert "island.md" not in {path.name for path in (library.root / "knowledge/miscellaneous_unknown/out").iterdir()}
    undo_all(library)


def packed(file: Path, entries: list[tuple[zipfile.ZipInfo | str, bytes]]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        warnings.simplefilter("ignore")  # a name that stands in it twice
        for name, data in entries:
            made.writestr(name, data)
    return file


def test_an_archive_writes_nowhere_else(library: Library, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("knowledge/link/qna.yaml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    file = packed(
        tmp_path / "evil.zip",
        [
            ("../../escaped/qna.yaml", skill().encode()),
            ("/etc/qna.yaml", skill().encode()),
            ("C:\\windows\\qna.yaml", skill().encode()),
            (".git/hooks/qna.yaml", skill().encode()),
            (link, b"/etc/passwd"),
            ("knowledge/good/qna.yaml", knowledge().encode()),
            ("knowledge/good/qna.yaml", b"twice"),
            ("knowledge/good/island.md", b"# Island\n"),
            ("knowledge/good/run.sh", b"rm"),
            ("knowledge/good/qna.yaml/inside.md", b"a file is no folder"),
        ],
    )

    found = looked(file)

    assert verdicts(found.finds) == {"knowledge/good": "fine"}
    assert sorted(path.name for path in found.finds[0].folder.iterdir()) == ["island.md", "qna.yaml"]
    assert not (tmp_path / "escaped").exists()
    found.close()


@pytest.mark.parametrize("what", ["a bomb", "a lying bomb", "no zip", "cut off", "nothing of a lesson"])
def test_an_archive_that_means_harm_is_refused_with_a_sentence(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_UNPACKED_BYTES", 1_000_000)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temporary").mkdir()
    file = packed(tmp_path / "x.zip", [("a/qna.yaml", skill().encode()), ("a/big.md", b"x" * 3_000_000)])
    data = file.read_bytes()
    if what == "a lying bomb":  # says that it is small
        data = data.replace((3_000_000).to_bytes(4, "little"), (30).to_bytes(4, "little"))
    elif what == "no zip":
        data = b"Dear Jane"
    elif what == "cut off":
        data = data[:-30]
    elif what == "nothing of a lesson":
        data = packed(tmp_path / "y.zip", [("letter.txt", b"Dear Jane")]).read_bytes()
    file.write_bytes(data)
    found = Haul(file)

    with pytest.raises(LeafError) as refused:
        found.look(lambda what, share: None, lambda: False)

    assert refused.value.message.endswith(".") and refused.value.hint
    found.close()
    assert not list((tmp_path / "temporary").iterdir())


def test_too_much_is_refused_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        write(tmp_path / f"box/{number}", skill(), document=False)

    for name, most in (("MOST_LESSONS", 3), ("MOST_LESSON_BYTES", 1000), ("MOST_FOLDERS", 2)):
        with monkeypatch.context() as patch, pytest.raises(LeafError, match="more than"):
            patch.setattr(haul, name, most)
            looked(tmp_path / "box")
    monkeypatch.setattr(haul, "MOST_DOCUMENT_BYTES", 3)
    write(tmp_path / "box/large", knowledge())
    assert "is left out" in next(find for find in looked(tmp_path / "box").finds if "large" in find.name).note
