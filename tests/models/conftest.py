"""A tiny random model, and the engine with it loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab_desktop.models.llama import LlamaModel
from tests.fakes import tiny_model


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """On a model this small two threads only wait for each other, and for seconds where other programs run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lab_desktop.hardware.threads", lambda: 1)
        yield


@pytest.fixture(scope="package")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="package")
def model(path: Path) -> Iterator[LlamaModel]:
    with LlamaModel(path, context_tokens=1024, parallel=4, threads=1) as loaded:
        yield loaded
