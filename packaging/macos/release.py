"""The Mac app from a fresh clone to a disk image that every Mac opens, step by step.

    python3 packaging/macos/release.py [STEP…] [--out FOLDER] [--preview] [--dry-run]

    python     download the Python that engine.lock names, and compare its check number
    packages   a .venv of that Python with the locked packages, and MLX as it was built for macOS 14
    build      OUT/LAB Desktop.app (packaging/macos/bundle.py)
    check      what must hold before anything is signed
    try        the app's own test of itself
    sign       every program and library, from the inside out, then the app
    verify     the signatures
    try-signed the same test again: a signature takes rights away
    notarize   Apple looks at the app; what it refuses is printed
    staple     its approval goes into the app, for Macs without a network
    image      OUT/LAB-Desktop-VERSION.dmg
    sign-image, notarize-image, staple-image

Without steps all of them, in this order; the first that fails is the last. `--preview` (or SIGNING_IDENTITY "-") signs
as nobody and asks Apple nothing: such an app opens only where its owner allows it, and its image says so. `--dry-run`
prints the commands.

Who signs is named in SIGNING_IDENTITY ("Developer ID Application: NAME (TEAM)"); what Apple is asked with lies in the
keychain, under the name in NOTARY_PROFILE ("lab-desktop" where it is not set; NOTARY_KEYCHAIN may name its file):
    xcrun notarytool store-credentials lab-desktop --key FILE --key-id ID --issuer ID
No secret is ever an argument or printed.

Exit: 0 done, 1 a step failed, 2 usage, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]

from app import locks  # noqa: E402
from app.workshop import NAME, BuildError, Workshop, user_cache  # noqa: E402

from lab_desktop import __version__  # noqa: E402
from lab_desktop.errors import StorageError  # noqa: E402
from lab_desktop.files import replacing  # noqa: E402
from macos import checks, signing  # noqa: E402
from macos.signing import AD_HOC, Signer  # noqa: E402

HERE = ROOT / "packaging" / "macos"
VENV_PYTHON = ROOT / ".venv" / "bin" / "python"
PACKAGES_LOCK = ROOT / "packaging" / "requirements.lock"
TOOLS_LOCK = ROOT / "packaging" / "requirements-build.lock"
ENGINE_LOCK = ROOT / "packaging" / "engine.lock"
SYSTEM = "macos-arm64"
SOMEBODY = "Developer ID Application: NAME (TEAM)"
MLX = ("mlx", "mlx-metal")


@dataclass(frozen=True)
class Release:
    """Attributes:
    shop: where it takes place; `shop.is_dry` prints instead of doing.
    signer: who signs.
    profile: the arguments by which notarytool finds what it signs in with.
    """

    shop: Workshop
    signer: Signer
    profile: tuple[str, ...]

    @property
    def app(self) -> Path:
        return self.shop.out / f"{NAME}.app"

    @property
    def image(self) -> Path:
        preview = "" if self.signer.is_somebody else "-preview"
        return self.shop.out / f"LAB-Desktop-{__version__}{preview}.dmg"

    @property
    def archive(self) -> Path:
        """The relocatable Python, as it was downloaded."""
        return self.shop.cache / Path(locks.engine_archive(ENGINE_LOCK, SYSTEM).url).name.replace("%2B", "+")

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None) -> str:
        """Run a program to its end, with its command line and what it says for all to see; gives what it said.

        Raises:
            BuildError: as in `Workshop.run`.
        """
        if not self.shop.is_dry:
            print("  $", shlex.join(map(str, command)), flush=True)
        said = self.shop.run(*command, env=env)
        if said:
            print(said, flush=True)
        return said


def download_python(release: Release) -> None:
    """
    Raises:
        BuildError: it cannot be had, or is not what engine.lock names.
    """
    entry = locks.engine_archive(ENGINE_LOCK, SYSTEM)
    if release.shop.is_dry:
        print(f"  # {entry.url}\n  # → {release.archive}, SHA-256 {entry.sha256}")
        return
    if not release.archive.is_file():
        try:
            with urllib.request.urlopen(entry.url, timeout=60) as answer:
                data = answer.read()
        except (OSError, HTTPException) as error:
            raise BuildError(f"{entry.url} cannot be downloaded: {error}.") from error
        with replacing(release.archive) as part:
            part.write_bytes(data)
            locks.verified(part, entry.sha256)
    locks.verified(release.archive, entry.sha256)


def set_up_packages(release: Release) -> None:
    """pip takes wheels for the macOS that it runs on; MLX's for a later one do not run on macOS 14."""
    version = locks.engine_archive(ENGINE_LOCK, SYSTEM).version
    unpacked = release.shop.cache / f"python-{version}"
    python = unpacked / "python" / "bin" / f"python{version.rpartition('.')[0]}"
    if not unpacked.exists():
        part = unpacked.with_name(f".{unpacked.name}.part")
        release.run("rm", "-rf", part)
        release.run("mkdir", "-p", part)
        release.run("tar", "-xzf", release.archive, "-C", part)
        release.run("mv", part, unpacked)
    release.run(python, ROOT / "packaging" / "bootstrap.py", "setup", env={"MACOSX_DEPLOYMENT_TARGET": "14.0"})
    where = 'import sysconfig; print(sysconfig.get_path("platlib"), end="")'
    packages = release.run(VENV_PYTHON, "-c", where) or "SITE-PACKAGES"
    wanted = [line.partition(";")[0].strip() for line in PACKAGES_LOCK.read_text(encoding="utf-8").splitlines()]
    release.run(
        VENV_PYTHON, "-m", "pip", "install", "--no-deps", "--upgrade", "--force-reinstall", "--only-binary", ":all:",
        "--platform", checks.WHEEL_TAG, "--target", packages,
        *(line for line in wanted if line.partition("==")[0] in MLX),
    )  # fmt: skip


def build(release: Release) -> None:
    """In the .venv's Python, which is the engine's: the window's program is frozen from what it shares with it."""
    release.run(
        VENV_PYTHON, HERE / "bundle.py", "--out", release.shop.out, "--cache", release.shop.cache,
        "--python", release.archive,
    )  # fmt: skip


def check(release: Release) -> None:
    """
    Raises:
        BuildError: the app is not fit to be signed; the message says why.
    """
    if release.shop.is_dry and not release.app.exists():
        print(f"  # {release.app} is looked through")
        return
    checks.refuse(release.app)


def try_out(release: Release) -> None:
    """Without the variables and programs that could lend it something of this computer's Python."""
    kept = (f"{name}={os.environ[name]}" for name in ("HOME", "TMPDIR") if name in os.environ)
    release.run("env", "-i", "PATH=/usr/bin:/bin", *kept, release.app / "Contents" / "MacOS" / NAME, "--selftest")


def sign(release: Release) -> None:
    if release.shop.is_dry and not release.app.exists():
        print(f"  # every program and library in {release.app}, deepest first")
        release.run(*release.signer.command(release.app))
        return
    for command in signing.sign_app(release.app, release.signer):
        release.run(*command)


def verify(release: Release) -> None:
    release.run(*signing.verification(release.app))
    release.run("codesign", "--display", "--verbose=4", "--entitlements", "-", release.app)


def try_signed(release: Release) -> None:
    """And it must not have changed itself meanwhile: a file more in it, and no signature fits."""
    try_out(release)
    release.run(*signing.verification(release.app))


def notarize(release: Release) -> None:
    """An app is sent as a zip, which ditto makes with its links."""
    packed = release.shop.out / f"{NAME}.zip"
    release.run("ditto", "-c", "-k", "--sequesterRsrc", "--keepParent", release.app, packed)
    approve(release, packed)
    if not release.shop.is_dry:
        packed.unlink()


def approve(release: Release, file: Path) -> None:
    """Send a file to Apple and wait until it has been looked at.

    Raises:
        BuildError: it is refused; the message holds Apple's reasons.
    """
    answer = _answer(release.run("xcrun", "notarytool", "submit", file, *release.profile, "--output-format", "json"))
    number = answer.get("id", "SUBMISSION")
    # Waiting ends with an error for what is refused: what counts is what it is told afterwards.
    try:
        release.run("xcrun", "notarytool", "wait", number, *release.profile, "--timeout", "2h")
    except BuildError as error:
        print(error, file=sys.stderr)
    told = _answer(release.run("xcrun", "notarytool", "info", number, *release.profile, "--output-format", "json"))
    if not release.shop.is_dry and told.get("status") != "Accepted":
        reasons = release.run("xcrun", "notarytool", "log", number, *release.profile)
        raise BuildError(f"Apple does not approve {file.name} ({told.get('status', 'no answer')}):\n{reasons}")


def staple(release: Release) -> None:
    release.run("xcrun", "stapler", "staple", release.app)
    release.run("xcrun", "stapler", "validate", release.app)
    release.run("spctl", "--assess", "--type", "execute", "--verbose=4", release.app)


def make_image(release: Release) -> None:
    drawn = release.shop.out / "background"
    tools = release.shop.cache / "image-tools"
    preview = () if release.signer.is_somebody else ("--preview",)
    release.run(VENV_PYTHON, HERE / "background.py", drawn, *preview)
    release.run(VENV_PYTHON, "-m", "pip", "install", "--quiet", "--upgrade", "--target", tools, "-r", TOOLS_LOCK)
    release.run(
        VENV_PYTHON, "-m", "dmgbuild", "--settings", HERE / "dmg_settings.py", "-D", f"app={release.app}",
        "-D", f"background={drawn / 'background.png'}", NAME, release.image,
        env={"PYTHONPATH": os.pathsep.join((str(tools), str(ROOT / "packaging")))},
    )  # fmt: skip
    release.run("hdiutil", "verify", release.image)


def sign_image(release: Release) -> None:
    timestamp = "--timestamp" if release.signer.is_somebody else "--timestamp=none"
    release.run("codesign", "--force", "--sign", release.signer.identity, timestamp, release.image)
    release.run("codesign", "--verify", "--strict", "--verbose=2", release.image)


def notarize_image(release: Release) -> None:
    approve(release, release.image)


def staple_image(release: Release) -> None:
    release.run("xcrun", "stapler", "staple", release.image)
    release.run("xcrun", "stapler", "validate", release.image)
    release.run("spctl", "--assess", "--type", "open", "--context", "context:primary-signature", "-v", release.image)


STEPS: dict[str, Callable[[Release], None]] = {
    "python": download_python,
    "packages": set_up_packages,
    "build": build,
    "check": check,
    "try": try_out,
    "sign": sign,
    "verify": verify,
    "try-signed": try_signed,
    "notarize": notarize,
    "staple": staple,
    "image": make_image,
    "sign-image": sign_image,
    "notarize-image": notarize_image,
    "staple-image": staple_image,
}
ASKS_APPLE = ("notarize", "staple", "notarize-image", "staple-image")


def take(release: Release, steps: Sequence[str]) -> None:
    """Take these steps, one after the other.

    Raises:
        BuildError: one failed; those after it were not taken.
    """
    for name in steps:
        if name in ASKS_APPLE and not release.signer.is_somebody:
            print(f"{name}: left out of a preview", flush=True)
        else:
            print(f"{name} …", flush=True)
            STEPS[name](release)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the steps that the command line names; returns the exit status."""
    options = _options(arguments)
    try:
        take(_release(options), options.steps or list(STEPS))
        return 0
    except (BuildError, StorageError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Give the steps that are left to go on.", file=sys.stderr)
        return 130


def _release(options: argparse.Namespace) -> Release:
    if sys.platform != "darwin" and not options.dry_run:
        raise BuildError("A Mac app is built and signed on a Mac. With --dry-run the commands are shown anywhere.")
    identity = AD_HOC if options.preview else os.environ.get("SIGNING_IDENTITY", "")
    if not identity and options.dry_run:
        identity = SOMEBODY
    if not identity:
        raise BuildError(
            f'SIGNING_IDENTITY names no certificate ("{SOMEBODY}"). Without one there is only a preview: --preview'
        )
    profile = ["--keychain-profile", os.environ.get("NOTARY_PROFILE") or "lab-desktop"]
    if keychain := os.environ.get("NOTARY_KEYCHAIN"):
        profile += ["--keychain", keychain]
    out = options.out.resolve()
    return Release(Workshop(out, options.cache.resolve(), out, options.dry_run), Signer(identity), tuple(profile))


def _answer(text: str) -> dict[str, str]:
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise BuildError(f"notarytool answered what is not understood: {text[:300]}") from error
    return value if isinstance(value, dict) else {}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The Mac app, step by step. Without steps all of them, in this order.")
    parser.add_argument("steps", nargs="*", metavar="STEP", choices=[*STEPS, []], help=", ".join(STEPS))
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="FOLDER", help="where it goes (dist)")
    parser.add_argument(
        "--cache", type=Path, default=user_cache(), metavar="FOLDER", help="what is kept between builds"
    )
    parser.add_argument("--preview", action="store_true", help="sign as nobody, and ask Apple nothing")
    parser.add_argument("--dry-run", action="store_true", help="print the commands and run none")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
