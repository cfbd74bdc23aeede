"""Files that end in .gguf and are not what they seem each get a sentence of their own."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from lab_desktop.errors import ModelError
from lab_desktop.models.blueprints import blueprint
from lab_desktop.models.gguf import read_header
from lab_desktop.models.llama import LlamaModel
from tests.fakes import tiny_student


def written(path: Path, architecture: str, **keys: str | int) -> Path:
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in keys.items():
        (writer.add_string if isinstance(value, str) else writer.add_uint32)(key.replace("__", "."), value)
    writer.add_tensor("some.weight", np.zeros((4, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize(
    ("architecture", "keys", "says"),
    [
        ("llama", {"general__type": "adapter"}, "a small addition to one"),
        ("clip", {"general__type": "mmproj"}, "only turns pictures or sounds into"),
        ("clip", {}, "only turns pictures or sounds into"),
        ("llama", {"general__type": "imatrix"}, "holds no model but notes about one"),
        ("nomic-bert", {}, "an embedding model"),
        ("gemma-embedding", {}, "an embedding model"),
        ("qwen3", {"qwen3__pooling_type": 3}, "an embedding model"),
    ],
)
def test_what_does_not_write_is_refused_for_chat_and_as_a_student(tmp_path, architecture, keys, says):
    path = written(tmp_path / "thing.gguf", architecture, **keys)

    for use in (lambda: LlamaModel(path), lambda: blueprint(read_header(path))):
        with pytest.raises(ModelError, match=says) as refused:
            use()
        assert '"thing.gguf"' in refused.value.message
        assert refused.value.hint


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A model in two parts."""
    folder = tmp_path_factory.mktemp("parts")
    reader = gguf.GGUFReader(tiny_student(folder / "whole.gguf", "qwen2"))
    names = [folder / f"qwen-0000{number}-of-00002.gguf" for number in (1, 2)]
    for number, path in enumerate(names):
        writer = gguf.GGUFWriter(path, "qwen2")
        for field in reader.fields.values():
            if number == 0 and not field.name.startswith(("GGUF.", "general.architecture")):
                kind = field.types[0]
                inner = field.types[-1] if len(field.types) > 1 else None
                writer.add_key_value(field.name, field.contents(), kind, inner)
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", 2)
        writer.add_int32("split.tensors.count", len(reader.tensors))
        for tensor in reader.tensors[number::2]:
            writer.add_tensor(tensor.name, tensor.data)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return names


def test_a_model_in_parts_cannot_be_a_student(parts: list[Path]) -> None:
    for part in parts:
        with pytest.raises(ModelError, match="one of 2 parts of a model, which cannot be taught in parts"):
            blueprint(read_header(part))


def test_a_model_in_parts_chats_from_its_first_part(parts: list[Path]) -> None:
    with LlamaModel(parts[0], context_tokens=64, parallel=1, threads=1) as model:
        assert model.count_tokens("abc") == 3

    with pytest.raises(ModelError, match="one of 2 parts") as refused:
        LlamaModel(parts[1])
    assert "-00001-of-00002" in refused.value.hint


def test_a_part_that_is_not_there_is_named(tmp_path: Path, parts: list[Path]) -> None:
    alone = tmp_path / parts[0].name
    alone.write_bytes(parts[0].read_bytes())

    with pytest.raises(ModelError, match=r'"qwen-00002-of-00002\.gguf" is not beside it'):
        LlamaModel(alone)
