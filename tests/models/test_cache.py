from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab_desktop.errors import ModelError
from lab_desktop.models.llama import LlamaModel


def test_a_model_that_cannot_fit_into_memory_is_refused_before_loading(path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("lab_desktop.hardware.memory_available_bytes", lambda: 100_000)

    with pytest.raises(ModelError, match=r"needs about .* GB of memory"):
        LlamaModel(path)
