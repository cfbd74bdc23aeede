"""What tests of contributions share: a library in git that knows a community's version."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contribution import lessons
from tests.contribution.hub import Hub, running, set_up

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(scope="session")
def made_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; not to be changed."""
    return lessons.library(tmp_path_factory.mktemp("libraries") / "library")


@pytest.fixture(scope="session")
def made_hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; not to be changed."""
    return set_up(tmp_path_factory.mktemp("hubs"))


@pytest.fixture
def hub(made_hub: Path, tmp_path: Path) -> Iterator[Hub]:
    """A GitHub of this computer with real git behind it, and a library whose lessons can go there."""
    with running(made_hub, tmp_path) as made:
        yield made


@pytest.fixture
def library(made_library: Path, tmp_path: Path) -> Path:
    """A library of one's own whose community's version has the facts about Orra."""
    return Path(shutil.copytree(made_library, tmp_path / "library"))
