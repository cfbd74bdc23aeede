"""Try the built app where nothing is: `python -m tests.packaging [ARCHIVE] [--quick] [--keep]`.

It unpacks the archive (built where there is none) into the home of an account made for this, in a folder whose name has
a space and an umlaut, and runs the app there: an empty environment, no Python to be found, no network, no screen. Its
commands, its window, its self-test; then with its folder read-only, then moved. A table says what held.

Only root can make the account; anybody else gets an empty home. The network is off where the system lets us do that.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = "Bücher & Programme"
OTHER_FOLDER = "Anderswo/wo’s schön ist"
PATIENCE_S = 900
WINDOW_S = 20
_SPEED = """
import sys, time
from pathlib import Path
from lab_desktop import paths
from lab_desktop.artifacts import ChatMessage
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.text_model import Request
with LlamaModel(paths.practice_model()) as model:
    def tokens(count):
        request = Request((ChatMessage("user", "Count from one to two hundred in words."),), max_tokens=count)
        begun = time.process_time()
        text = "".join(model.stream(request))
        return time.process_time() - begun, model.count_tokens(text)
    tokens(8)
    few, one = min(tokens(16) for _ in range(3))
    many, two = min(tokens(96) for _ in range(3))
    print((two - one) / (many - few))
"""
"""Tokens of an answer for each second of one processor core, without reading the question."""


class Failed(Exception):
    """What did not hold."""


@dataclass
class Trial:
    """An account with nothing in it, and the app unpacked there.

    Attributes:
        home: of the account.
        app: the app's folder.
        before: the words before a command by which the account runs it, without the network.
        owner: the account's name; empty: our own.
        rows: what was tried, and whether it held.
        unpacked: what the app's folder held at first: size and time by name.
    """

    home: Path
    app: Path
    before: list[str]
    owner: str
    rows: list[tuple[str, bool]] = field(default_factory=list)
    unpacked: dict[str, tuple[int, int]] = field(default_factory=dict)

    def run(self, *arguments: str, told: str = "", fails: bool = False, **environment: str) -> str:
        """What the app's program answers.

        Raises:
            Failed: it ends otherwise than it should, or wrote a traceback.
        """
        done = subprocess.run(
            [*self.before, str(self.app / "lab-desktop"), *arguments], input=told, capture_output=True, text=True,
            timeout=PATIENCE_S, env=self.environment(**environment), cwd=self.home, check=False,
        )  # fmt: skip
        if (done.returncode != 0) != fails or "Traceback" in done.stderr:
            raise Failed(f"ended with {done.returncode}: {(done.stderr or done.stdout)[-1500:]}")
        return done.stdout

    def environment(self, **more: str) -> dict[str, str]:
        """No variable but these; git alone can be found."""
        return {"HOME": str(self.home), "PATH": str(self.home / "programs"), "QT_QPA_PLATFORM": "offscreen", **more}

    def step(self, name: str, work: Callable[[], str]) -> None:
        """Do something, and keep a row about it."""
        begun = time.monotonic()
        try:
            said, held = work(), True
        except (Failed, subprocess.SubprocessError, OSError) as error:
            said, held = str(error), False
        self.rows.append((name, held))
        first, *rest = said.strip().splitlines() or [""]
        print(f"{name:<44} {'ok' if held else 'FAILED':<7} {time.monotonic() - begun:7.1f} s  {first}", flush=True)
        for line in rest if not held else []:
            print(f"    {line}", flush=True)


def main() -> int:
    """Try all of it; 0 when all held."""
    parser = argparse.ArgumentParser(description="Try the built app where nothing is.")
    parser.add_argument("archive", type=Path, nargs="?", help="the app's tar.gz (the newest in dist)")
    parser.add_argument("--quick", action="store_true", help="the self-test only once, before anything is changed")
    parser.add_argument("--keep", action="store_true", help="leave the account and what it holds")
    options = parser.parse_args()
    archive = options.archive or _built()
    if not (archive.is_file() and tarfile.is_tarfile(archive)):
        parser.error(f"{archive} is no archive of the app")
    with _account(options.keep) as (home, owner):
        trial = Trial(home, home / FOLDER / "LAB Desktop", _before(owner), owner)
        is_offline = "--net" in trial.before
        print(f"{archive.name}, {'no network' if is_offline else 'THE NETWORK IS ON'}, {home}", flush=True)
        trial.step("unpacked", lambda: _unpack(archive, trial))
        _try(trial)
        _self_test(trial)
        trial.step("decoding, against the developers' Python", lambda: _speed(trial))
        for name, change in (("its folder read-only", _make_read_only), ("moved elsewhere", _move)):
            change(trial)
            print(f"-- {name}", flush=True)
            _try(trial)
            if not options.quick:
                _self_test(trial)
    failed = [name for name, held in trial.rows if not held]
    print(f"{len(trial.rows)} tried, {len(failed)} failed{': ' if failed else '.'}{', '.join(failed)}")
    return 1 if failed else 0


def _try(trial: Trial) -> None:
    """What a person would do, in each state of the folder."""
    trial.step("--version", lambda: trial.run("--version"))
    trial.step("--help", lambda: f"{len(trial.run('--help').splitlines())} lines")
    trial.step("models list", lambda: trial.run("models", "list").strip().splitlines()[0])
    trial.step("a chat, of one question", lambda: _words(trial.run("chat", told="What is the capital of France?\n\n")))
    trial.step("a document read in its own process", lambda: _converted(trial))
    trial.step("other people's PYTHON… and LD_… variables", lambda: _with_foreign_variables(trial))
    trial.step("a wrong command, refused", lambda: trial.run("nonsense", fails=True) or "refused")
    trial.step("the window, open for a while", lambda: _window(trial))
    trial.step("nothing written into its folder", lambda: _unchanged(trial))


def _self_test(trial: Trial) -> None:
    trial.step("--selftest", lambda: trial.run("--selftest").strip().splitlines()[-1])
    trial.step("nothing written into its folder", lambda: _unchanged(trial))


def _words(answer: str) -> str:
    if len(answer.split()) < 4:
        raise Failed(f"the answer was {answer!r}")
    return answer.strip().splitlines()[-1][:60]


def _converted(trial: Trial) -> str:
    page = trial.home / "Seite ä.html"
    page.write_text("<h1>Velmora</h1><p>An island with <b>nine</b> lighthouses.</p>", encoding="utf-8")
    text = trial.run("convert", str(page))
    if "# Velmora" not in text or "**nine**" not in text:
        raise Failed(f"it became {text!r}")
    return f"{len(text)} characters"


def _with_foreign_variables(trial: Trial) -> str:
    """Folders whose modules and libraries would end the program, were they found."""
    foreign = trial.home / "foreign"
    foreign.mkdir(exist_ok=True)
    for name in ("json.py", "torch.py", "sitecustomize.py", "encodings.py"):
        (foreign / name).write_text("raise SystemExit('foreign code was run')\n", encoding="utf-8")
    for name in ("libstdc++.so.6", "libpython3.11.so.1.0", "libssl.so.3", "libgomp.so.1"):
        (foreign / name).write_bytes(b"not a library")
    variables = {name: str(foreign) for name in ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")}
    return trial.run("models", "list", **variables, PYTHONSTARTUP=str(foreign / "json.py")).strip().splitlines()[0]


def _window(trial: Trial) -> str:
    """It stays open until it is told to end."""
    command = [*trial.before, str(trial.app / "LAB Desktop")]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env=trial.environment(), cwd=trial.home, stdout=pipe, stderr=pipe, text=True)
    try:
        _, said = process.communicate(timeout=WINDOW_S)
        raise Failed(f"it closed by itself with {process.returncode}: {said[-1500:]}")
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()  # one that does not hear must not hold the account
    if "Error" in said or "Traceback" in said:
        raise Failed(said[-1500:])
    return f"{WINDOW_S} s, {said.strip() or 'silent'}"[:100]


def _unchanged(trial: Trial) -> str:
    now = _inventory(trial.app)
    changed = sorted(name for name in {*now, *trial.unpacked} if now.get(name) != trial.unpacked.get(name))
    if changed:
        raise Failed("changed: " + ", ".join(changed[:20]))
    return f"{len(now)} files as they were"


def _inventory(folder: Path) -> dict[str, tuple[int, int]]:
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    return {str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in files}


def _unpack(archive: Path, trial: Trial) -> str:
    trial.app.parent.mkdir(parents=True)
    with tarfile.open(archive) as packed:
        packed.extractall(trial.app.parent, filter="tar")
    _give(trial)
    trial.unpacked = _inventory(trial.app)
    return f"{sum(path.lstat().st_size for path in trial.app.rglob('*')) / 1e6:.0f} MB"


def _speed(trial: Trial) -> str:
    engine = next((trial.app / "engine" / "bin").glob("python3.*"))
    environment = {**trial.environment(), "OMP_NUM_THREADS": "1"}
    found: dict[str, float] = {}
    for name, python, more in (
        ("built", [str(engine), "-I"], {}),
        ("source", [sys.executable], {"PYTHONPATH": str(ROOT)}),
    ):
        done = subprocess.run(
            [*python, "-c", _SPEED], env={**environment, **more}, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Failed(done.stderr[-1500:])
        found[name] = float(done.stdout)
    return f"{found['built']:.0f} tokens/s on one core, {found['built'] / found['source']:.2f} × the other"


def _make_read_only(trial: Trial) -> None:
    for path in [trial.app, *trial.app.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)


def _move(trial: Trial) -> None:
    target = trial.home / OTHER_FOLDER / trial.app.name
    target.parent.mkdir(parents=True)
    trial.app.chmod(0o755)
    trial.app.rename(target)
    trial.app = target
    _give(trial)


def _give(trial: Trial) -> None:
    """What lies in the home belongs to the account."""
    if trial.owner:
        subprocess.run(["chown", "-R", "-h", f"{trial.owner}:", str(trial.home)], check=True)


@contextlib.contextmanager
def _account(is_kept: bool) -> Iterator[tuple[Path, str]]:
    """The home of an account with nothing in it, and the account's name; "" where it is only a folder of ours."""
    name = f"lab-trial-{os.getpid()}"
    is_root = os.geteuid() == 0 and shutil.which("useradd") is not None
    if is_root:
        subprocess.run(["useradd", "--create-home", "--shell", "/bin/false", name], check=True)
        home = Path(pwd.getpwnam(name).pw_dir)
    else:
        home = Path(tempfile.mkdtemp(prefix=name))
    try:
        programs = home / "programs"
        programs.mkdir()
        if git := shutil.which("git"):
            (programs / "git").symlink_to(git)
        yield home, name if is_root else ""
    finally:
        if is_kept:
            print(f"Kept: {home}")
        else:
            subprocess.run(["chmod", "-R", "u+w", str(home)], check=False)
            shutil.rmtree(home, ignore_errors=True)
            if is_root:
                subprocess.run(["userdel", name], check=False, capture_output=True)


def _before(owner: str) -> list[str]:
    """How a command is run by the account, and without the network where the system allows that."""
    if owner:
        account = [str(shutil.which("setpriv")), f"--reuid={owner}", f"--regid={owner}", "--clear-groups", "--"]
        return [*_possible("--net"), *account]
    return _possible("--map-current-user", "--net")


def _possible(*ways: str) -> list[str]:
    command = [shutil.which("unshare") or "unshare", *ways]
    try:
        done = subprocess.run([*command, "true"], capture_output=True, check=False)
    except OSError:
        return []
    return command if done.returncode == 0 else []


def _built() -> Path:
    def archives() -> list[Path]:
        return sorted((ROOT / "dist").glob("lab-desktop-*.tar.gz"), key=lambda path: path.stat().st_mtime)

    if not archives():
        subprocess.run([sys.executable, str(ROOT / "packaging" / "build.py")], check=True)
    return archives()[-1]


if __name__ == "__main__":
    sys.exit(main())
