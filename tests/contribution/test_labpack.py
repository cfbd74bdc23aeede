"""A lesson by mail: written whole, read with limits, taken into a library; whatever is hostile is a sentence."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lab_desktop import cli, repository
from lab_desktop.contribution import contributions, labpack
from lab_desktop.contribution.contributions import State
from lab_desktop.contribution.destinations import Destination
from lab_desktop.contribution.letter import letter
from lab_desktop.contribution.parcel import prepare
from lab_desktop.contribution.sending import send
from lab_desktop.errors import Cancelled, ContributionError, LeafError, StorageError
from lab_desktop.jobs.run import Run
from lab_desktop.taxonomy.check import check_leaf, has_errors
from lab_desktop.taxonomy.importing import Haul, newcomer, settled
from lab_desktop.taxonomy.library import Library
from tests.contribution.hub import FACTS, SKILL
from tests.contribution.parcels import ADA, agreed
from tests.drills.changes import killed_at

AT = 1_763_780_000.0


@pytest.fixture(scope="module")
def shelf(made_hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(made_hub / "library", tmp_path_factory.mktemp("shelf") / "library"))


@pytest.fixture(scope="module")
def pack(shelf: Path) -> Path:
    """The facts about Orra, as somebody sent them."""
    return write(shelf, shelf.parent / "orra.labpack")


def write(shelf: Path, file: Path, path: str = FACTS) -> Path:
    parcel = prepare(shelf, Path(path))
    labpack.write(file, parcel, letter(parcel, None), ADA, AT)
    return file


def changed(pack: Path, file: Path, **members: bytes | None) -> Path:
    """The pack with other members: by the first word of their names, or by a whole name; None: it is left out."""
    with zipfile.ZipFile(pack) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    for name, data in members.items():
        whole = next((each for each in found if each.lower().startswith(name)), name)
        found.pop(whole, None)
        if data is not None:
            found[whole] = data
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in found.items():
            archive.writestr(name, data)
    return file


def facts(pack: Path, **told: object) -> bytes:
    with zipfile.ZipFile(pack) as archive:
        return json.dumps({**json.loads(archive.read(labpack.FACTS)), **told}).encode()


def bundle_of(folder: Path, stream: str) -> bytes:
    """A bundle of what a stranger made, with git's fast-import."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "fast-import", "--quiet"], input=stream.encode(), check=True)
    subprocess.run(["git", "-C", str(folder), "bundle", "create", "-q", str(folder / "x.bundle"), "main"], check=True)
    return (folder / "x.bundle").read_bytes()


def commit(files: dict[str, str], mode: str = "100644") -> str:
    text = "commit refs/heads/main\ncommitter Bo <bo@example.org> 1763000000 +0000\ndata 1\nx\n"
    return text + "".join(f"M {mode} inline {path}\ndata {len(data)}\n{data}\n" for path, data in files.items())


def test_it_has_the_lesson_its_documents_and_a_page(pack: Path, tmp_path: Path) -> None:
    found = labpack.read(pack)

    assert (found.title, found.path) == ("Orra", FACTS)
    assert found.author == f"{ADA.name} <{ADA.email}>"
    assert set(found.files) == {f"{FACTS}/{name}" for name in ("qna.yaml", "attribution.txt", "texts/old/orra.md")}
    with zipfile.ZipFile(pack) as archive:
        assert set(archive.namelist()) == {"lesson.bundle", "Read me.html", "labpack.json"}
        assert b"What is a0?" in archive.read("Read me.html")
        (tmp_path / "lesson.bundle").write_bytes(archive.read("lesson.bundle"))
    subprocess.run(["git", "clone", "-q", "-b", "lesson", "lesson.bundle", "clone"], cwd=tmp_path, check=True)
    log = subprocess.run(["git", "log", "--format=%an|%B"], cwd=tmp_path / "clone", capture_output=True, text=True)
    assert log.stdout.startswith(f"{ADA.name}|") and f"Signed-off-by: {ADA.name} <{ADA.email}>" in log.stdout
    assert not has_errors(check_leaf(tmp_path / "clone" / FACTS))


def test_it_is_taken_into_another_library_at_its_place(pack: Path, tmp_path: Path) -> None:
    starter = tmp_path / "starter"
    (starter / "knowledge").mkdir(parents=True)
    (starter / "knowledge" / ".gitkeep").touch()
    repository.start(tmp_path / "theirs", starter)

    assert cli.main(["share", "import", str(pack), "--into", str(tmp_path / "theirs"), "--yes"]) == 0

    there = tmp_path / "theirs" / FACTS
    assert (there / "texts" / "old" / "orra.md").read_text().startswith("# Orra")
    assert not has_errors(check_leaf(there))
    assert prepare(tmp_path / "theirs", Path(FACTS)).documents
    assert cli.main(["import", str(pack), "--into", str(tmp_path / "theirs"), "--yes"]) == 1  # it is there already


def test_a_person_finds_it_among_what_can_be_imported(pack: Path, shelf: Path, tmp_path: Path) -> None:
    haul = Haul(pack, unpack=labpack.unpackers())
    haul.look(lambda what, share: None, lambda: False)
    (find,) = settled(haul.finds, Library(shelf))

    assert (find.verdict, find.wanted, find.is_renamed) == ("fine", Path(FACTS), True)
    assert newcomer(find).wanted == Path(FACTS)
    haul.close()
    assert not find.folder.exists()


def test_it_is_sent_by_writing_the_file(shelf: Path, tmp_path: Path) -> None:
    file = tmp_path / "new" / "Shout.labpack"
    parcel = prepare(shelf, Path(SKILL))
    made = agreed(contributions.start(shelf, parcel, letter(parcel, None)), Destination("file", str(file)))

    def do() -> dict[str, object]:
        with Run(made.folder).open() as run:
            return send(made, run)

    assert do()["page"] == str(file)
    assert labpack.read(file).title == "Shout"
    assert contributions.state(contributions.read(made.folder)) is State.SENT
    assert repository.sent(shelf)[-1].to == "the file Shout.labpack"
    before = file.read_bytes()
    do()
    assert file.read_bytes() == before
    file.unlink()
    do()
    assert file.exists()  # the person wants it again


def test_the_same_lesson_is_the_same_commit(shelf: Path, tmp_path: Path) -> None:
    heads = set()
    for name in ("one.labpack", "two.labpack"):
        with zipfile.ZipFile(write(shelf, tmp_path / name)) as archive:
            heads.add(archive.read("lesson.bundle").split(b"\n")[1])

    assert len(heads) == 1


@pytest.mark.parametrize("at", [0.0, 5e9, 2e11])
def test_a_clock_that_is_wrong_keeps_nothing_from_being_written(shelf: Path, tmp_path: Path, at: float) -> None:
    parcel = prepare(shelf, Path(SKILL))
    labpack.write(tmp_path / "it.labpack", parcel, letter(parcel, None), ADA, at)

    assert labpack.read(tmp_path / "it.labpack").title == "Shout"


def test_without_room_to_unpack_it_is_a_sentence(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*words: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", no_room)

    with pytest.raises(StorageError, match="disk is full"):
        labpack.read(pack)


def test_what_would_not_be_read_again_is_not_written(shelf: Path, tmp_path: Path) -> None:
    parcel = prepare(shelf, Path(FACTS))
    large = replace(parcel, documents=dict.fromkeys(parcel.documents, b"x" * 20_000_000))

    with pytest.raises(ContributionError, match="much for a file to send by mail"):
        labpack.write(tmp_path / "it.labpack", large, letter(parcel, None), ADA, AT)

    assert list(tmp_path.iterdir()) == []


def test_killed_while_it_is_written_there_is_no_half_file(shelf: Path, tmp_path: Path) -> None:
    file, step = tmp_path / "it.labpack", 1
    while killed_at(step, lambda: write(shelf, file, SKILL)):
        assert not file.exists() or labpack.read(file).title == "Shout"
        step += 16  # it has many

    assert labpack.read(file).title == "Shout" and step > 16


DAMAGED = "is damaged, or no lesson"
HOSTILE: dict[str, tuple[str, Callable[[Path, Path], Path]]] = {
    "nothing": ("cannot be opened", lambda pack, file: file),
    "no archive": (DAMAGED, lambda pack, file: wrote(file, b"hello")),
    "cut": (DAMAGED, lambda pack, file: wrote(file, pack.read_bytes()[:-200])),
    "a byte flipped": (DAMAGED, lambda pack, file: wrote(file, flipped(pack.read_bytes()))),
    "one more": ("other files are in it", lambda pack, file: changed(pack, file, more=b"x")),
    "one less": ("other files are in it", lambda pack, file: changed(pack, file, read=None)),
    "a way out": (
        "other files are in it",
        lambda pack, file: changed(pack, file, **{"../../.bashrc": b"x", "read": None}),
    ),
    "no facts": (DAMAGED, lambda pack, file: changed(pack, file, labpack=b"[]")),
    "no json": (DAMAGED, lambda pack, file: changed(pack, file, labpack=b"{" * 50_000)),
    "facts too large": ("unfolds to more than", lambda pack, file: changed(pack, file, labpack=b" " * 200_000)),
    "another bundle": (DAMAGED, lambda pack, file: changed(pack, file, lesson=b"# v2 git bundle\n")),
    "later": ("a newer LAB Desktop", lambda pack, file: changed(pack, file, labpack=facts(pack, format=2))),
    "a number": (DAMAGED, lambda pack, file: changed(pack, file, labpack=facts(pack, path=3))),
    "outside": (DAMAGED, lambda pack, file: changed(pack, file, labpack=facts(pack, path="knowledge/../../x"))),
    "basics": ("the basics", lambda pack, file: changed(pack, file, labpack=facts(pack, path="foundational_skills/x"))),
    "elsewhere": ("no lesson in", lambda pack, file: changed(pack, file, labpack=facts(pack, path="knowledge/other"))),
    "the root": (DAMAGED, lambda pack, file: changed(pack, file, labpack=facts(pack, path="knowledge"))),
    "a bomb": (DAMAGED, lambda pack, file: bomb(file)),
    "a link": (DAMAGED, lambda pack, file: linked(pack, file)),
    "a password": (DAMAGED, lambda pack, file: locked(pack, file)),
    "the bundle of another": (DAMAGED, lambda pack, file: changed(pack, file, lesson=other_bundle(file))),
}


def other_bundle(file: Path) -> bytes:
    return bundle_of(file.with_name("other"), commit({f"{FACTS}/qna.yaml": "version: 3\n"}))


def wrote(file: Path, data: bytes) -> Path:
    file.write_bytes(data)
    return file


def flipped(data: bytes) -> bytes:
    middle = data.index(b"lesson.bundle") + 200
    return data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]


def bomb(file: Path) -> Path:
    """Facts that unfold to a thousand times their size, and do not say so."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("lesson.bundle", "Read me.html", "labpack.json"):
            archive.writestr(name, b" " * 2_000_000)
    data = file.read_bytes()
    size = (2_000_000).to_bytes(4, "little")
    return wrote(file, data.replace(size, (10).to_bytes(4, "little")))


def linked(pack: Path, file: Path) -> Path:
    changed(pack, file, labpack=None)
    entry = zipfile.ZipInfo("labpack.json")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    return file


def locked(pack: Path, file: Path) -> Path:
    data = bytearray(changed(pack, file).read_bytes())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.start_dir
    data[start + 8] |= 1  # the flag of a password, in the first entry of the list
    return wrote(file, bytes(data))


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_hostile_is_refused_with_a_sentence(pack: Path, tmp_path: Path, what: str) -> None:
    says, make = HOSTILE[what]
    file = make(pack, tmp_path / "it.labpack")

    with pytest.raises(LeafError, match=says) as refused:
        labpack.unpacked(file, tmp_path / "out", lambda: False)

    assert '"it.labpack"' in refused.value.message and refused.value.hint
    assert not (tmp_path / "out").exists()
    assert {path.name for path in tmp_path.iterdir()} <= {"it.labpack", "other"}


@pytest.mark.parametrize(
    "files",
    [
        {f"{FACTS}/qna.yaml": ("120000", "../../../../etc/passwd")},
        {f"{FACTS}/deep/qna.yaml": ("100644", "x")},
        {f"{FACTS}": ("100644", "x")},
        {"other/qna.yaml": ("100644", "x")},
        {f"{FACTS}/qna.yaml": ("160000", "9" * 40)},
    ],
)
def test_a_bundle_without_a_lesson_is_refused(pack: Path, tmp_path: Path, files: dict[str, tuple[str, str]]) -> None:
    stream = "commit refs/heads/main\ncommitter Bo <bo@example.org> 1763000000 +0000\ndata 1\nx\n"
    for path, (mode, data) in files.items():
        stream += (
            f"M {mode} {data} {path}\n" if mode == "160000" else f"M {mode} inline {path}\ndata {len(data)}\n{data}\n"
        )
    bundle = bundle_of(tmp_path / "bare", stream)
    told = facts(pack, digest=hashlib.sha256(bundle).hexdigest())
    file = changed(pack, tmp_path / "it.labpack", lesson=bundle, labpack=told)

    with pytest.raises(LeafError, match="no lesson"):
        labpack.read(file)


def test_of_a_bundle_only_what_a_lesson_has_is_taken(pack: Path, tmp_path: Path) -> None:
    files = {
        f"{FACTS}/qna.yaml": "version: 3\n",
        f"{FACTS}/run.sh": "rm -rf /",
        f"{FACTS}/.hidden.md": "x",
        f"{FACTS}/texts/.git/config.md": "x",
        f"{FACTS}/con.md": "x",
        f"{FACTS}/texts/a.md": "# A",
        "knowledge/other/qna.yaml": "x",
        ".gitattributes": "* filter=evil",
    }
    bundle = bundle_of(tmp_path / "bare", commit({name: text for name, text in files.items() if ".git/" not in name}))
    told = facts(pack, digest=hashlib.sha256(bundle).hexdigest(), title="A\x1b[31m title\nand more", author="x" * 9000)
    file = changed(pack, tmp_path / "it.labpack", lesson=bundle, labpack=told)

    found = labpack.read(file)

    assert set(found.files) == {f"{FACTS}/qna.yaml", f"{FACTS}/texts/a.md"}
    assert found.title == "A [31m title and more" and len(found.author) == 500


def test_a_lesson_that_is_a_bomb_of_yaml_is_told_and_not_taken(pack: Path, tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at}: &a{at} [{', '.join(f'*a{at - 1}' for _ in range(10))}]" for at in range(1, 12)]
    bundle = bundle_of(tmp_path / "bare", commit({f"{FACTS}/qna.yaml": "\n".join(lines) + "\n"}))
    told = facts(pack, digest=hashlib.sha256(bundle).hexdigest())
    haul = Haul(changed(pack, tmp_path / "it.labpack", lesson=bundle, labpack=told), unpack=labpack.unpackers())

    haul.look(lambda what, share: None, lambda: False)

    (find,) = haul.finds
    assert find.verdict == "no" and find.problem is not None
    haul.close()


def test_reading_can_be_stopped(pack: Path) -> None:
    with pytest.raises(Cancelled):
        labpack.read(pack, lambda: True)
