"""A model file comes from anywhere: whatever it holds, reading it ends in a checked header or in a sentence."""

from __future__ import annotations

import itertools
import random
import struct
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import gguf
import numpy as np
import pytest

from lab_desktop.errors import ModelError
from lab_desktop.models.gguf import GgufFile, raw_tensor, read_header, read_tensor
from tests.fakes import tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf", width=32, heads=2, kv_heads=1, feed_forward=32)


_SHORT = """
import resource, sys
from pathlib import Path
from lab_desktop.models.gguf import read_header
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize(), resource.RLIM_INFINITY))
try:
    read_header(Path(sys.argv[1]))
except MemoryError:
    print("no memory")
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks Linux how much it has")
def test_want_of_memory_says_nothing_about_the_file(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "big.gguf", width=512, heads=8, kv_heads=8, feed_forward=512)

    said = subprocess.run([sys.executable, "-c", _SHORT, str(path)], capture_output=True, text=True, check=True)

    assert said.stdout == "no memory\n"


def header_bytes(file: GgufFile) -> int:
    """Where the header ends: at or before the first tensor."""
    return min(info.offset for info in file.tensors.values())


def damaged(path: Path, data: bytes | bytearray) -> Path:
    path.write_bytes(data)
    return path


# --- what is there ---


def test_metadata_is_what_the_gguf_package_reads(model: Path) -> None:
    ours, theirs = read_header(model), gguf.GGUFReader(model)

    expected = {name: field.contents() for name, field in theirs.fields.items() if not name.startswith("GGUF.")}
    assert ours.metadata == expected
    assert ours.architecture == "llama"
    assert ours.setting("block_count") == 2


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_every_tensor_is_what_the_gguf_package_reads(tmp_path: Path, kind: str) -> None:
    path = tiny_model(tmp_path / "tiny.gguf", quantization=gguf.GGMLQuantizationType[kind], layers=1)
    ours, theirs = read_header(path), {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}

    assert list(ours.tensors) == list(theirs)
    for name, tensor in theirs.items():
        info = ours.tensors[name]
        assert info.shape == tuple(int(length) for length in reversed(tensor.shape))
        assert (info.offset, info.size_bytes) == (tensor.data_offset, tensor.n_bytes)
        assert np.array_equal(raw_tensor(ours, name), tensor.data)
        values = read_tensor(ours, name)
        assert (values.dtype, values.shape) == (np.float32, info.shape)
        assert np.array_equal(values, gguf.dequantize(tensor.data, tensor.tensor_type).reshape(info.shape))


def test_each_key_is_remembered_where_it_lies(model: Path) -> None:
    file, data = read_header(model), model.read_bytes()

    for key, (start, end) in file.metadata_bytes.items():
        assert data[start + 8 : start + 8 + len(key)] == key.encode()
        assert end > start
    spans = sorted(file.metadata_bytes.values())
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(spans))


def test_a_missing_setting_or_tensor_is_a_sentence(model: Path) -> None:
    file = read_header(model)

    assert file.setting("expert_count", 0) == 0
    with pytest.raises(ModelError, match="does not say its expert count"):
        file.setting("expert_count")
    with pytest.raises(ModelError, match=r'lacks the tensor "blk\.99"'):
        read_tensor(file, "blk.99")


# --- what is not ---


def test_what_is_no_model_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no model file"):
        read_header(tmp_path / "nowhere.gguf")
    with pytest.raises(ModelError, match="is a folder"):
        read_header(tmp_path)
    for content in (b"", b"GGUF", b"PK\x03\x04" + bytes(100), b"<!doctype html>" * 20, bytes(1000)):
        with pytest.raises(ModelError, match="not a model file"):
            read_header(damaged(tmp_path / "a.gguf", content))
    with pytest.raises(ModelError, match="unknown version"):
        read_header(damaged(tmp_path / "a.gguf", b"GGUF" + struct.pack("<IQQ", 99, 0, 0)))


def test_a_header_cut_off_at_any_byte_is_a_sentence(model: Path, tmp_path: Path) -> None:
    data = model.read_bytes()
    end = header_bytes(read_header(model))

    # Every byte of what is not the long lists of tokens, and a sample of those.
    token_start, token_end = read_header(model).metadata_bytes["tokenizer.ggml.tokens"]
    lengths = [*range(token_start + 60), *range(token_start, token_end, 37), *range(token_end, end, 3), end]
    path = damaged(tmp_path / "cut.gguf", data[:end])
    for length in sorted(set(lengths), reverse=True):
        with open(path, "r+b") as stream:
            stream.truncate(length)
        with pytest.raises(ModelError):
            read_header(path)


def test_a_file_without_its_last_byte_says_how_much_is_there(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is incomplete: it has \d+\.\d MB of at least"):
        read_header(damaged(tmp_path / "cut.gguf", model.read_bytes()[:-1]))


def test_random_damage_ends_in_a_sentence_or_a_header_soon_and_in_little_memory(model: Path, tmp_path: Path) -> None:
    data = model.read_bytes()
    end = header_bytes(read_header(model))
    chance = random.Random(0)
    path = tmp_path / "damaged.gguf"
    refused = 0
    slowest = 0.0
    tracemalloc.start()
    try:
        for _ in range(600):
            changed = bytearray(data)
            for _ in range(chance.choice((1, 1, 1, 4, 32))):
                place = chance.randrange(end)
                changed[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, changed[place] ^ (1 << chance.randrange(8))))
            damaged(path, changed)
            tracemalloc.reset_peak()
            start = time.thread_time()
            try:
                file = read_header(path)
                for name in list(file.tensors)[:3]:
                    read_tensor(file, name)
            except ModelError as error:
                assert error.hint
                refused += 1
            slowest = max(slowest, time.thread_time() - start)
            assert tracemalloc.get_traced_memory()[1] < 20 * len(data)
    finally:
        tracemalloc.stop()

    assert 0 < refused < 600
    assert slowest < 2


@pytest.mark.parametrize("count", [1 << 13, 1 << 32, (1 << 63) - 1, (1 << 64) - 1])
def test_a_count_beyond_belief_is_not_believed(model: Path, tmp_path: Path, count: int) -> None:
    data = model.read_bytes()
    file = read_header(model)
    tokens = file.metadata_bytes["tokenizer.ggml.tokens"][0]
    value = tokens + 8 + len("tokenizer.ggml.tokens") + 4
    # The count of keys, the length of the first key, and the length of the list of tokens.
    for place in (16, 24, value + 4):
        changed = data[:place] + struct.pack("<Q", count) + data[place + 8 :]
        with pytest.raises(ModelError):
            read_header(damaged(tmp_path / "count.gguf", changed))


def test_a_list_longer_than_any_model_needs_is_refused_before_it_is_made(tmp_path: Path) -> None:
    # 64 MB of zeros could be a list of 64 million numbers: half a gigabyte of Python values. The file is a hole.
    key = b"x"
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", len(key)) + key
    path = damaged(tmp_path / "long.gguf", head + struct.pack("<IIQ", 9, 0, 1 << 26))
    with open(path, "r+b") as stream:
        stream.truncate(1 << 27)

    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match="longer than those of any model"):
            read_header(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
