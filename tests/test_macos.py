"""The Mac app's making: what is signed, in which order, what is refused before, and that a failed step is the last."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import plistlib
import re
import shutil
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab_desktop import __version__
from lab_desktop.contribution.destinations import PACK

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "packaging"))

from app import built, locks  # noqa: E402
from app.workshop import BuildError, Workshop  # noqa: E402
from macos import background, bundle, checks, macho, release, signing  # noqa: E402

ARM, INTEL = 0x0100000C, 0x01000007
IDENTITY = "Developer ID Application: Ada Byron (TEAM123456)"
SECRETS = {"APPLE_P12_PASSWORD": "open-sesame-77", "APPLE_API_KEY": "MIGTAgEAMBMGByqGSM49"}
MAC = ROOT / "packaging" / "macos"


def thin(
    kind: int = 6, processor: int = ARM, macos: tuple[int, int] = (14, 0), loads: tuple[str, ...] = (),
    order: str = "<", is_64: bool = True,
) -> bytes:  # fmt: skip
    """A program or library with one slice: its header and load commands."""
    commands = [struct.pack(f"{order}6I", 0x32, 24, 1, macos[0] << 16 | macos[1] << 8, 0, 0)]
    for name in loads:
        text = name.encode() + b"\0" * (8 - len(name) % 8)
        commands.append(struct.pack(f"{order}6I", 0x0C, 24 + len(text), 24, 0, 0, 0) + text)
    body = b"".join(commands)
    magic = 0xFEEDFACF if is_64 else 0xFEEDFACE
    header = struct.pack(f"{order}7I", magic, processor, 0, kind, len(commands), len(body), 0)
    return header + (b"\0" * 4 if is_64 else b"") + body + b"code"


def fat(*slices: tuple[int, bytes], is_64: bool = False) -> bytes:
    """A program or library with these slices, (processor, bytes) each."""
    entry = ">IIQQII" if is_64 else ">5I"
    start, table, data = 4096, b"", b""
    for processor, content in slices:
        numbers = (processor, 0, start + len(data), len(content), 12)
        table += struct.pack(entry, *numbers, *((0,) if is_64 else ()))
        data += content
    head = struct.pack(">II", 0xCAFEBABF if is_64 else 0xCAFEBABE, len(slices)) + table
    return head.ljust(4096, b"\0") + data


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app as a build makes it, with a file for each kind of place."""
    root = tmp_path / "dist" / "LAB Desktop.app"
    contents = root / "Contents"
    engine = contents / "Resources" / "engine"
    packages = engine / "lib" / "python3.12" / "site-packages"
    core = contents / "Frameworks" / "PySide6" / "Qt" / "lib" / "QtCore.framework"

    def put(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    put(contents / "MacOS" / "LAB Desktop", thin(2, loads=("@executable_path/../Frameworks/Python",)))
    put(contents / "Resources" / "LAB Desktop.icns", b"icns")
    put(core / "Versions" / "A" / "QtCore", fat((INTEL, thin(processor=INTEL)), (ARM, thin(macos=(13, 0)))))
    put(core / "Versions" / "A" / "Resources" / "Info.plist", b"<plist/>")
    (core / "Versions" / "Current").symlink_to("A")
    (core / "QtCore").symlink_to("Versions/Current/QtCore")
    put(contents / "Frameworks" / "PySide6" / "QtCore.abi3.so", thin(8, macos=(15, 0)))
    put(engine / "bin" / "python3.12", thin(2, loads=("@executable_path/../lib/libpython3.12.dylib",)))
    (engine / "bin" / "python3").symlink_to("python3.12")
    put(engine / "lib" / "libpython3.12.dylib", thin(6, macos=(11, 0), loads=("/usr/lib/libSystem.B.dylib",)))
    put(packages / "mlx" / "core.cpython-312-darwin.so", thin(8))
    put(packages / "mlx" / "lib" / "libmlx.dylib", thin(6))
    put(packages / "mlx" / "lib" / "mlx.metallib", b"MTLB")
    put(packages / "torch" / "bin" / "torch_shm_manager", thin(2))
    put(packages / "lab_desktop" / "__init__.py", b"")
    for name in ("mlx", "mlx_metal"):
        put(
            packages / f"{name}-0.32.4.dist-info" / "WHEEL", b"Wheel-Version: 1.0\nTag: cp312-cp312-macosx_14_0_arm64\n"
        )
    (contents / "Frameworks" / "libpython3.12.dylib").symlink_to("../Resources/engine/lib/libpython3.12.dylib")
    told = {**plistlib.loads((MAC / "Info.plist").read_bytes())}
    put(contents / "Info.plist", plistlib.dumps({**told, "CFBundleVersion": "1", "CFBundleShortVersionString": "1"}))
    return root


# What a file is


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_64", [True, False])
def test_a_library_is_known_by_its_first_bytes(tmp_path: Path, order: str, is_64: bool) -> None:
    file = tmp_path / "no suffix at all"
    file.write_bytes(thin(6, macos=(13, 3), loads=("/usr/lib/libz.1.dylib", "@rpath/a"), order=order, is_64=is_64))

    found = macho.read(file)

    assert found == macho.MachO("library", ("arm64",), (13, 3), ("/usr/lib/libz.1.dylib", "@rpath/a"))


@pytest.mark.parametrize("is_64", [True, False])
def test_of_a_file_for_two_processors_the_slice_for_arm_tells(tmp_path: Path, is_64: bool) -> None:
    file = tmp_path / "lib.dylib"
    slices = (INTEL, thin(2, INTEL, (10, 15))), (ARM, thin(2, ARM, (11, 0), ("@rpath/x",)))
    file.write_bytes(fat(*slices, is_64=is_64))

    assert macho.read(file) == macho.MachO("program", ("x86_64", "arm64"), (11, 0), ("@rpath/x",))


@pytest.mark.parametrize(
    "content",
    [b"", b"\xca", b"\xcf\xfa\xed", b"#!/bin/sh\n", b"\x7fELF" + bytes(60), b"PK\x03\x04", b"MTLB" + bytes(40),
     b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + b"a Java class" * 9],
)  # fmt: skip
def test_other_files_are_none_of_them(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)

    assert macho.read(tmp_path / "file") is None


def test_links_and_folders_are_none_and_static_libraries_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "lib.dylib").write_bytes(thin())
    (tmp_path / "link.dylib").symlink_to("lib.dylib")
    (tmp_path / "thin.a").write_bytes(b"!<arch>\n" + bytes(60))
    (tmp_path / "fat.a").write_bytes(fat((ARM, b"!<arch>\n" + bytes(60))))

    assert macho.read(tmp_path / "link.dylib") is None
    assert macho.read(tmp_path) is None
    assert [macho.read(tmp_path / name) for name in ("thin.a", "fat.a")] == [macho.MachO("archive", ())] * 2
    assert macho.inside_out(tmp_path) == [tmp_path / "lib.dylib"]


def test_a_cut_library_is_refused_by_its_name(tmp_path: Path) -> None:
    whole = thin(loads=("/usr/lib/libz.1.dylib",))
    for length in range(4, len(whole) - 4, 9):
        (tmp_path / "lib.dylib").write_bytes(whole[:length])
        with pytest.raises(BuildError, match=r"lib\.dylib is a program or library that is cut or damaged"):
            macho.read(tmp_path / "lib.dylib")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    magic=st.sampled_from([b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"]), rest=st.binary(max_size=200)
)
def test_no_bytes_bring_it_down(tmp_path: Path, magic: bytes, rest: bytes) -> None:
    (tmp_path / "file").write_bytes(magic + rest)

    try:
        macho.read(tmp_path / "file")
    except BuildError as error:
        assert "cut or damaged" in str(error)


# In which order it is signed


def test_everything_is_signed_after_what_lies_in_it_and_the_app_last(app: Path) -> None:
    inside = macho.inside_out(app)

    assert [path.relative_to(app / "Contents").as_posix() for path in inside] == [
        "Frameworks/PySide6/Qt/lib/QtCore.framework/Versions/A/QtCore",
        "Frameworks/PySide6/Qt/lib/QtCore.framework",
        "Frameworks/PySide6/QtCore.abi3.so",
        "Resources/engine/bin/python3.12",
        "Resources/engine/lib/python3.12/site-packages/mlx/lib/libmlx.dylib",
        "Resources/engine/lib/python3.12/site-packages/mlx/core.cpython-312-darwin.so",
        "Resources/engine/lib/python3.12/site-packages/torch/bin/torch_shm_manager",
        "Resources/engine/lib/libpython3.12.dylib",
    ]
    for earlier, later in itertools.combinations(inside, 2):
        assert not later.is_relative_to(earlier)


def test_every_signature_has_the_hardened_runtime_and_no_exception_from_it(app: Path) -> None:
    commands = list(signing.sign_app(app, signing.Signer(IDENTITY)))

    signed = [path for command in commands for path in command if path.startswith(str(app))]
    assert signed == [*map(str, macho.inside_out(app)), str(app)]
    for command in commands:
        how = ["codesign", "--force", "--sign", IDENTITY, "--timestamp", "--options", "runtime"]
        assert command[: len(how)] == how
        assert all(word.startswith(str(app)) for word in command[len(how) :])


def test_nobody_signs_without_time_and_runtime(app: Path) -> None:
    for command in signing.sign_app(app, signing.Signer("-")):
        assert command[2:5] == ["--sign", "-", "--timestamp=none"]
        assert "--options" not in command


def test_a_long_list_is_signed_in_several_commands_and_in_order(tmp_path: Path) -> None:
    app = tmp_path / "Big.app"
    app.mkdir()
    for number in range(250):
        (app / f"{number:03}.so").write_bytes(thin(8))

    commands = list(signing.sign_app(app, signing.Signer(IDENTITY)))

    signed = [[Path(word).name for word in command if word.endswith(".so")] for command in commands]
    assert [len(some) for some in signed] == [100, 100, 50, 0]
    assert list(itertools.chain(*signed)) == [f"{number:03}.so" for number in range(250)]


# What is refused before it is signed


def test_an_app_that_is_well_made_has_no_problems(app: Path) -> None:
    assert checks.problems(app) == []


BREAKS: dict[str, Callable[[Path], object]] = {
    r"MacOS/LAB Desktop is missing": lambda app: (app / "Contents/MacOS/LAB Desktop").unlink(),
    r"Info\.plist cannot be read": lambda app: (app / "Contents/Info.plist").write_bytes(b"<plist>"),
    r"Info\.plist has no CFBundleVersion": lambda app: shutil.copy(MAC / "Info.plist", app / "Contents/Info.plist"),
    r"Resources/x leads out of the app, or nowhere: /usr/lib": lambda app: (app / "Contents/Resources/x").symlink_to(
        "/usr/lib"
    ),
    r"Resources/x leads out of the app, or nowhere: \.\./\.\./\.\.": lambda app: (
        app / "Contents/Resources/x"
    ).symlink_to("../../.."),
    r"Resources/x leads out of the app, or nowhere: gone": lambda app: (app / "Contents/Resources/x").symlink_to(
        "gone"
    ),
    r"Resources/x leads out of the app, or nowhere: /.*plist": lambda app: (app / "Contents/Resources/x").symlink_to(
        app / "Contents/Info.plist"
    ),
    r"Frameworks/notes\.txt is no program": lambda app: (app / "Contents/Frameworks/notes.txt").write_text("x"),
    r"Frameworks/python3\.12 is a folder with a dot": lambda app: (app / "Contents/Frameworks/python3.12").mkdir(),
    r"x\.o is for compilers only": lambda app: (app / "Contents/Resources/x.o").write_bytes(thin(1)),
    r"x\.a is for compilers only": lambda app: (app / "Contents/Resources/x.a").write_bytes(b"!<arch>\n"),
    r"x\.so is for x86_64, not for arm64": lambda app: (app / "Contents/Resources/x.so").write_bytes(thin(8, INTEL)),
    r"x\.so needs macOS 26\.0": lambda app: (app / "Contents/Resources/x.so").write_bytes(thin(8, macos=(26, 0))),
    r"x\.so needs /opt/homebrew/lib/libssl": lambda app: (app / "Contents/Resources/x.so").write_bytes(
        thin(8, loads=("/opt/homebrew/lib/libssl.3.dylib",))
    ),
    r"mlx\.metallib is in the app 0 times": lambda app: next(app.rglob("mlx.metallib")).unlink(),
    r"other/mlx\.metallib lies where MLX does not look": lambda app: (
        (app / "Contents/Resources/other").mkdir(),
        (app / "Contents/Resources/other/mlx.metallib").write_bytes(b"MTLB"),
    ),
    r"libmlx\.dylib does not lie beside": lambda app: next(app.rglob("libmlx.dylib")).unlink(),
    r"mlx_metal is the wheel for py3-none-macosx_26_0_arm64; macosx_14_0_arm64 is wanted": lambda app: next(
        app.rglob("mlx_metal-*/WHEEL")
    ).write_text("Tag: py3-none-macosx_26_0_arm64\n"),
    r"mlx is not in the engine": lambda app: next(app.rglob("mlx-*/WHEEL")).unlink(),
    r"The engine is missing": lambda app: shutil.rmtree(app / "Contents/Resources/engine/lib"),
}


@pytest.mark.parametrize("sentence", BREAKS)
def test_what_is_wrong_with_an_app_is_said_before_it_is_signed(app: Path, sentence: str) -> None:
    BREAKS[sentence](app)

    with pytest.raises(BuildError, match=sentence):
        checks.refuse(app)


def test_the_engine_is_what_the_lock_names_and_nothing_is_built_without_its_check_number(tmp_path: Path) -> None:
    entry = locks.engine_archive(ROOT / "packaging" / "engine.lock", "macos-arm64")
    unchecked = tmp_path / "engine.lock"
    text = (ROOT / "packaging" / "engine.lock").read_text(encoding="utf-8")
    unchecked.write_text(text.replace(entry.sha256, ""), encoding="utf-8")

    assert "aarch64-apple-darwin-install_only" in entry.url and entry.version in entry.url
    with pytest.raises(BuildError, match="no check number"):
        locks.engine_archive(unchecked, "macos-arm64")


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "99" if self.path == "/short" else "6")
        self.end_headers()
        self.wfile.write(b"python")

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("path", "sha256", "said"),
    [("/gone", "0" * 64, "cannot be downloaded: .*refused"), ("/short", "0" * 64, "cannot be downloaded: Incomplete"),
     ("/other", "0" * 64, "is not what the lock names"), ("/right", hashlib.sha256(b"python").hexdigest(), "")],
)  # fmt: skip
def test_the_engine_is_downloaded_whole_or_a_sentence_says_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, sha256: str, said: str
) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    threading.Thread(target=server.serve_forever).start()
    if path == "/gone":
        server.shutdown()
        server.server_close()
    lock = tmp_path / "engine.lock"
    lock.write_text(
        f'[macos-arm64]\nurl = "http://127.0.0.1:{server.server_port}{path}"\nsha256 = "{sha256}"\nversion = "3"\n'
    )
    monkeypatch.setattr(release, "ENGINE_LOCK", lock)
    work = release.Release(Workshop(tmp_path, tmp_path / "cache", tmp_path), signing.Signer(IDENTITY), ())
    try:
        with pytest.raises(BuildError, match=said) if said else contextlib.nullcontext():
            release.download_python(work)
    finally:
        server.shutdown()
        server.server_close()

    assert [file.read_bytes() for file in tmp_path.glob("cache/*")] == ([] if said else [b"python"])


def test_what_nobody_uses_leaves_no_link_to_nowhere_and_no_empty_folder(app: Path) -> None:
    frameworks, resources = (app / "Contents" / name for name in ("Frameworks", "Resources"))
    qt = frameworks / "PySide6" / "Qt"
    for name in ("plugins/platforms/libqcocoa.dylib", "plugins/sqldrivers/libqsqlite.dylib"):
        (qt / name).parent.mkdir(parents=True, exist_ok=True)
        (qt / name).write_bytes(thin(8))
    (resources / "PySide6" / "Qt" / "translations").mkdir(parents=True)
    (resources / "PySide6" / "Qt" / "translations" / "qt_de.qm").touch()
    (qt / "translations").symlink_to("../../../Resources/PySide6/Qt/translations")
    (resources / "plugins").symlink_to("../Frameworks/PySide6/Qt/plugins/sqldrivers")
    (resources / "again").symlink_to("plugins")

    bundle.tidy(app)

    assert checks.problems(app) == []
    assert [path.name for path in (qt / "plugins").rglob("*.dylib")] == ["libqcocoa.dylib"]
    assert not (qt / "plugins" / "sqldrivers").exists() and not (resources / "PySide6").exists()
    assert bundle.info("1.2.3")["CFBundleShortVersionString"] == "1.2.3"


# What the app says of itself


def test_the_app_opens_the_files_that_its_window_takes_in_and_no_others() -> None:
    told = plistlib.loads((MAC / "Info.plist").read_bytes())

    opened = [name for kind in told["CFBundleDocumentTypes"] for name in kind["LSItemContentTypes"]]
    declared = {kind["UTTypeIdentifier"]: kind["UTTypeTagSpecification"] for kind in told["UTExportedTypeDeclarations"]}
    assert opened == list(declared)
    assert [suffix for tags in declared.values() for suffix in tags["public.filename-extension"]] == [PACK.lstrip(".")]
    assert told["LSMinimumSystemVersion"] == f"{checks.OLDEST_MACOS[0]}.{checks.OLDEST_MACOS[1]}"
    assert told["NSRequiresAquaSystemAppearance"] is False and told["NSHighResolutionCapable"] is True


def test_a_labpack_is_the_same_kind_of_file_on_linux() -> None:
    linux = ROOT / "packaging" / "linux"
    told = plistlib.loads((MAC / "Info.plist").read_bytes())
    (kind,) = told["UTExportedTypeDeclarations"][0]["UTTypeTagSpecification"]["public.mime-type"]
    mime = ElementTree.parse(linux / "lab-desktop.xml").getroot()[0]

    assert f"MimeType={kind};" in (linux / "lab-desktop.desktop").read_text(encoding="utf-8").splitlines()
    assert mime.get("type") == kind
    assert [part.get("pattern") for part in mime if part.tag.endswith("}glob")] == [f"*{PACK}"]


def test_names_on_the_disk_image_can_be_read_whether_the_mac_is_light_or_dark(tmp_path: Path) -> None:
    given = {"defines": {"app": "/x/LAB Desktop.app", "background": "/x/background.png"}}
    exec(compile((MAC / "dmg_settings.py").read_text(encoding="utf-8"), "dmg_settings.py", "exec"), given)
    result = subprocess.run(
        [sys.executable, str(MAC / "background.py"), str(tmp_path), "--preview"], capture_output=True, check=False
    )

    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    width, height = struct.unpack(">II", (tmp_path / "background@2x.png").read_bytes()[16:24])
    assert (width / 2, height / 2) == given["window_rect"][1]
    assert given["icon_locations"] == {"LAB Desktop.app": background.APP, "Applications": background.APPLICATIONS}
    plate = _luminance(background.PLATE)
    assert min(1.05 / (plate + 0.05), (plate + 0.05) / 0.05) >= 4.5


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# The steps of a release

STAND_IN = """#!/bin/sh
name=$(basename "$0")
echo "$name $*" >> "$LOG"
case "$name $*" in *"$FAILS"*) echo "$name says no" >&2; exit 3;; esac
case "$*" in
    "notarytool submit"*) echo '{"id": "2efe2717"}';;
    "notarytool info"*) echo '{"status": "'"$STATUS"'"}';;
    "notarytool log"*) echo '{"issues": [{"path": "libmlx.dylib", "message": "The signature is invalid."}]}';;
esac
"""
APPLES = ("codesign", "xcrun", "ditto", "spctl", "env")


@pytest.fixture
def apple(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for Apple's programs: each writes how it was called into a file, whose path this is."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in APPLES:
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod((programs / name).stat().st_mode | stat.S_IXUSR)
    log = tmp_path / "calls"
    log.touch()
    for name, value in {"LOG": str(log), "FAILS": "nothing fails", "STATUS": "Accepted", **SECRETS}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return log


def a_release(app: Path, identity: str = IDENTITY) -> release.Release:
    shop = Workshop(app.parent, app.parent / "cache", app.parent)
    (app.parent / "LAB Desktop.zip").touch()
    return release.Release(shop, signing.Signer(identity), ("--keychain-profile", "lab-desktop"))


FROM_CHECK = ["check", "try", "sign", "verify", "try-signed", "notarize", "staple"]


def calls(log: Path) -> list[str]:
    """Which programs were called, in short: the first word or, of Apple's families, two."""
    short = []
    for line in log.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words[0] == "xcrun":
            short.append(" ".join(words[1:3]))
        elif words[0] == "codesign":
            short.append(f"codesign {words[1]}")
        else:
            short.append("self-test" if "--selftest" in words else words[0])
    return [name for name, _ in itertools.groupby(short)]


def test_an_app_is_tried_before_and_after_it_is_signed_and_sent_to_apple_only_when_that_holds(
    app: Path, apple: Path
) -> None:
    release.take(a_release(app), FROM_CHECK)

    assert calls(apple) == [
        "self-test", "codesign --force", "codesign --verify", "codesign --display", "self-test",
        "codesign --verify", "ditto", "notarytool submit", "notarytool wait", "notarytool info", "stapler staple",
        "stapler validate", "spctl",
    ]  # fmt: skip
    assert not (app.parent / "LAB Desktop.zip").exists()


@pytest.mark.parametrize(
    ("fails", "last"),
    [("--selftest", "self-test"), ("codesign --force", "codesign --force"), ("codesign --verify", "codesign --verify"),
     ("ditto", "ditto"), ("notarytool submit", "notarytool submit"), ("stapler staple", "stapler staple")],
)  # fmt: skip
def test_nothing_is_done_after_a_step_that_failed(
    app: Path, apple: Path, monkeypatch: pytest.MonkeyPatch, fails: str, last: str
) -> None:
    monkeypatch.setenv("FAILS", fails)

    with pytest.raises(BuildError, match="says no"):
        release.take(a_release(app), FROM_CHECK)

    assert calls(apple)[-1] == last


def test_the_engine_s_python_that_was_unpacked_half_is_unpacked_anew(app: Path, tmp_path: Path) -> None:
    cut = a_release(app)
    version = locks.engine_archive(ROOT / "packaging" / "engine.lock", "macos-arm64").version
    unpacked = cut.shop.cache / f"python-{version}"
    left = cut.shop.cache / f".python-{version}.part" / "python" / "half"
    left.parent.mkdir(parents=True)
    left.touch()
    program = tmp_path / "python" / "bin" / "python3.12"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    subprocess.run(["tar", "-czf", cut.archive, "-C", tmp_path, "python"], check=True)

    with pytest.raises(BuildError, match="ended with 3"):
        release.take(cut, ["packages"])

    assert (unpacked / "python" / "bin" / "python3.12").is_file()
    assert [path.name for path in cut.shop.cache.iterdir() if path.name.startswith(".")] == []
    assert list(unpacked.rglob("half")) == []


def test_an_app_that_is_not_fit_is_not_even_started(app: Path, apple: Path) -> None:
    next(app.rglob("mlx.metallib")).unlink()

    with pytest.raises(BuildError, match="not fit to be signed"):
        release.take(a_release(app), FROM_CHECK)

    assert calls(apple) == []


@pytest.mark.parametrize("fails", ["nothing fails", "notarytool wait"])
def test_what_apple_refuses_is_told_with_its_reasons(
    app: Path, apple: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    monkeypatch.setenv("STATUS", "Invalid")
    monkeypatch.setenv("FAILS", fails)

    with pytest.raises(BuildError, match=r"does not approve LAB Desktop\.zip \(Invalid\)[\s\S]*libmlx\.dylib"):
        release.take(a_release(app), ["notarize", "staple"])

    assert calls(apple)[-1] == "notarytool log"


def test_an_image_is_signed_sent_and_stapled_in_this_order(app: Path, apple: Path) -> None:
    release.take(a_release(app), ["sign-image", "notarize-image", "staple-image"])

    assert calls(apple) == [
        "codesign --force", "codesign --verify", "notarytool submit", "notarytool wait", "notarytool info",
        "stapler staple", "stapler validate", "spctl",
    ]  # fmt: skip


def test_a_preview_asks_apple_nothing_and_its_image_bears_another_name(app: Path, apple: Path) -> None:
    preview = a_release(app, identity="-")

    release.take(preview, [*FROM_CHECK, "sign-image", "notarize-image", "staple-image"])

    assert set(calls(apple)) == {"self-test", "codesign --force", "codesign --verify", "codesign --display"}
    assert preview.image.name == f"LAB-Desktop-{__version__}-preview.dmg"


def test_no_secret_is_an_argument(app: Path, apple: Path) -> None:
    release.take(a_release(app), FROM_CHECK)

    assert len(apple.read_text(encoding="utf-8")) > 1000
    assert not any(secret in apple.read_text(encoding="utf-8") for secret in SECRETS.values())


def dry(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SIGNING", "NOTARY"))}
    return subprocess.run(
        [sys.executable, str(MAC / "release.py"), *arguments],
        capture_output=True, text=True, check=False, env={**kept, **SECRETS, **environment},
    )  # fmt: skip


def test_a_dry_run_prints_every_command_in_order_and_does_nothing(app: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))

    result = dry(
        "--dry-run", "--out", str(app.parent), "--cache", str(tmp_path / "cache"),
        SIGNING_IDENTITY=IDENTITY, NOTARY_KEYCHAIN="/k.keychain-db",
    )  # fmt: skip

    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.removesuffix(" …") for line in lines if line.endswith(" …")] == list(release.STEPS)
    order = [
        "engine.lock", "bootstrap.py setup", "--platform macosx_14_0_arm64", "bundle.py", "--selftest",
        "QtCore.framework/Versions/A/QtCore", "codesign --verify --deep --strict",
        "--selftest", "ditto", "notarytool submit", "stapler staple", "spctl --assess --type execute",
        "dmgbuild", "hdiutil verify",
        f"LAB-Desktop-{__version__}.dmg", "notarytool submit", "--keychain /k.keychain-db", "stapler staple",
        "--context context:primary-signature",
    ]  # fmt: skip
    at = 0
    for words in order[1:]:
        at = next(number for number in range(at, len(lines)) if words in lines[number])
    assert not any(secret in result.stdout for secret in SECRETS.values())
    assert sorted(tmp_path.rglob("*")) == before


def test_the_bundle_s_dry_run_shows_what_it_is_made_of_and_makes_nothing(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(MAC / "bundle.py"), "--dry-run", "--python", "python.tar.gz",
         "--out", str(tmp_path / "dist"), "--cache", str(tmp_path / "cache")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (result.returncode, result.stderr) == (0, "")
    order = ["cmake --build", "packaging/icon.py", "-m PyInstaller", "The engine: python.tar.gz", "compileall"]
    assert [words for line in result.stdout.splitlines() for words in order if words in line] == order
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "darwin", reason="here it would begin")
def test_it_begins_nowhere_but_on_a_mac() -> None:
    result = dry("check", SIGNING_IDENTITY=IDENTITY)

    assert (result.returncode, result.stdout) == (1, "")
    assert "built and signed on a Mac" in result.stderr


def test_without_a_certificate_there_is_only_a_preview(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delenv("SIGNING_IDENTITY", raising=False)
    folders = ["--out", str(tmp_path), "--cache", str(tmp_path)]
    assert release.main(["sign", *folders]) == 1
    assert "SIGNING_IDENTITY names no certificate" in capsys.readouterr().err

    shown, preview = dry("--dry-run", "sign"), dry("--dry-run", "--preview", "sign", "notarize")

    assert shown.returncode == 0
    assert f"--sign '{release.SOMEBODY}'" in shown.stdout
    assert preview.returncode == 0
    assert "notarize: left out of a preview" in preview.stdout
    assert dry("--dry-run", "polish").returncode == 2


# The workflow of a release, its keychain, and what it announces


WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"


def jobs() -> dict[str, dict[str, Any]]:
    """The workflow's jobs by name."""
    return dict(yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"])


def test_the_workflow_takes_every_step_once_and_in_order() -> None:
    taken = [
        word
        for step in jobs()["mac"]["steps"]
        for line in step.get("run", "").splitlines()
        if "release.py" in line
        for word in line.partition("release.py")[2].split()
    ]

    assert taken == list(release.STEPS)


def test_secrets_are_named_where_they_are_used_alone_and_the_keychain_is_always_removed() -> None:
    with_secrets = {
        step.get("name", step.get("id")): step["env"]
        for job in jobs().values()
        for step in job["steps"]
        if "secrets." in str(step)
    }
    steps = jobs()["mac"]["steps"]
    names = [step.get("name") for step in steps]
    remove = steps[names.index("Remove the keychain")]

    assert set(with_secrets) == {"plan", "Make a keychain"}
    assert all(value.endswith("!= '' }}") for value in with_secrets["plan"].values())
    assert remove["if"].startswith("always()") and names.index("Make a keychain") < names.index("Remove the keychain")
    assert all("secrets." not in step.get("run", "") for job in jobs().values() for step in job["steps"])
    assert all("secrets." not in str(job.get("env")) for job in jobs().values())


def test_nothing_is_published_before_all_is_built_and_only_there_may_it_write() -> None:
    publish = jobs()["publish"]

    assert set(publish["needs"]) == {"plan", "mac", "linux"}
    assert [name for name, job in jobs().items() if "permissions" in job] == ["publish"]
    uses = [step["uses"] for job in jobs().values() for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", name) for name in uses)
    final = publish["steps"][-1]["run"]
    assert final.index("--draft --verify-tag") < final.index("--draft=false")


@pytest.mark.parametrize(
    ("event", "name", "missing", "code", "said"),
    [("push", "v9.9.9", "", 1, "The tag is v9.9.9"),
     ("push", f"v{__version__}", "HAS_APPLE_API_KEY", 1, "Missing: APPLE_API_KEY"),
     ("push", f"v{__version__}", "", 0, "preview=false"),
     ("workflow_dispatch", f"v{__version__}", "", 0, "preview=true"),
     ("workflow_dispatch", "main", "HAS_APPLE_API_KEY", 0, "preview=true")],
)  # fmt: skip
def test_a_version_is_not_published_by_hand_or_unsigned_or_under_another_name(
    tmp_path: Path, event: str, name: str, missing: str, code: int, said: str
) -> None:
    step = jobs()["plan"]["steps"][-1]
    output = tmp_path / "output"
    environment = {
        **os.environ, **dict.fromkeys(step["env"], "true"), **({missing: "false"} if missing else {}),
        "GITHUB_EVENT_NAME": event, "GITHUB_REF_NAME": name, "GITHUB_OUTPUT": str(output),
        "GITHUB_REF_TYPE": "tag" if name.startswith("v") else "branch",
    }  # fmt: skip

    result = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert result.returncode == code
    assert said in result.stdout + (output.read_text() if output.exists() else "")


SECURITY = """#!/bin/sh
echo "$(basename "$0") $*" >> "$LOG"
if [ "$1" = -i ]; then
    while read -r line; do
        echo "$line" >> "$LOG.input"
        case "$line" in create-keychain*) touch "$KEYCHAIN";; esac
    done
fi
case "$1" in
    delete-keychain) rm "$2";;
    find-identity) echo "1) 0123 \\"$FOUND\\"";;
esac
"""


def keychain(tmp_path: Path, *arguments: str, found: str = IDENTITY) -> subprocess.CompletedProcess[str]:
    """Runs the script with stand-ins for `security` and `xcrun`, which write down how they were called."""
    programs = tmp_path / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("security", "xcrun"):
        (programs / name).write_text(SECURITY)
        (programs / name).chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}", "LOG": str(tmp_path / "log"), "FOUND": found,
        "KEYCHAIN": str(tmp_path / "my.keychain-db"), "TMPDIR": str(tmp_path / "scratch"),
        "CERTIFICATE_P12": "cGtjczEy", "CERTIFICATE_PASSWORD": "OpenSesame77", "API_KEY": "-----KEY-----",
        "API_KEY_ID": "ABC", "API_ISSUER": "1234",
    }  # fmt: skip
    (tmp_path / "scratch").mkdir(exist_ok=True)
    return subprocess.run(
        ["sh", str(MAC / "keychain.sh"), arguments[0], environment["KEYCHAIN"], *arguments[1:]],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_keychain_is_made_without_a_secret_in_an_argument_and_removed_again(tmp_path: Path) -> None:
    made = keychain(tmp_path, "make")

    assert (made.returncode, made.stderr) == (0, "")
    called, given = ((tmp_path / name).read_text(encoding="utf-8") for name in ("log", "log.input"))
    assert 'import "' in given and "-P OpenSesame77" in given
    password = re.search(r"create-keychain -p ([0-9a-f]{48}) ", given)
    assert password is not None
    for secret in (password[1], "OpenSesame77", "cGtjczEy", "-----KEY-----"):
        assert secret not in called + made.stdout
    assert "notarytool store-credentials lab-desktop --key" in called
    assert list((tmp_path / "scratch").iterdir()) == []
    assert (tmp_path / "my.keychain-db").exists()

    assert keychain(tmp_path, "remove").returncode == 0
    assert not (tmp_path / "my.keychain-db").exists()
    assert keychain(tmp_path, "remove").returncode == 0


def test_a_keychain_with_another_certificate_is_refused_and_does_not_stay(tmp_path: Path) -> None:
    result = keychain(tmp_path, "make", found="Apple Development: Ada Byron")

    assert result.returncode == 1
    assert "none for Developer ID Application" in result.stderr
    assert not (tmp_path / "my.keychain-db").exists()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_keychain_s_dry_run_does_nothing(tmp_path: Path) -> None:
    result = keychain(tmp_path, "make", "--dry-run")

    assert (result.returncode, result.stderr) == (0, "")
    assert "security -i" in result.stdout and "store-credentials" in result.stdout
    assert "OpenSesame77" not in result.stdout
    assert not (tmp_path / "log").exists()
    assert keychain(tmp_path, "polish").returncode == 2


def announce(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "packaging" / "announce.py"), str(folder), *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_release_tells_its_check_numbers_and_what_is_new(tmp_path: Path) -> None:
    for name in ("LAB-Desktop-1.0.dmg", "lab-desktop-1.0.tar.gz"):
        (tmp_path / name).write_text(name)

    result = announce(
        tmp_path, "--news", "https://example.org/latest.json", "--page", "https://example.org/r",
        "--what", "Lessons fly.", "--released", "2026-11-22",
    )  # fmt: skip

    assert (result.returncode, result.stderr) == (0, "")
    told = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert told == {
        "version": __version__, "page": "https://example.org/r", "released": "2026-11-22", "what": "Lessons fly.",
    }  # fmt: skip
    checked = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True)
    assert checked.returncode == 0
    assert len((tmp_path / "SHA256SUMS").read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--page", "http://example.org", "--what", "x"), "no https address"),
     (("--page", "https://a:b@example.org", "--what", "x"), "no https address"),
     (("--page", "https://example.com", "--what", "x"), "another host"),
     (("--page", "https://example.org", "--what", "two\nlines"), "one line"),
     (("--page", "https://example.org", "--what", " "), "one line"),
     (("--page", "https://example.org", "--what", "x", "--released", "22.11.2026"), "no day")],
)  # fmt: skip
def test_an_announcement_that_the_app_would_refuse_is_not_written(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "file").touch()

    result = announce(tmp_path, "--news", "https://example.org/latest.json", *arguments)

    assert result.returncode == 1
    assert said in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_without_an_address_for_news_there_are_check_numbers_only(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert announce(tmp_path).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SHA256SUMS", "file"]


def test_a_build_that_was_numbered_says_so_and_asks_only_where_it_is_told_to() -> None:
    number, news = {"BUILD_NUMBER": "12"}, {"NEWS_ADDRESS": "https://example.org/latest.json"}

    assert built.facts({}) == built.facts(news) == {}
    assert set(built.facts(number)) == {"number", "date"}
    assert built.facts({**number, **news})["news"] == "https://example.org/latest.json"
    with pytest.raises(BuildError, match="has to begin with https"):
        built.facts({"NEWS_ADDRESS": "http://example.org"})
