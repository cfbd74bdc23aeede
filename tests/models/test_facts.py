"""facts.py: a header's facts are read once, and what is no model by itself is refused with a sentence of its own."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest

from lab_desktop.errors import ModelError
from lab_desktop.models.facts import FactsBook, facts_in, read_facts
from lab_desktop.models.gguf import BLOCKS, read_header
from tests.fakes import tiny_model


def test_block_sizes_are_those_of_the_gguf_package() -> None:
    assert {int(kind): sizes for kind, sizes in gguf.GGML_QUANT_SIZES.items()} == BLOCKS


def test_facts_are_read_once_and_again_when_the_file_changes(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "a.gguf")
    first = FactsBook(tmp_path / "facts.json").of(path)
    assert (first.name, first.architecture, first.context_tokens, first.has_template) == ("tiny", "llama", 2048, True)
    stat = path.stat()
    path.write_bytes(b"X" * stat.st_size)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    assert FactsBook(tmp_path / "facts.json").of(path) == first, "remembered by another book"

    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    with pytest.raises(ModelError):
        FactsBook(tmp_path / "facts.json").of(path)


def test_a_model_of_another_family_may_chat_and_says_why_it_cannot_learn(tmp_path: Path) -> None:
    strange = tmp_path / "strange.gguf"
    writer = gguf.GGUFWriter(strange, "mamba")
    writer.add_tensor("output.weight", np.zeros((2, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    assert read_facts(tiny_model(tmp_path / "a.gguf")).why_not_taught == ""
    assert "cannot be taught here" in read_facts(strange).why_not_taught


def test_whatever_a_header_says_it_is_facts_or_a_sentence(tmp_path: Path) -> None:
    header = read_header(tiny_model(tmp_path / "a.gguf"))
    strange = (None, True, -1, 0, 2**63, 1e300, float("nan"), "text", "", [], [1, 2], [[1], ["a"]], ["a", 3.0])
    keys = [*header.metadata, "general.type", "general.file_type", "split.count", "split.no", "llama.expert_count"]
    keys += ["llama.rope.scaling.type", "llama.pooling_type", "llama.attention.key_length", "general.license"]

    for key in keys:
        for value in strange:
            hostile = replace(header, metadata={**header.metadata, key: value})
            try:
                assert isinstance(facts_in(hostile).name, str)
            except ModelError as error:
                assert error.message, (key, value)


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"x": {"stamp": 3}}', b'{"x": {"stamp": [1, 2], "facts": {"a": 1}}}'])
def test_a_damaged_book_is_begun_again(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "facts.json").write_bytes(damage)

    assert FactsBook(tmp_path / "facts.json").of(tiny_model(tmp_path / "a.gguf")).name == "tiny"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"general.type": "adapter"}, "adapter"),
        ({"split.count": 3}, "one of 3 parts"),
        ({"general.type": "mmproj"}, "pictures"),
        ({}, "no weights"),
    ],
)
def test_what_is_no_model_by_itself_is_refused(tmp_path: Path, keys: dict[str, object], sentence: str) -> None:
    path = tmp_path / "part.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in keys.items():
        writer.add_uint16(key, value) if isinstance(value, int) else writer.add_string(key, str(value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()

    with pytest.raises(ModelError, match=sentence):
        read_facts(path)


def test_a_name_that_would_fill_the_screen_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "long.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("A name\nthat " + "goes on " * 100)
    writer.add_tensor("output.weight", np.zeros((2, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    name = read_facts(path).name
    assert len(name) <= 80 and "\n" not in name
