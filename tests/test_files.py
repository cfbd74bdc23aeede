"""Files survive what happens to computers: kills at any instant, full disks, folders that may not be written."""

from __future__ import annotations

import json
import math
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab_desktop.errors import RunError, StorageError
from lab_desktop.files import JsonLines, copy_folder, disk_errors, read_json, replacing, write_json, write_text

ROOT = Path(__file__).resolve().parent.parent


def child(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def kill_after_first_line(process: subprocess.Popen[str], seconds: float) -> list[str]:
    """Everything the child said before it was killed, `seconds` after it began to speak."""
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate()
    return [first.strip(), *said.split()]


# --- whole files ---


def test_a_written_file_has_its_text_and_ordinary_permissions(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.txt", "é\r\n")

    assert (tmp_path / "new" / "a.txt").read_bytes() == "é\r\n".encode()
    assert stat.S_IMODE((tmp_path / "new" / "a.txt").stat().st_mode) == 0o666 & ~_umask()


def test_threads_that_write_files_leave_the_process_its_mask(tmp_path: Path) -> None:
    script = """
import os, sys, threading, time
from pathlib import Path
from lab_desktop import files
def slow_umask(mask, real=os.umask):
    before = real(mask)
    time.sleep(0.01)
    return before
os.umask = slow_umask
def work(name):
    for _ in range(5):
        files.write_text(Path(sys.argv[1], name), "x")
threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(os.umask(0))
"""
    said, _ = child(script, tmp_path).communicate()

    assert int(said) == _umask()


def test_a_failure_while_writing_keeps_the_old_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")

    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError

    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_killed_at_any_instant_a_replaced_file_is_an_old_or_a_new_one_but_whole(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from lab_desktop.files import write_json
for number in range(10**9):
    write_json(Path(sys.argv[1]), {"number": number, "filler": "x" * 300_000, "again": number})
    print(number, flush=True)
"""
    for delay in (0.0, 0.013, 0.031, 0.057):
        said = kill_after_first_line(child(script, tmp_path / "state.json"), delay)

        state = read_json(tmp_path / "state.json")
        assert state["again"] == state["number"] >= int(said[-1])


def test_json_that_is_missing_or_damaged_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r'"a\.json" is missing'):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text('{"a": 1')
    with pytest.raises(RunError, match="cannot be read"):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(RunError, match="cannot be read"):
        read_json(tmp_path / "a.json")(tmp_path / "a.json").write_text('["an array"]')
    with pytest.raises(RunError, match="cannot be read"):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text("[" * 200_000)
    with pytest.raises(RunError, match="cannot be read"):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text('{"rank": 4}')
    assert read_json(tmp_path / "a.json", "rank") == {"rank": 4}
    with pytest.raises(RunError, match="cannot be read"):
        read_json(tmp_path / "a.json", "rank", "scale")


# --- rows ---


def test_rows_come_back_in_order_and_appending_goes_on_where_it_was(tmp_path: Path) -> None:
    for number in range(3):
        rows = JsonLines(tmp_path / "rows.jsonl")
        rows.append({"number": number, "text": "a\nb\u2028c\x85d"})
        rows.close()

    assert JsonLines(tmp_path / "rows.jsonl").rows() == [{"number": n, "text": "a\nb\u2028c\x85d"} for n in range(3)]


def test_a_torn_last_row_does_not_count_and_is_gone_after_the_next_append(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    for torn in (b"{", b'{"number": 2', b'{"number": 2}', b'{"text": "\xc3'):
        path.write_bytes(b'{"number": 1}\n' + torn)

        rows = JsonLines(path)
        assert rows.rows() == [{"number": 1}]
        rows.append({"number": 3})
        rows.close()

        assert path.read_bytes() == b'{"number": 1}\n{"number": 3}\n'


@pytest.mark.parametrize("row", [b'{"numb', b"[" * 200_000])
def test_a_damaged_row_in_the_middle_is_named_and_not_skipped(tmp_path: Path, row: bytes) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b'{"number": 1}\n%b\n{"number": 3}\n' % row)

    with pytest.raises(RunError, match="Line 2"):
        JsonLines(tmp_path / "rows.jsonl").rows()


def test_killed_at_any_instant_no_row_is_torn_and_none_that_was_reported_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    script = """
import sys
from pathlib import Path
from lab_desktop.files import JsonLines
rows = JsonLines(Path(sys.argv[1]))
for number in range(len(rows.rows()), 10**9):
    rows.append({"number": number, "text": "x" * (number * 7919 % 20_000)})
    print(number, flush=True)
"""
    chance = random.Random(1)
    for _ in range(6):
        said = kill_after_first_line(child(script, path), chance.uniform(0, 0.05))

        numbers = [row["number"] for row in JsonLines(path).rows()]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > int(said[-1])


@pytest.mark.skipif(os.name == "nt", reason="locks are asked of flock")
def test_two_programs_that_add_rows_to_one_file_lose_none(tmp_path: Path) -> None:
    path, count = tmp_path / "rows.jsonl", 500
    script = """
import sys
from pathlib import Path
from lab_desktop.files import JsonLines
for number in range(int(sys.argv[3])):
    rows = JsonLines(Path(sys.argv[1]))
    rows.append([sys.argv[2], number])
    rows.close()
"""
    for each in [child(script, path, name, count) for name in "ab"]:
        each.communicate()

    rows = JsonLines(path).rows()
    assert sorted(rows) == [[name, number] for name in "ab" for number in range(count)]


def test_what_another_program_left_half_written_is_cut_off_before_the_next_row(tmp_path: Path) -> None:
    rows = JsonLines(tmp_path / "rows.jsonl")
    rows.append(1)
    with open(rows.path, "ab") as other:
        other.write(b'{"half')

    rows.append(2)
    rows.close()

    assert rows.rows() == [1, 2]


def test_a_name_that_is_no_text_comes_back_as_it_was(tmp_path: Path) -> None:
    name = os.fsdecode(b"M\xfcller \\ \xf0\x9f")
    rows = JsonLines(tmp_path / "rows.jsonl")

    write_json(tmp_path / "a.json", {name: name})
    rows.append(name)
    rows.close()

    assert read_json(tmp_path / "a.json") == {name: name}
    assert rows.rows() == [name]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400, "-" + "9" * 400, "9" * 5000])
def test_a_number_that_is_too_large_to_compute_with_is_damage(tmp_path: Path, number: str) -> None:
    (tmp_path / "a.json").write_text(f'{{"a": {number}}}')
    (tmp_path / "rows.jsonl").write_text(f"1\n{number}\n")

    with pytest.raises(RunError):
        read_json(tmp_path / "a.json")
    with pytest.raises(RunError, match="Line 2"):
        JsonLines(tmp_path / "rows.jsonl").rows()


def test_a_measure_that_became_infinite_is_read_as_no_number(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"losses": [math.inf, -math.inf, math.nan]})

    assert all(map(math.isnan, read_json(tmp_path / "a.json")["losses"]))


# --- disks ---


def test_a_full_disk_is_a_sentence_and_earlier_rows_are_safe(tmp_path: Path) -> None:
    # A file size limit fails in the same place as a full disk, and needs no disk of its own: EFBIG instead of ENOSPC.
    path = tmp_path / "rows.jsonl"
    rows = JsonLines(path)
    rows.append({"number": 1})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StorageError, match=r"rows\.jsonl could not be written"):
            rows.append({"text": "x" * 5000})
        with pytest.raises(StorageError):
            write_text(tmp_path / "big.txt", "x" * 5000)
        rows.append({"number": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
        rows.close()

    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"number": 1}, {"number": 2}]
    assert [item.name for item in tmp_path.iterdir()] == ["rows.jsonl"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_without_space_is_called_full(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match="The disk is full: the new model"),
        disk_errors(tmp_path / "m", "the new model"),
    ):
        Path("/dev/full").write_bytes(b"x")


@pytest.mark.skipif(sys.platform != "linux", reason="uses setuid to lose root's right to write everywhere")
def test_a_folder_that_may_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    (locked / "shut").mkdir(parents=True, mode=0o600)
    locked.chmod(0o555)
    script = """
import os, sys
from pathlib import Path
from lab_desktop.errors import StorageError
from lab_desktop.files import JsonLines, write_json
os.chdir(sys.argv[1])  # the folders above belong to the caller alone
if os.getuid() == 0:
    os.setuid(65534)
shut = Path("shut/a.json")
for write in (lambda: write_json(Path("a.json"), 1), lambda: JsonLines(Path("a.jsonl")).append(1),
              lambda: write_json(shut, 1), lambda: JsonLines(shut).append(1)):
    try:
        write()
    except StorageError as error:
        print(error.message, "|", error.hint)
"""
    said, _ = child(script, locked).communicate(timeout=30)

    assert said.count("does not allow writing. | Choose another folder") == 4


def test_a_name_that_is_too_long_is_a_sentence(tmp_path: Path) -> None:
    for file in (tmp_path / ("x" * 300), tmp_path / ("ü" * 200) / "a.json"):
        with pytest.raises(StorageError, match="a name is too long") as refused:
            write_json(file, 1)
        assert len(refused.value.message) < 150 and "shorter" in refused.value.hint
        with pytest.raises(StorageError, match="a name is too long"):
            JsonLines(file).append(1)


def test_a_file_in_the_place_of_a_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError):
        write_json(tmp_path / "file" / "a.json", 1)
    with pytest.raises(StorageError):
        JsonLines(tmp_path / "file" / "a.jsonl").append(1)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_is_copied_from_an_app_that_may_only_be_read_may_be_written(tmp_path: Path) -> None:
    source = tmp_path / "app"
    (source / "inside" / "left").mkdir(parents=True)
    (source / ".hidden").write_text("no")
    for file in (source / "one.txt", source / "inside" / "two.txt"):
        file.write_text(file.name)
        os.utime(file, (1_000_000_000, 1_000_000_000))
        file.chmod(0o444)
    for folder in (source / "inside" / "left", source / "inside", source):
        folder.chmod(0o555)

    copy_folder(source, tmp_path / "home", lambda _folder, names: {name for name in names if name[0] == "."})

    home = tmp_path / "home"
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*")) == [
        "inside", "inside/left", "inside/two.txt", "one.txt",
    ]  # fmt: skip
    assert (home / "inside" / "two.txt").read_text() == "two.txt"
    assert (home / "one.txt").stat().st_mtime == 1_000_000_000
    assert all(path.stat().st_mode & stat.S_IWUSR for path in (home, *home.rglob("*")))
    for folder in (source, source / "inside", source / "inside" / "left"):
        folder.chmod(0o755)


def test_a_folder_that_is_not_there_is_not_copied(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        copy_folder(tmp_path / "gone", tmp_path / "home")
