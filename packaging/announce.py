"""What a finished release says of itself: check numbers of its files, and the file by which an app learns of it.

python packaging/announce.py FOLDER [--news URL --page URL --what SENTENCE [--released YYYY-MM-DD]]

FOLDER/SHA256SUMS     a line for each file, as `sha256sum --check` reads it
FOLDER/latest.json    {"version", "page", "released", "what"}: what "Look for a new version" asks for; with --news,
                      the address at which it will lie. The app follows no redirection, and opens only a page on
                      the same host.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lab_desktop import __version__
from lab_desktop.files import write_json, write_text

SUMS, LATEST = "SHA256SUMS", "latest.json"
LONGEST_SENTENCE = 200
"""Characters: it is shown in one line or two."""


def latest(news: str, page: str, released: str, what: str) -> dict[str, str]:
    """What the app reads.

    Args:
        news: where it will read it; https.
        page: where a person reads more and downloads it; https, on the same host.
        released: the day, YYYY-MM-DD.
        what: one sentence: what is new.

    Raises:
        ValueError: one of them is not of that form; the message is a sentence.
    """
    for address in (news, page):
        where = urlsplit(address)
        if where.scheme != "https" or not where.hostname or where.username or where.password:
            raise ValueError(f"{address or 'Nothing'} is no https address.")
    if urlsplit(page).netloc != urlsplit(news).netloc:
        raise ValueError(f"{page} is on another host than {news}: the app would not open it.")
    if not what.strip() or len(what) > LONGEST_SENTENCE or not what.isprintable():
        raise ValueError(f"What is new has to be one line of at most {LONGEST_SENTENCE} characters.")
    try:
        datetime.date.fromisoformat(released)
    except ValueError:
        raise ValueError(f"{released} is no day: write it as YYYY-MM-DD.") from None
    return {"version": __version__, "page": page, "released": released, "what": what.strip()}


def sums(folder: Path) -> str:
    """The check numbers of a folder's files, in the order of their names."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name not in (SUMS, LATEST))
    if not files:
        raise ValueError(f"There is nothing to announce in {folder}.")
    lines = []
    for path in files:
        with open(path, "rb") as stream:
            lines.append(f"{hashlib.file_digest(stream, 'sha256').hexdigest()}  {path.name}\n")
    return "".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check numbers of a release's files, and latest.json.")
    parser.add_argument("folder", type=Path, help="what is released, and nothing else")
    parser.add_argument("--news", metavar="URL", help="where latest.json will lie; https")
    parser.add_argument("--page", default="", metavar="URL", help="where a person reads more; https, on the same host")
    parser.add_argument("--what", default="", metavar="SENTENCE", help="what is new, in one line")
    parser.add_argument("--released", default=datetime.date.today().isoformat(), metavar="DATE", help="the day (today)")
    options = parser.parse_args(arguments)
    try:
        told = latest(options.news, options.page, options.released, options.what) if options.news else None
        write_text(options.folder / SUMS, sums(options.folder))
        if told:
            write_json(options.folder / LATEST, told)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
