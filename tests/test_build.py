"""Building the app: what decides whether one holds, on real files; and what a build would do, said without doing it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def build_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))


def written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_files_with_the_same_bytes_are_found_and_links_are_not(tmp_path: Path) -> None:
    from app import checks

    one = written(tmp_path / "a" / "one.so", b"x" * 70_000)
    two = written(tmp_path / "b" / "two.so", b"x" * 70_000)
    written(tmp_path / "b" / "other.so", b"y" * 70_000)
    written(tmp_path / "small-1", b"x" * 100)
    written(tmp_path / "small-2", b"x" * 100)
    (tmp_path / "link.so").symlink_to("a/one.so")

    assert checks.duplicates(tmp_path) == [(one, two)]
    assert len(checks.duplicates(tmp_path, at_least=10)) == 2


def test_links_that_do_not_survive_a_move_are_found(tmp_path: Path) -> None:
    from app import checks

    app = tmp_path / "app"
    written(app / "file", b"x")
    (app / "good").symlink_to("file")
    for name, target in (("absolute", str(app / "file")), ("out", "../other"), ("nothing", "gone")):
        (app / name).symlink_to(target)
    written(tmp_path / "other", b"x")

    assert [link.name for link in checks.links_out_of(app)] == ["absolute", "nothing", "out"]


def test_the_lowest_glibc_is_the_highest_version_that_is_wanted() -> None:
    from app import checks

    lines = ["  0x0010:   Name: GLIBC_2.9  Flags: none", "  0x0020:   Name: GLIBC_2.34", "  Name: GLIBCXX_3.4.30"]
    assert checks.glibc_floor(lines) == (2, 34)
    assert checks.glibc_floor(["nothing"]) == (0, 0)


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="makes a library of Linux")
def test_what_a_library_wants_and_does_not_get_is_named(tmp_path: Path) -> None:
    from app import elf

    source = written(tmp_path / "x.c", b"int answer(void) { return 42; }")
    command = ["cc", "-shared", "-o", str(tmp_path / "libone.so"), str(source)]
    subprocess.run([*command, "-Wl,-soname,libone.so"], check=True)
    folder = tmp_path / "app"
    folder.mkdir()
    wants = ["cc", "-shared", "-Wl,--no-as-needed", "-o", str(folder / "two.so"), str(source), "-L", str(tmp_path)]
    subprocess.run([*wants, "-lone", "-Wl,-rpath,$ORIGIN/lib"], check=True)

    assert elf.needs(folder / "two.so").paths == ("$ORIGIN/lib",)
    assert elf.unresolved(folder) == ["two.so wants libone.so"]
    shutil.copy(tmp_path / "libone.so", folder)
    assert elf.unresolved(folder) == []
    assert (2, 0) <= elf.glibc_floor(folder) < (3, 0)


def test_what_the_engine_has_becomes_a_link_that_a_move_does_not_break(tmp_path: Path) -> None:
    from app import shell

    engine, inside = tmp_path / "app" / "engine", tmp_path / "app" / "_internal"
    written(engine / "lib" / "libz.so.1", b"the engine's")
    written(engine / "lib" / "python3.11" / "lib-dynload" / "zlib.so", b"the engine's")
    written(inside / "libz.so.1", b"the window's")
    written(inside / "python3.11" / "lib-dynload" / "zlib.so", b"the window's")
    written(inside / "libQt.so", b"the window's")

    shell.share(inside, engine)
    (tmp_path / "app").rename(tmp_path / "elsewhere")

    moved = tmp_path / "elsewhere" / "_internal"
    assert (moved / "libz.so.1").read_bytes() == b"the engine's"
    assert (moved / "python3.11" / "lib-dynload" / "zlib.so").read_bytes() == b"the engine's"
    assert (moved / "libQt.so").read_bytes() == b"the window's"


def test_each_file_counts_for_the_innermost_part_it_lies_in(tmp_path: Path) -> None:
    from app import sizes

    written(tmp_path / "engine" / "torch" / "a", b"x" * 3)
    written(tmp_path / "engine" / "b", b"x" * 5)
    written(tmp_path / "c", b"x" * 7)
    parts = {"engine": tmp_path / "engine", "torch": tmp_path / "engine" / "torch"}

    assert sizes.measure(tmp_path, parts) == {"engine": 5, "torch": 3, "the rest": 7}


def test_a_lock_gives_what_this_system_needs_and_refuses_what_it_does_not_understand(tmp_path: Path) -> None:
    from app import locks
    from app.workshop import BuildError

    lock = written(
        tmp_path / "x.lock",
        f'# why\na==1.0\nb==2; sys_platform == "{sys.platform}"\nc==3; sys_platform == "plan9"\n'
        'd==4; python_version < "3.0"\n'.encode(),
    )
    assert locks.requirements(lock) == {"a": "1.0", "b": "2"}
    with pytest.raises(BuildError, match="no exact version"):
        locks.requirements(written(lock, b"a>=1\n"))
    with pytest.raises(BuildError, match="not understood"):
        locks.requirements(written(lock, b'a==1; os_name == "x"\n'))


def test_no_python_is_taken_that_nobody_checked(tmp_path: Path) -> None:
    from app import locks
    from app.workshop import BuildError

    lock = tmp_path / "engine.lock"
    with pytest.raises(BuildError, match="cannot be read"):
        locks.engine_archive(lock, "macos-arm64")
    written(lock, b'[macos-arm64]\nurl = "https://x"\nsha256 = ""\nversion = "3.12.1"\n')
    with pytest.raises(BuildError, match="no check number"):
        locks.engine_archive(lock, "macos-arm64")
    with pytest.raises(BuildError, match="no Python for linux"):
        locks.engine_archive(lock, "linux-x86_64")

    archive = written(tmp_path / "python.tar.gz", b"")
    with pytest.raises(BuildError, match="SHA-256"):
        locks.verified(archive, "0" * 64)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert locks.verified(archive, empty) == archive


def test_a_dry_run_says_each_step_and_writes_nothing(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("the app for Linux")
    places = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    command = [sys.executable, str(ROOT / "packaging" / "build.py"), "--dry-run", *places]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, env={**os.environ})

    assert (done.returncode, done.stderr) == (0, "")
    steps = ["GGML_CPU_ALL_VARIANTS", "The engine:", "packages", "byte code", "PyInstaller", "Proofs", ".tar.gz"]
    assert [step for step in steps if step in done.stdout] == steps
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not built in this way")
def test_what_a_build_would_miss_after_half_an_hour_is_named_before_it_begins(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": str(tmp_path)}  # not even a compiler
    done = subprocess.run(
        [sys.executable, str(ROOT / "packaging" / "build.py"), "--out", str(tmp_path / "dist"),
         "--cache", str(tmp_path / "cache")],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip

    assert done.returncode == 1
    assert "The app cannot be built without: sudo apt install cmake build-essential" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_children_are_started_with_the_engine_of_the_built_app(tmp_path: Path) -> None:
    """A copy of the package with the note of the built app beside it, in a Python that knows no other."""
    packages = tmp_path / "app" / "engine" / "lib" / "site-packages"
    shutil.copytree(ROOT / "lab_desktop", packages / "lab_desktop", ignore=shutil.ignore_patterns("__pycache__", "ui"))
    note = '{"engine": "../../../bin/python3", "window": "../../../../LAB Desktop"}'
    written(packages / "resources" / "app.json", note.encode())
    script = "from lab_desktop import paths; print(paths.child('--chat'), paths.child('--show'))"
    environment = {**os.environ, "PYTHONPATH": str(packages)}

    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)

    app = tmp_path / "app"
    engine = [str(app / "engine" / "bin" / "python3"), "-I", "-m", "lab_desktop", "--chat"]
    assert (done.stdout.strip(), done.stderr) == (f"{engine} {[str(app / 'LAB Desktop'), '--show']}", "")
    from lab_desktop import paths

    assert paths.child("--chat") == [sys.executable, "-m", "lab_desktop", "--chat"]


@pytest.mark.skipif(sys.platform != "linux", reason="the Mac app is built on Macs alone")
def test_what_the_system_refuses_is_a_sentence(tmp_path: Path) -> None:
    written(tmp_path / "file", b"x")
    script = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import build
from app import llama
from app.workshop import Workshop
out, cache = (Path(each) for each in sys.argv[2:])
llama.folder(Workshop(out, cache, cache, is_dry=True)).mkdir(parents=True)
sys.exit(build.main(["--out", str(out), "--cache", str(cache)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, (ROOT / "packaging", tmp_path / "file" / "out", tmp_path / "cache"))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1 and "Not a directory" in done.stderr
    assert "Traceback" not in done.stderr
