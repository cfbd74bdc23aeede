"""`lab-desktop models …`: everything about models can be done in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab_desktop import cli, paths
from lab_desktop.models import arrivals, catalogue, download, records
from tests.fakes import tiny_model
from tests.hub_server import Fault, Hub

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("m") / "t.gguf", width=32, heads=2, kv_heads=1, feed_forward=32, layers=1)


@pytest.fixture(scope="module")
def served(tiny: Path) -> Iterator[Hub]:
    offered = catalogue.entry("qwen3-0.6b")
    files = {f"{offered.repo}/{offered.file}": tiny.read_bytes(), "a/b/sub/c.gguf": tiny.read_bytes()}
    files["a/b/parts/c-00001-of-00003.gguf"] = tiny.read_bytes()
    with Hub(files=files).running() as hub:
        yield hub


@pytest.fixture
def models(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run `lab-desktop models WORDS`: (status, what was asked for, remarks)."""
    for name in ("XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "LLAMA_CACHE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def run(*words: str) -> tuple[int, str, str]:
        status = cli.main(["models", *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def online(served: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setenv("HF_ENDPOINT", served.address)
    monkeypatch.setattr(download, "WAITS_AT_FIRST_S", ())
    monkeypatch.setattr(download, "WAITS_S", ())
    monkeypatch.setattr(download, "SAFE_BYTES", 4096)
    return served


def test_without_a_word_it_tells_what_is_here_and_what_can_be_had(models: Command) -> None:
    status, told, _ = models()

    assert status == 0
    assert "Practice model" in told and "comes with the app" in told
    assert all(entry.id in told for entry in catalogue.catalogue()[1:])


def test_it_says_why_a_model_does_not_fit(models: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(total=4_000_000_000))

    told = models()[1].partition("qwen3-4b")[2].splitlines()

    assert "student: too big" in told[0]
    assert "of memory, and this computer has 4." in told[1]


def test_a_model_is_fetched_after_its_licence_was_agreed_to(models: Command, online: Hub) -> None:
    status, told, remarks = models("get", "qwen3-0.6b")
    assert (status, told) == (1, "") and "Licence: Apache 2.0" in remarks and "--yes" in remarks
    assert online.downloads == []

    status, told, _ = models("get", "qwen3-0.6b", "--yes", "--keep-free", "0")

    assert status == 0 and Path(told.strip()).is_file()
    assert "Qwen3 0.6B" in models("list")[1].partition("To be had")[0]
    assert "qwen3-0.6b" not in models("list")[1].partition("To be had")[2]


def test_a_cut_download_is_listed_with_how_to_go_on(models: Command, online: Hub) -> None:
    online.faults.append(Fault(cut_after=10_000))
    status, _, remarks = models("get", "qwen3-0.6b", "--yes", "--keep-free", "0")
    assert status == 1 and "have arrived and are kept" in remarks

    assert "To go on: lab-desktop models get qwen3-0.6b" in models()[2]
    assert models("get", "qwen3-0.6b", "--yes", "--keep-free", "0")[0] == 0
    assert online.downloads[-1] == "bytes=8192-"


def test_any_file_of_the_hub_can_be_fetched_by_its_name(models: Command, online: Hub) -> None:
    status, told, remarks = models("get", "a/b/sub/c.gguf", "--yes", "--keep-free", "0")

    assert status == 0 and Path(told.strip()) == arrivals.target("a/b", "sub/c.gguf")
    assert "Apache 2.0" in remarks and "taught" not in remarks


@pytest.mark.parametrize("told", ["mamba", ""])
def test_a_model_that_cannot_be_taught_is_refused_before_it_is_fetched(
    models: Command, online: Hub, tiny: Path, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(online, "architecture", told)
    strange = tiny.read_bytes().replace(b"llama", b"mamba") + b"0" * 100_000
    monkeypatch.setitem(online.files, "a/strange/c.gguf", strange)
    get = ("get", f"{online.address}/a/strange/blob/main/c.gguf?x=1", "--yes", "--keep-free", "0")

    status, _, remarks = models(*get)
    assert status == 1
    assert 'of the kind "mamba", which cannot be taught here' in remarks and "Granite 3" in remarks
    assert list(paths.models().rglob("*")) == []

    status, fetched, _ = models(*get, "--untaught")
    assert status == 0 and Path(fetched.strip()).is_file(), "it may still chat"


def test_the_files_of_a_place_are_listed_and_its_only_one_is_meant(models: Command, online: Hub, tiny: Path) -> None:
    data = tiny.read_bytes()
    online.files |= {"a/two/big.gguf": data + b"0", "a/two/small.gguf": data, "a/two/mmproj-small.gguf": data}
    before = len(online.downloads)

    status, told, remarks = models("get", "huggingface.co/a/two")
    assert status == 0 and "models get OWNER/REPO/FILE" in remarks
    assert [line.split()[0] for line in told.splitlines()] == ["a/two/small.gguf", "a/two/big.gguf"]
    assert len(online.downloads) == before

    assert "c.gguf" in models("get", "a/b")[2]


def test_a_file_that_cannot_be_taught_is_told_when_it_is_added(models: Command, tiny: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange.gguf"
    strange.write_bytes(tiny.read_bytes().replace(b"llama", b"mamba"))

    status, _, remarks = models("add", str(strange))

    assert status == 0 and "cannot be taught here" in remarks


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("get", "nothing"), "No model called"),
        (("get", "practice"), "comes with the app"),
        (("get", "a/b/c.bin"), "no model file on the hub"),
        (("get", "a/b/missing.gguf", "--yes"), "no file called"),
        (("get", "https://example.org/a/b/sub/c.gguf", "--yes"), "no model file on the hub"),
        (("get", "a/b/c-00001-of-00003.gguf", "--yes"), "no file called"),
        (("get", "a/b/parts/c-00001-of-00003.gguf", "--yes"), "one of 3 parts"),
        (("remove", "nothing", "--yes"), "no model called"),
        (("remove", "practice", "--yes"), "belongs to the app"),
        (("restore", "nothing"), 'no “nothing” in the bin|no "nothing" in the bin'),
        (("add", "/nowhere/x.gguf"), "no model file at"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(models: Command, online: Hub, words: tuple[str, ...], sentence: str) -> None:
    status, _, remarks = models(*words)

    assert status == 1
    assert any(each in remarks for each in sentence.split("|"))


def test_a_linked_model_is_removed_and_put_back(models: Command, tiny: Path) -> None:
    assert models("add", str(tiny))[0] == 0
    assert "stays where it is" in models()[1]

    assert models("remove", "tiny")[0] == 1, "nobody agreed"
    status, told, _ = models("remove", "tiny", "--yes")
    assert status == 0 and "its file stays in" in told and tiny.exists()
    assert "tiny" in models("restore")[1]

    assert models("restore", "tiny")[0] == 0
    assert [link.path for _, link in records.read_links()] == [tiny]


def test_emptying_the_bin_gives_the_space_back(models: Command, online: Hub) -> None:
    models("get", "qwen3-0.6b", "--yes", "--keep-free", "0")
    assert models("remove", "qwen3-0.6b", "--yes")[0] == 0
    assert models("empty-bin")[0] == 1

    assert models("empty-bin", "--yes")[0] == 0
    assert [path for path in paths.models().rglob("*") if path.is_file()] == []


def test_models_of_other_programs_are_found_and_added_under_their_names(
    models: Command, tiny: Path, tmp_path: Path
) -> None:
    file = tmp_path / "home" / ".lmstudio" / "models" / "a" / "b" / "island.gguf"
    file.parent.mkdir(parents=True)
    file.write_bytes(tiny.read_bytes())

    status, told, _ = models("find")
    assert status == 0 and told.startswith("LM Studio") and str(file) in told
    models("add", str(file))

    assert "island" in models()[1]


def test_all_models_move_and_are_found_where_they_went(models: Command, online: Hub, tmp_path: Path) -> None:
    models("get", "qwen3-0.6b", "--yes", "--keep-free", "0")

    status, told, _ = models("move", str(tmp_path / "disk"))

    assert status == 0 and str(tmp_path / "disk") in told
    assert "Qwen3 0.6B" in models()[1].partition("To be had")[0]
    assert models("move")[0] == 0 and not paths.models().is_symlink()


def test_the_tree_is_empty_before_anything_was_trained(models: Command) -> None:
    assert models("tree")[0] == 0


def test_a_model_of_the_list_can_be_named_where_a_model_is_asked_for(
    models: Command, online: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert cli.main(["chat", "qwen3-4b"]) == 1
    assert "models get qwen3-4b" in capsys.readouterr().err
    models("get", "qwen3-0.6b", "--yes", "--keep-free", "0")

    assert cli.main(["chat", "qwen3-0.6b"]) == 0
