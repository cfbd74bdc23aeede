"""The commands that sign an app, from the inside out, and that prove its signatures.

Apple: "Creating distribution-signed code for macOS" (each piece of its own, innermost first, never --deep).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from macos import macho

AD_HOC = "-"
_AT_ONCE = 100
"""Files in one command; a command line has a longest length."""


@dataclass(frozen=True)
class Signer:
    """Who signs.

    Attributes:
        identity: the certificate's name in the keychain, "Developer ID Application: NAME (TEAM)"; "-" is nobody, which
            runs on the Mac where it is signed, and elsewhere after its owner has allowed it.
    """

    identity: str

    @property
    def is_somebody(self) -> bool:
        return self.identity != AD_HOC

    def command(self, *paths: Path) -> list[str]:
        """Sign these, in this order, and replace what signatures they have.

        A certificate's signature gets Apple's time and the hardened runtime, without which nothing is approved. No
        program gets a right (entitlement) that takes something of it back: packaging/README.md tells why none needs to.
        Nobody's gets neither: a hardened program would refuse its own libraries, since nobody is not the same nobody.
        """
        how = ["--timestamp", "--options", "runtime"] if self.is_somebody else ["--timestamp=none"]
        return ["codesign", "--force", "--sign", self.identity, *how, *map(str, paths)]


def sign_app(app: Path, signer: Signer) -> Iterator[list[str]]:
    """The commands that sign everything in an app and then the app itself, read off its files."""
    inside = macho.inside_out(app)
    for start in range(0, len(inside), _AT_ONCE):
        yield signer.command(*inside[start : start + _AT_ONCE])
    yield signer.command(app)


def verification(app: Path) -> list[str]:
    """The command that fails where a signature is missing, broken, or does not fit what it signs."""
    return ["codesign", "--verify", "--deep", "--strict", "--all-architectures", "--verbose=2", str(app)]
