from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab_desktop.artifacts import Adapter
from lab_desktop.errors import ExportError, StorageError
from lab_desktop.export.pipeline import export
from lab_desktop.jobs.run import Run
from lab_desktop.models.gguf import read_header
from lab_desktop.paths import practice_model
from tests.export.lora import greedy, random_adapter
from tests.fakes import tiny_model


@pytest.fixture
def adapter(tmp_path: Path) -> Adapter:
    return random_adapter(tmp_path / "adapter", tiny_model(tmp_path / "base.gguf"))


def test_export_writes_the_adapter_and_one_file_for_each_size(tmp_path, adapter):
    made = export(adapter, tmp_path / "models", "island", ["Q8_0", "F16"], Run(tmp_path))

    assert [(model.path.name, model.quantization) for model in made] == [
        ("island-Q8_0.gguf", "Q8_0"),
        ("island-F16.gguf", "F16"),
    ]
    assert all(model.size_bytes == model.path.stat().st_size for model in made)
    assert greedy(made[1].path) == greedy(adapter.base, adapter.gguf)
    assert read_header(made[0].path).metadata["general.name"] == "island"


def test_the_full_size_goes_again_when_only_a_smaller_one_was_asked_for(tmp_path, adapter):
    export(adapter, tmp_path / "models", "island", ["Q8_0"], Run(tmp_path))

    assert [path.name for path in (tmp_path / "models").iterdir()] == ["island-Q8_0.gguf"]


def test_finished_files_are_kept_until_the_adapter_changes(tmp_path, adapter):
    def stamps() -> dict[str, int]:
        files = [*(tmp_path / "models").iterdir(), adapter.gguf]
        return {path.name: path.stat().st_mtime_ns for path in files}

    export(adapter, tmp_path / "models", "island", ["F16", "Q8_0"], Run(tmp_path))
    first = stamps()

    export(adapter, tmp_path / "models", "island", ["F16", "Q8_0"], Run(tmp_path))
    assert stamps() == first

    (tmp_path / "models" / "island-Q8_0.gguf").unlink()
    export(adapter, tmp_path / "models", "island", ["F16", "Q8_0"], Run(tmp_path))
    assert {name for name, stamp in stamps().items() if stamp != first[name]} == {"island-Q8_0.gguf"}

    random_adapter(adapter.folder, adapter.base, seed=2)
    made = export(adapter, tmp_path / "models", "island", ["F16", "Q8_0"], Run(tmp_path))
    assert all(stamp != first[name] for name, stamp in stamps().items())
    assert greedy(made[0].path) == greedy(adapter.base, adapter.gguf)


def test_nothing_is_written_when_not_everything_fits(small_disk, tmp_path):
    base = tiny_model(tmp_path / "base.gguf", width=256, feed_forward=512)
    adapter = random_adapter(tmp_path / "adapter", base)

    with pytest.raises(StorageError, match="needed"):
        export(adapter, small_disk / "models", "island", ["Q8_0"], Run(tmp_path))

    assert list((small_disk / "models").iterdir()) == []
    assert not adapter.gguf.exists()


def test_an_unknown_size_and_a_name_with_a_slash_are_refused_before_any_work(tmp_path, adapter):
    with pytest.raises(ExportError, match='"Q17"'):
        export(adapter, tmp_path / "models", "island", ["F16", "Q17"], Run(tmp_path))
    with pytest.raises(ExportError, match="cannot be the name"):
        export(adapter, tmp_path / "models", "../island", ["F16"], Run(tmp_path))

    assert not adapter.gguf.exists()
    assert not (tmp_path / "models").exists()


_EXPORT = """
import sys
from pathlib import Path
from lab_desktop.artifacts import Adapter
from lab_desktop.export.pipeline import export
from lab_desktop.jobs.run import Run

folder, base = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
export(Adapter(folder / "adapter", 4, 2.0, base), folder / "models", "island", ["F16", "Q8_0", "Q4_K_M"], Run(folder))
"""


@pytest.mark.slow
def test_killed_at_any_instant_no_half_file_has_a_name_and_a_rerun_finishes(tmp_path):
    base = tiny_model(tmp_path / "base.gguf", layers=8, width=512, feed_forward=2048)
    random_adapter(tmp_path / "adapter", base)
    arguments = [sys.executable, "-c", _EXPORT, str(tmp_path), str(base)]

    def start() -> subprocess.Popen[str]:
        child = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        return child

    kills = 0
    for delay_s in (0.4, 0.1, 0.7, 0.2, 0.05):
        child = start()
        time.sleep(delay_s)
        child.send_signal(signal.SIGKILL)
        kills += child.wait(timeout=60) == -signal.SIGKILL
        assert child.stdout is not None
        child.stdout.close()
        for path in [*(tmp_path / "models").glob("island-*.gguf"), *(tmp_path / "adapter").glob("adapter.gguf")]:
            read_header(path)  # whole, or this raises
    assert kills >= 2

    with start() as child:
        assert child.wait(timeout=120) == 0
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == [
        "island-F16.gguf",
        "island-Q4_K_M.gguf",
        "island-Q8_0.gguf",
    ]
    assert greedy(tmp_path / "models" / "island-F16.gguf") == greedy(base, tmp_path / "adapter" / "adapter.gguf")


@pytest.mark.slow
def test_the_practice_model_gives_the_same_answers_in_every_shape(tmp_path):
    adapter = random_adapter(tmp_path / "adapter", practice_model(), size=0.02)

    made = export(adapter, tmp_path / "models", "island", ["F16", "Q8_0", "Q4_K_M"], Run(tmp_path))

    beside = greedy(adapter.base, adapter.gguf, count=12)
    assert beside != greedy(adapter.base, count=12)
    assert greedy(made[0].path, count=12) == beside
    assert greedy(made[1].path, count=12) == beside
    assert made[2].size_bytes < 0.45 * made[0].size_bytes
