"""store.py, elsewhere.py, lineage.py: what is on this computer, what needs it, and that nothing of it is ever lost."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from lab_desktop import paths, projects
from lab_desktop.errors import ModelError
from lab_desktop.files import write_json
from lab_desktop.jobs import errands, requests
from lab_desktop.jobs.errands import DownloadRequest, MoveRequest
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.models import elsewhere, lineage, records, store
from lab_desktop.models.records import Record
from lab_desktop.models.store import StoredModel
from tests.drills.changes import killed_at
from tests.fakes import tiny_model

DAY_S = 86_400


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tiny_model(tmp_path_factory.mktemp("m") / "t.gguf", width=32, heads=2, kv_heads=1, feed_forward=32, layers=1)
    return path.read_bytes()


def placed(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def downloaded(data: bytes, name: str = "tiny-Q8_0.gguf") -> Path:
    path = placed(paths.models() / "makers" / "tiny-GGUF" / name, data)
    records.write_record(path, Record("makers/tiny-GGUF", name, "0" * 40, "a" * 64, len(data), "mit", "Tiny", "2026"))
    return path


def trained(student: Path, data: bytes, name: str = "1", start_from: Path | None = None) -> Path:
    """A run of the command line that came to its end, as training, export and evaluation leave it; gives its model."""
    run = paths.runs() / name
    requests.write(run, LearnRequest((run / "lesson",), student, student, 0, 0, start_from))
    (run / "leaves" / "knowledge" / "rock_pools").mkdir(parents=True)
    (run / "leaves" / "knowledge" / "rock_pools" / "qna.yaml").write_text("version: 3\n")
    write_json(run / "adapter" / "adapter.json", {"base": {"path": str(student), "size_bytes": len(data)}})
    none = {"right": 0, "total": 0}
    leaf = {
        "exam": {"before": {"right": 1, "total": 8}, "now": {"right": 6, "total": 8}},
        "held_out": {"before": none, "now": none},
    }
    write_json(run / "report.json", {"verdict": {"name": "clear gain"}, "leaves": [leaf]})
    return placed(run / "models" / "rock-pools-Q8_0.gguf", data)


def named(path: Path) -> StoredModel:
    return next(model for model in store.on_this_computer() if model.path == path)


# --- what is here ---


def test_models_of_every_origin_are_found_with_what_they_take(tiny: bytes, tmp_path: Path) -> None:
    got = downloaded(tiny)
    put = placed(paths.models() / "mine.gguf", tiny)
    made = trained(got, tiny)
    far = placed(tmp_path / "far.gguf", tiny)
    store.link(far, "Far away")
    placed(paths.models() / "makers" / ".half.gguf.0123.part", b"half")

    found = {model.path: model for model in store.on_this_computer()}

    origins = {path: model.origin for path, model in found.items()}
    assert origins == {
        paths.practice_model(): "practice", got: "downloaded", put: "placed", far: "linked", made: "trained",
    }  # fmt: skip
    assert [found[path].name for path in (got, put, far, made)] == ["Tiny", "tiny", "Far away", "rock-pools-Q8_0"]
    assert all(model.problem == "" and model.facts for model in found.values())
    assert store.total_bytes(found.values()) == 3 * len(tiny), "a link takes nothing"


def test_an_incomplete_or_hostile_file_is_told_and_hides_no_other(tiny: bytes) -> None:
    short = placed(paths.models() / "short.gguf", tiny[:-1000])
    placed(paths.models() / "bad.gguf", b"GGUF" + b"\xff" * 100)
    good = downloaded(tiny)

    assert "is incomplete" in named(short).problem
    assert (
        "damaged" in named(paths.models() / "bad.gguf").problem
        or "unknown version" in named(paths.models() / "bad.gguf").problem
    )
    assert named(good).problem == ""


def test_a_link_copies_nothing_and_says_when_its_file_has_gone(tiny: bytes, tmp_path: Path) -> None:
    far = placed(tmp_path / "disk" / "far.gguf", tiny)

    made = store.link(far, program="LM Studio")

    assert sum(path.stat().st_size for path in paths.models().rglob("*") if path.is_file()) < 1000
    assert (made.name, made.origin) == ("tiny", "linked")
    far.rename(tmp_path / "away.gguf")
    assert "no longer in" in named(far).problem and named(far).size_bytes == 0


@pytest.mark.parametrize("data", [b"", b"no model", b"GGUF\x03\x00\x00\x00"])
def test_what_is_no_model_is_not_linked(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ModelError):
        store.link(placed(tmp_path / "x.gguf", data))
    with pytest.raises(ModelError):
        store.link(tmp_path / "none.gguf")

    assert records.read_links() == []


def test_a_file_is_taken_in_once_however_it_is_named(tiny: bytes, tmp_path: Path) -> None:
    far = placed(tmp_path / "far.gguf", tiny)
    store.link(far)
    (tmp_path / "other.gguf").symlink_to(far)

    for again in (far, tmp_path / "other.gguf", paths.practice_model()):
        with pytest.raises(ModelError, match="already"):
            store.link(again)


def test_damaged_records_and_links_are_passed_over(tiny: bytes) -> None:
    path = downloaded(tiny)
    records.record_file(path).write_text('{"repo": 3}')
    placed(records.links_folder() / "x.json", b"[]")
    placed(records.links_folder() / "y.json", b'{"path": 3, "name": "y"}')

    assert named(path).origin == "placed"
    assert records.read_links() == []


# --- what needs it ---


def test_removing_says_who_needs_a_model(tiny: bytes) -> None:
    base, other = downloaded(tiny), placed(paths.models() / "other.gguf", tiny)
    lesson = projects.create(paths.projects(), "Manual", [])
    projects.save(replace(lesson, model=str(base), teacher=str(other)))
    trained(base, tiny)

    needs = {(use.kind, use.title, use.roles) for use in store.uses(base)}

    assert needs == {("project", "Manual", ("student",)), ("training", "1", ("student", "teacher"))}
    assert [(use.kind, use.roles) for use in store.uses(other)] == [("project", ("teacher",))]
    assert store.uses(placed(paths.models() / "free.gguf", tiny)) == []


def test_a_project_of_the_practice_model_needs_the_practice_model() -> None:
    projects.create(paths.projects(), "First steps", [])

    assert [use.title for use in store.uses(paths.practice_model())] == ["First steps"]


# --- the bin ---


def test_a_removed_model_comes_back_with_its_record(tiny: bytes) -> None:
    path = downloaded(tiny)

    store.remove(named(path))
    assert [model.origin for model in store.on_this_computer()] == ["practice"]
    (thrown,) = store.binned()
    assert (thrown.title, thrown.size_bytes, thrown.home) == ("Tiny", len(tiny), path)

    assert store.restore(thrown) == path
    assert named(path).origin == "downloaded" and store.binned() == []


def test_what_comes_back_to_a_taken_place_goes_beside_it(tiny: bytes) -> None:
    path = downloaded(tiny)
    store.remove(named(path))
    downloaded(tiny)

    back = store.restore(store.binned()[0])

    assert back != path and named(back).origin == "downloaded" and named(path).origin == "downloaded"


def test_a_link_is_removed_and_its_file_is_not(tiny: bytes, tmp_path: Path) -> None:
    far = placed(tmp_path / "far.gguf", tiny)

    store.remove(store.link(far))

    assert far.read_bytes() == tiny and records.read_links() == []
    store.restore(store.binned()[0])
    assert named(far).origin == "linked"


def test_a_trained_model_goes_to_the_bin_and_back(tiny: bytes) -> None:
    path = trained(downloaded(tiny), tiny)

    store.remove(named(path))
    assert not path.exists()
    store.restore(store.binned()[0])

    assert named(path).version is not None


def test_the_bin_is_emptied_after_thirty_days_and_not_before(tiny: bytes) -> None:
    now = 2_000_000_000.0
    path = downloaded(tiny)
    store.remove(named(path), now)

    assert store.empty_bin(now=now + 30 * DAY_S) == 0 and len(store.binned()) == 1
    assert store.empty_bin(now=now + 30 * DAY_S + 1) == len(tiny) and store.binned() == []


def test_the_practice_model_stays() -> None:
    with pytest.raises(ModelError, match="belongs to the app"):
        store.remove(named(paths.practice_model()))


def test_a_removal_that_was_killed_leaves_the_model_where_it_was(tiny: bytes) -> None:
    path = downloaded(tiny)
    entry = paths.models() / ".bin" / "1700000000000-tiny-Q8_0.gguf"
    write_json(entry / "entry.json", {"name": "Tiny", "home": str(path)})

    assert store.binned() == [] and named(path).problem == ""


@pytest.mark.slow
def test_killed_before_any_of_its_steps_throwing_away_and_bringing_back_lose_nothing(tiny: bytes) -> None:
    path = downloaded(tiny)

    def everywhere() -> int:
        return sum(model.origin == "downloaded" for model in store.on_this_computer()) + len(store.binned())

    for step in range(1, 100):
        was_killed = killed_at(step, lambda: store.remove(named(path)))
        assert everywhere() == 1, step
        if path.exists():
            store.remove(named(path))
        was_killed |= killed_at(step, lambda: store.restore(store.binned()[0]))
        assert everywhere() == 1, step
        if not path.exists():
            store.restore(store.binned()[0])
        assert path.read_bytes() == tiny and named(path).record is not None, step
        if not was_killed:
            break
    assert 3 < step < 99


# --- the family tree ---


def test_the_family_tree_tells_date_lessons_and_report(tiny: bytes) -> None:
    base = downloaded(tiny)
    first = trained(base, tiny, "1")
    os.utime(paths.runs() / "1" / "adapter" / "adapter.json", (1, 1_700_000_000))
    second = trained(base, tiny, "2", start_from=paths.runs() / "1")
    requests.write(paths.runs() / "3", LearnRequest((paths.runs(),), base, base, 0, 0))  # begun, not trained

    (family,) = lineage.families(lineage.versions(lineage.undertakings()))

    assert family.original == base
    assert [version.files for version in family.versions] == [(first,), (second,)]
    older, newer = family.versions
    assert older.trained == "2023-11-14T22:13:20Z" and older.lessons == ("Rock pools",)
    assert (older.verdict, older.right_before, older.right_now, older.asked) == ("clear gain", 1, 6, 8)
    assert (older.parent, newer.parent) == (None, older.undertaking.run)


@pytest.mark.parametrize(
    "report", ["", "{}", '{"verdict": {"name": 3}, "leaves": [{}]}', '{"verdict": 1, "leaves": 2}']
)
def test_a_damaged_report_leaves_the_version_in_the_tree(tiny: bytes, report: str) -> None:
    trained(downloaded(tiny), tiny)
    (paths.runs() / "1" / "report.json").write_text(report)

    (version,) = lineage.versions(lineage.undertakings())

    assert (version.verdict, version.asked) == ("", 0)


# --- what other programs keep ---


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home with models of other programs in it."""
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "LLAMA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    return tmp_path


def ollama(root: Path, place: str, data: bytes, digest: str = "b" * 64) -> Path:
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": len(data)}
    other = {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:" + "c" * 64, "size": 3}
    placed(root / "manifests" / place, json.dumps({"layers": [other, layer]}).encode())
    return placed(root / "blobs" / f"sha256-{digest}", data)


def test_models_of_other_programs_are_found_by_their_names(home: Path, tiny: bytes) -> None:
    studio = placed(home / ".lmstudio" / "models" / "makers" / "tiny" / "tiny-Q4.gguf", tiny)
    placed(home / ".lmstudio" / "models" / "makers" / "tiny" / "mmproj-tiny.gguf", tiny)
    placed(home / ".lmstudio" / "models" / "makers" / "big" / "big-00002-of-00003.gguf", tiny)
    blob = ollama(home / ".ollama" / "models", "registry.ollama.ai/library/qwen3/4b", tiny)
    snapshot = home / ".cache" / "huggingface" / "hub" / "models--a--b" / "snapshots" / "1" / "b.gguf"
    stored = placed(home / ".cache" / "huggingface" / "hub" / "models--a--b" / "blobs" / "x", tiny)
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(stored)
    lab = placed(home / ".cache" / "instructlab" / "models" / "granite.gguf", tiny)

    found = [(each.program, each.name, each.path, each.size_bytes) for each in elsewhere.find()]

    assert found == [
        ("Hugging Face", "b", snapshot, len(tiny)),
        ("InstructLab", "granite", lab, len(tiny)),
        ("LM Studio", "tiny-Q4", studio, len(tiny)),
        ("Ollama", "qwen3:4b", blob, len(tiny)),
    ]
    assert store.link(blob, "qwen3:4b", "Ollama").facts is not None


def test_an_ollama_model_of_a_person_bears_the_persons_name(home: Path, tiny: bytes) -> None:
    ollama(home / ".ollama" / "models", "registry.ollama.ai/mira/island/latest", tiny)

    assert [each.name for each in elsewhere.find()] == ["mira/island:latest"]


@pytest.mark.parametrize(
    "manifest",
    [
        b"", b"\xff\xfe", b"[]", b'{"layers": 3}', b'{"layers": [{"mediaType": "application/vnd.ollama.image.model"}]}',
        b'{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../../../etc/passwd"}]}',
        b'{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": 7}]}', b"x" * (2 << 20),
        b'{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:' + b"b" * 64 + b'/.."}]}',
    ],
)  # fmt: skip
def test_a_hostile_manifest_is_passed_over(home: Path, tiny: bytes, manifest: bytes) -> None:
    root = home / ".ollama" / "models"
    ollama(root, "registry.ollama.ai/library/good/1b", tiny)
    placed(root / "manifests" / "registry.ollama.ai" / "library" / "bad" / "1b", manifest)

    assert [each.name for each in elsewhere.find()] == ["good:1b"]


def test_lm_studios_own_settings_say_where_its_models_are(home: Path, tiny: bytes) -> None:
    placed(home / ".lmstudio" / "settings.json", json.dumps({"downloadsFolder": str(home / "moved")}).encode())
    path = placed(home / "moved" / "a" / "b" / "c.gguf", tiny)

    assert [each.path for each in elsewhere.find()] == [path]


def test_links_in_a_circle_and_closed_folders_end(home: Path, tiny: bytes) -> None:
    path = placed(home / ".lmstudio" / "models" / "a" / "b.gguf", tiny)
    (path.parent / "round").symlink_to(path.parent.parent)
    (path.parent / "gone.gguf").symlink_to(home / "nothing")
    placed(path.parent / Path(*"123456789") / "deep.gguf", tiny)

    assert [each.path for each in elsewhere.find()] == [path]


# --- errands ---


def test_an_errand_is_read_as_it_was_written_and_waits_until_it_is_closed(tmp_path: Path) -> None:
    download = DownloadRequest("a/b", "c.gguf", "main", "C", "mit", 5)
    move = MoveRequest(tmp_path / "there")

    folders = [errands.write(download), errands.write(move)]

    assert [errands.read(folder) for folder in folders] == [download, move]
    assert errands.waiting() == [(folders[0], download), (folders[1], move)]
    errands.close(folders[0])
    assert errands.waiting() == [(folders[1], move)]


def test_two_files_never_share_an_errands_folder() -> None:
    names = [
        ("a/b", "c.gguf"),
        ("a/b-c", "gguf"),
        ("a", "b--c.gguf"),
        ("A/b", "c.gguf"),
        ("a/b", "x" * 200),
        ("a/b", "x" * 201),
    ]

    assert len({DownloadRequest(*name).folder for name in names}) == len(names)
    assert all(len(DownloadRequest(*name).folder.name) < 100 for name in names)
