"""Everything that is shipped has its licence, and none that the program may not carry."""

from __future__ import annotations

import gzip
import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from lab_desktop import licences
from lab_desktop.errors import RunError
from lab_desktop.licences import Part

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """packaging/licences.py, which is no package."""
    spec = importlib.util.spec_from_file_location("build_licences", ROOT / "packaging" / "licences.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="session")
def collected(build: ModuleType) -> list[Part]:
    return list(build.collect(licences.locked()))


def test_every_package_of_the_lock_has_its_texts_and_may_be_shipped(collected: list[Part]) -> None:
    lines = (ROOT / "packaging" / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = {
        line.partition("==")[0].lower().replace("_", "-") for line in lines if "==" in line and "darwin" not in line
    }

    parts = {part.name.lower().replace("_", "-"): part for part in collected}

    assert locked - parts.keys() <= {"backports.tarfile", "importlib-metadata", "lazy-importer", "zipp"}
    assert all((part.version and len(part.texts[0]) > 100) or part.texts[1:] for part in collected)
    assert all(part.page.startswith("http") for part in collected if part.name not in NAMELESS), [
        part.name for part in collected if not part.page
    ]


NAMELESS = {"LAB Desktop", "Practice lesson and starter library", "Practice teacher", "lazy-importer"}
"""What has no page of its own."""


def test_what_asks_for_more_than_to_be_shown_says_how_that_is_met(collected: list[Part]) -> None:
    noted = {part.name for part in collected if part.note}

    assert {"PySide6_Essentials", "shiboken6", "PyGithub", "python-gitlab", "certifi", "tqdm"} <= noted
    qt = next(part for part in collected if part.name == "PySide6_Essentials")
    assert "LGPL" in qt.note and "GNU LESSER GENERAL PUBLIC LICENSE" in qt.texts[0]
    assert "GNU GENERAL PUBLIC LICENSE" in qt.texts[1], "the LGPL is written as an addition to it"


@pytest.mark.parametrize(
    ("expression", "may_be"),
    [
        ("MIT", True), ("GPL-3.0-or-later", False), ("AGPL-3.0-only", False), ("LGPL-3.0-or-later", True),
        ("LGPL-3.0-only OR GPL-2.0-only", True), ("MIT AND GPL-3.0-or-later", False),
        ("(MIT OR GPL-2.0-only) AND ISC", True), ("(MIT", False), ("GPL-2.0-only OR (MIT AND AGPL-3.0-only)", False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", True), ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("MPL-2.0 AND MIT", True), ("Proprietary", False), ("MIT AND (", False), ("", False),
        ("MIT GPL-3.0-only", False),
    ],
)  # fmt: skip
def test_what_may_be_shipped(build: ModuleType, expression: str, may_be: bool) -> None:
    assert build.may_be_shipped(expression) is may_be


def test_the_gpl_stops_the_build_with_the_packages_name(build: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(build.Refused, match="yamllint is under GPL"):
        build.collect(["PyYAML", "yamllint"])


def test_a_part_without_text_or_licence_is_named(build: ModuleType, tmp_path: Path) -> None:
    part = licences.package("PyYAML")

    assert build.reasons_against(part) == []
    assert build.reasons_against(replace(part, texts=(" \n",))) == ["PyYAML brings no text of its licence."]
    assert "PyYAML does not say" in build.reasons_against(replace(part, licence=""))[0]


def test_libraries_of_the_system_are_judged_too(build: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "libssl3.txt").write_text("Apache License, Version 2.0 …")
    (tmp_path / "libxcb-cursor0.txt").write_text("Permission is hereby granted …")
    found = build.collect(["PyYAML"], tmp_path)
    assert [(part.name, part.licence) for part in found[-2:]] == [("libssl3", "Apache-2.0"), ("libxcb-cursor0", "MIT")]

    (tmp_path / "libreadline8.txt").write_text("GNU General Public License, version 3 …")

    with pytest.raises(build.Refused, match="libreadline8 does not say"):
        build.collect(["PyYAML"], tmp_path)


def test_what_was_written_reads_back_with_each_text_once(collected: list[Part], tmp_path: Path) -> None:
    licences.write(tmp_path / "list.gz", collected)

    assert licences.read(tmp_path / "list.gz") == collected
    written = json.loads(gzip.decompress((tmp_path / "list.gz").read_bytes()))
    assert len(written["texts"]) == len(set(written["texts"])) < sum(len(part.texts) for part in collected)
    assert (tmp_path / "list.gz").stat().st_size < 400_000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no gzip", id="no gzip"),
        pytest.param(gzip.compress(b"not json"), id="no json"),
        pytest.param(gzip.compress(b"[1]"), id="a list"),
        pytest.param(gzip.compress(b'{"parts": [["a"]], "texts": []}'), id="a part cut short"),
        pytest.param(
            gzip.compress(b'{"parts": [["a", "1", "MIT", "", "", [7]]], "texts": []}'), id="a text that is not there"
        ),
        pytest.param(gzip.compress(b"{}" * 9)[:-9], id="an end that is missing"),
    ],
)
def test_a_damaged_list_is_told_in_a_sentence(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "list.gz").write_bytes(data)

    with pytest.raises(RunError, match="list of licences cannot be read"):
        licences.read(tmp_path / "list.gz")


def test_a_list_in_which_a_bit_flipped_is_no_more_than_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "list.gz"
    licences.write(file, [licences.Part("a", "1", "MIT", "", "", ("text " * 40,))])
    whole, refused = file.read_bytes(), 0

    for at in range(len(whole)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        try:
            licences.read(file)
        except RunError:
            refused += 1

    assert refused > len(whole) / 2
