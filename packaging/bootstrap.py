"""From a fresh clone to a running program: the set-up script, with nothing but the standard library.

    python3 packaging/bootstrap.py                 set up, then do the main job (the installed `lab-desktop`)
    python3 packaging/bootstrap.py setup           only set up
    python3 packaging/bootstrap.py test [ARGS…]    set up with the tools for tests, then run them; ARGS go to pytest

It makes .venv beside pyproject.toml, installs the locked packages and the project itself. Running it again costs
nothing: a stamp, written last, says which lock the .venv holds. A set-up that was killed is completed by the next one.
pip's own configuration (mirrors, proxies, certificates) is respected.

Exit: 0 done, 1 something is missing or failed, 2 usage, 130 stopped with Ctrl-C; else what the program itself returned.
"""

from __future__ import annotations

import ctypes.util
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
LOG = VENV / "set-up.log"
RUNTIME_LOCK = ROOT / "packaging" / "requirements.lock"
DEV_LOCK = ROOT / "packaging" / "requirements-dev.lock"
COMPILED_HERE = "llama-cpp-python"

OLDEST_PYTHON = (3, 11)
SPACE_BYTES = 4 * 10**9
BUILD_SPACE_BYTES = 10**9
HEARTBEAT_S = 20
MOST_TEST_PROCESSES = 4
"""Each takes up to 1.5 GB of memory."""
NO_TESTS = 5
"""pytest's exit code when no test was chosen."""

QT_LIBRARIES = {
    "EGL": "libegl1",
    "GL": "libgl1",
    "fontconfig": "libfontconfig1",
    "dbus-1": "libdbus-1-3",
    "xkbcommon": "libxkbcommon0",
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-keysyms": "libxcb-keysyms1",
}

CAUSES = (
    (
        ("No space left on device",),
        "The disk is full. Free some space, then run this again; it goes on where it stopped.",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED", "SSLError"),
        "The package index could not be trusted: its certificate is not known here. Behind a company's proxy, point "
        "pip at its certificate (PIP_CERT=FILE), then run this again.",
    ),
    (
        (
            "NewConnectionError",
            "NameResolutionError",
            "ConnectTimeout",
            "ReadTimeout",
            "ProxyError",
            "Max retries exceeded",
        ),
        "The package index could not be reached. Check the network (and the proxy), then run this again; it goes on "
        "where it stopped.",
    ),
    (
        ("No matching distribution found",),
        f"pip was offered nothing that fits Python {platform.python_version()} on {platform.system()} "
        f"{platform.machine()}. Check the network first; if it works, use Python 3.11, 3.12 or 3.13.",
    ),
)


class SetupError(Exception):
    """What happened and what to do, in sentences; shown as written."""


def main(arguments: list[str]) -> int:
    command = arguments[0] if arguments else "run"
    if (arguments and command not in ("setup", "test")) or (command == "setup" and len(arguments) > 1):
        print("usage: python3 packaging/bootstrap.py [setup | test [PYTEST ARGUMENTS…]]", file=sys.stderr)
        return 2
    try:
        set_up(with_tests=command == "test")
        if command == "test":
            return run_tests(arguments[1:])
        if command == "run":
            return run_program()
        say(f"Ready. Start with: {(SCRIPTS / 'lab-desktop').relative_to(ROOT)}")
        return 0
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again; it goes on where it stopped.", file=sys.stderr)
        return 130


def set_up(with_tests: bool) -> None:
    """Make .venv hold exactly what the locks say.

    Raises:
        SetupError: something is missing, or a package could not be installed.
    """
    locks = [RUNTIME_LOCK, DEV_LOCK] if with_tests else [RUNTIME_LOCK]
    if PYTHON.exists() and all(
        _stamp(lock).is_file() and _stamp(lock).read_text() == _fingerprint(lock) for lock in locks
    ):
        return
    problems = missing_here()
    if problems:
        raise SetupError("This is needed first:\n" + "\n".join(f"  - {problem}" for problem in problems))
    start = time.monotonic()
    _make_venv()
    for lock in locks:
        _stamp(lock).unlink(missing_ok=True)
    packages = [line for lock in locks for line in requirements(lock)]
    compiled = [line for line in packages if line.startswith(COMPILED_HERE + "==")]
    torch = next(line for line in packages if line.startswith("torch=="))
    _refuse_cuda_torch(torch)
    say(f"Installing {len(packages)} packages: about 500 MB, a few minutes at first …")
    _pip("install", "--no-deps", *(line for line in packages if line not in compiled))
    if not _is_installed(compiled[0]):
        say(f"{COMPILED_HERE} is compiled here: about four minutes on two cores …")
    _pip("install", "--no-deps", *compiled)
    _pip("install", "--no-deps", "--editable", str(ROOT))
    say("Trying the model libraries …")
    _run_logged(
        [str(PYTHON), "-c", "import torch, llama_cpp, transformers, gguf, git"], "The installed packages do not work"
    )
    for lock in locks:  # last: a .venv with its stamp is complete, whatever killed the set-up before
        _stamp(lock).write_text(_fingerprint(lock))
    say(f"Set up in {duration(time.monotonic() - start)}.")
    if missing := missing_for_a_window():
        say(f"Note: only a window would need these too: sudo apt install {' '.join(missing)}")


def missing_here() -> list[str]:
    """What this computer lacks, a sentence each, in the order in which to mend it."""
    problems = []
    if platform.system() == "Darwin" and platform.machine() == "x86_64":
        problems.append("A Mac with Apple silicon (or Linux): the training library is no longer made for Intel Macs.")
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        problems.append("Python's venv module. On Debian and Ubuntu: sudo apt install python3-venv")
    if shutil.which("git") is None:
        problems.append("git. On Debian and Ubuntu: sudo apt install git. On a Mac: xcode-select --install")
    if os.name != "nt" and not (_runs("CC", "cc", "gcc", "clang") and _runs("CXX", "c++", "g++", "clang++")):
        problems.append(
            "A C and C++ compiler. On Debian and Ubuntu: sudo apt install build-essential. "
            "On a Mac: xcode-select --install"
        )
    if not os.access(ROOT, os.W_OK):
        problems.append(f"Permission to write in {ROOT}, where the .venv folder goes.")
    for folder, needed in ((ROOT, SPACE_BYTES), (Path(tempfile.gettempdir()), BUILD_SPACE_BYTES)):
        free = shutil.disk_usage(folder).free
        if free < needed and not _is_installed("torch"):
            problems.append(f"About {needed / 1e9:.0f} GB of disk space: {folder} has {free / 1e9:.1f} GB free.")
    return problems


def missing_for_a_window() -> list[str]:
    """Debian's packages of the system libraries that Qt wants and this computer lacks; nothing here needs them without
    a screen.
    """
    if platform.system() != "Linux":
        return []
    return [package for library, package in QT_LIBRARIES.items() if ctypes.util.find_library(library) is None]


def run_program() -> int:
    """Become the installed program; its exit code is ours, and Ctrl-C is its own to handle."""
    program = str(SCRIPTS / "lab-desktop")
    say("Starting lab-desktop …")
    if os.name != "nt":
        os.execv(program, [program])
    return subprocess.run([program], check=False).returncode


def run_tests(pytest_arguments: list[str]) -> int:
    """Every check, also after one failed; 0 when all passed.

    Tests run in a process for each core, except those that measure time: they come last, and alone. One of them that
    fails is tried again, twice: what is slow by a mistake of ours is slow each time, and a burst of other work is not.
    Any other is tried once more, and named in the end where it passed then: it wants a look, and stops nobody.
    """
    python = [str(PYTHON), "-m"]
    processes = ["-n", str(min(_cores(), MOST_TEST_PROCESSES)), "--dist", "worksteal"]
    again = ["--reruns", "2", "--reruns-delay", "10", "-rR"]
    checks = {
        "ruff check": [*python, "ruff", "check", "."],
        "ruff format": [*python, "ruff", "format", "--check", "."],
        "mypy": [*python, "mypy"],
        "pytest": [*python, "pytest", *processes, "--alone=skip", "--reruns", "1", "-rR", *pytest_arguments],
        "pytest, what measures time": [*python, "pytest", *pytest_arguments, "-n0", "--alone=only", *again],
    }
    failed, found_none = [], 0
    for name, command in checks.items():
        say(f"{name} …")
        start = time.monotonic()
        code = subprocess.run(command, cwd=ROOT, env=_environment(), check=False).returncode
        is_none = code == NO_TESTS and "pytest" in command
        found_none += is_none
        result = "no test chosen" if is_none else "FAILED" if code else "passed"
        say(f"{name}: {result} in {duration(time.monotonic() - start)}.")
        if code == 130:
            return 130
        if code and (not is_none or found_none == 2):
            failed.append(name)
    if failed:
        print(f"\nFailed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def requirements(lock: Path) -> list[str]:
    """The requirement lines of a lock, without comments."""
    lines = (line.split("#")[0].strip() for line in lock.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def duration(seconds: float) -> str:
    """Seconds as people say them: "4 min 10 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def say(text: str) -> None:
    print(text, flush=True)


def _make_venv() -> None:
    """A .venv whose Python starts and has pip; one that was half made, or whose Python is gone, is made anew."""
    if VENV.exists() and not VENV.is_dir():
        raise SetupError(f"{VENV} is in the way: it is not a folder. Move it elsewhere, then run this again.")
    probe = "import sys, pip; sys.exit(sys.version_info[:2] < (3, 11))"
    works = (
        PYTHON.exists() and subprocess.run([str(PYTHON), "-c", probe], capture_output=True, check=False).returncode == 0
    )
    if works:
        _forget_half_installed()
        return
    say(f"Making {VENV} with Python {platform.python_version()} …")
    result = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if result.returncode:
        raise SetupError(
            f"{VENV} could not be made. On Debian and Ubuntu: sudo apt install python3-venv\n"
            f"{result.stdout}{result.stderr}"
        )


def _forget_half_installed() -> None:
    # pip writes RECORD last. Killed before that, it would take the package for installed.
    for folder in VENV.glob("**/site-packages/*.dist-info"):
        if not (folder / "RECORD").is_file():
            shutil.rmtree(folder)


def _refuse_cuda_torch(torch: str) -> None:
    """Ask pip which torch would come, before gigabytes do: on Linux the public index offers the build for NVIDIA cards,
    which does not even start without 3 GB of CUDA packages.
    """
    if platform.system() != "Linux" or _is_installed(torch):
        return
    report = VENV / "torch-report.json"
    _pip("install", "--no-deps", "--dry-run", "--report", str(report), torch)
    for package in json.loads(report.read_text(encoding="utf-8"))["install"]:
        if any(need.startswith(("nvidia-", "cuda-")) for need in package["metadata"].get("requires_dist", [])):
            raise SetupError(
                f"pip finds only the build of {torch} for NVIDIA cards, which needs 3 GB of CUDA packages more. "
                "The one for processors is small.\nOn pytorch.org, under Get Started, choose Linux, Pip and CPU; take "
                "the address after --index-url and run:\n"
                "    PIP_EXTRA_INDEX_URL=ADDRESS python3 packaging/bootstrap.py\n"
                "(or lay the file torch-*+cpu-*.whl into a folder and name it with PIP_FIND_LINKS=FOLDER)."
            )


def _pip(*arguments: str) -> None:
    _run_logged([str(PYTHON), "-m", "pip", *arguments], "The packages could not be installed")


def _run_logged(command: list[str], what_failed: str) -> None:
    """Run a command with its output in the log, and a line now and then, so that nobody takes it for stuck."""
    start = time.monotonic()
    with open(LOG, "a", encoding="utf-8") as log:
        begin = log.tell()
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        process = subprocess.Popen(
            command, cwd=ROOT, env=_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while True:
                try:
                    code = process.wait(timeout=HEARTBEAT_S)
                    break
                except subprocess.TimeoutExpired:
                    say(f"  … still working, {duration(time.monotonic() - start)} so far")
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
    if code:
        output = LOG.read_bytes()[begin:].decode("utf-8", errors="replace")
        cause = next((sentence for signs, sentence in CAUSES if any(sign in output for sign in signs)), "")
        tail = "\n".join("    " + line for line in output.strip().splitlines()[-12:])
        raise SetupError(f"{what_failed}. {cause}\nThe last lines of {LOG}:\n{tail}")


def _environment() -> dict[str, str]:
    """The caller's environment, without what would lead pip or Python out of the .venv."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    environment.update(PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    environment["PATH"] = f"{SCRIPTS}{os.pathsep}{environment.get('PATH', os.defpath)}"
    return environment


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_installed(requirement: str) -> bool:
    name, _, version = requirement.split(";")[0].strip().partition("==")
    return any(VENV.glob(f"**/site-packages/{name.replace('-', '_')}-{version}*.dist-info"))


def _runs(variable: str, *names: str) -> bool:
    """Is there a compiler that starts? A Mac without its tools has a `cc` that only offers to install them."""
    for name in (os.environ.get(variable, "").split() or [""])[:1] + list(names):
        if (
            name
            and shutil.which(name)
            and not subprocess.run([name, "--version"], capture_output=True, check=False).returncode
        ):
            return True
    return False


def _stamp(lock: Path) -> Path:
    return VENV / f"{lock.stem}.stamp"


def _fingerprint(lock: Path) -> str:
    """Names the lock, the project's settings and the place: a folder that was moved or copied is set up again."""
    parts = (lock.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), str(ROOT).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(
            f"Python 3.11 or newer is needed, and this is {platform.python_version()}. "
            "Install a newer one, then run it with that: python3.12 packaging/bootstrap.py"
        )
    sys.exit(main(sys.argv[1:]))
