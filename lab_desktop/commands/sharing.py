"""`share`: what was taught goes to others: looked through, signed off, sent, followed; and what others sent by mail."""

from __future__ import annotations

import argparse
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from lab_desktop import paths, repository
from lab_desktop.commands import arguments
from lab_desktop.commands.arguments import NewCommand
from lab_desktop.commands.intake import import_many
from lab_desktop.contribution import accounts, contributions, destinations, sending
from lab_desktop.contribution.contributions import Author, Contribution, State
from lab_desktop.contribution.destinations import COMMUNITY, DOCUMENTS, Destination
from lab_desktop.contribution.hosts import Standing
from lab_desktop.contribution.letter import author as as_git_writes
from lab_desktop.contribution.letter import letter
from lab_desktop.contribution.parcel import Obstacle, Parcel, obstacles, prepare
from lab_desktop.contribution.proof import proof
from lab_desktop.contribution.sending import Clashed
from lab_desktop.errors import ContributionError, KeyringError, LabError, LeafError
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import ShareRequest
from lab_desktop.jobs.run import Run
from lab_desktop.taxonomy.tree import FILE_NAME, ROOTS
from lab_desktop.terminal import Screen, agrees, end, print_remark, print_result, printable, typed_secret

_HOST = "github.com"
_WORDS = {
    State.DRAFT: "draft",
    State.READY: "ready to send",
    State.WAITING: "waiting for a connection",
    State.SENT: "sent",
    State.CHECKING: "being checked",
    State.CHANGES: "changes asked",
    State.ACCEPTED: "accepted",
    State.DECLINED: "not accepted",
}
_OVER = (State.ACCEPTED, State.DECLINED)


def add(new: NewCommand) -> None:
    """Add it to the command line."""
    share = new("share", _list)
    kinds = share.add_subparsers(dest="what", metavar="WHAT")

    def kind(
        name: str, action: Callable[[argparse.Namespace, threading.Event], int], text: str
    ) -> argparse.ArgumentParser:
        made = kinds.add_parser(name, help=text, description=text)
        made.set_defaults(action=action)
        return made

    kind("list", _list, "your contributions, and how far each is (default)")
    look = kind("look", _look, "what would be sent of a lesson, and what keeps it from being sent")
    look.add_argument(
        "lesson", type=arguments.filled, metavar="LESSON", help="its folder, or its place in your library"
    )
    made = kind("prepare", _prepare, "make a contribution of a lesson, or bring the one there is up to date")
    made.add_argument(
        "lesson", type=arguments.filled, metavar="LESSON", help="its folder, or its place in your library"
    )
    made.add_argument(
        "--to",
        type=arguments.filled,
        required=True,
        metavar="WHERE",
        help='"community", the address of a git repository, a folder, or FILE.labpack',
    )
    made.add_argument(
        "--forge", choices=("github", "gitlab"), help="what runs at the address, where its name does not tell"
    )
    made.add_argument(
        "--documents",
        type=arguments.filled,
        metavar="ADDRESS",
        help="the team's repository for documents, if it has one",
    )
    made.add_argument(
        "--author", type=_author, metavar='"NAME <MAIL>"', help="whose work it is (default: who signed in)"
    )
    made.add_argument("--run", dest="proof", type=arguments.path, metavar="RUN", help="the run whose report shows it")
    made.add_argument("--note", default="", metavar="TEXT", help="what to say to the reviewers")
    made.add_argument(
        "--i-may-share-this",
        action="store_true",
        help="agree: you wrote it or may share it under its licence, and looked at what was found in it",
    )
    send = kind("send", _send, "send it; goes on where an earlier try stopped")
    send.add_argument("name", type=arguments.filled, nargs="?", metavar="NAME", help="of the list; none: all that wait")
    send.add_argument(
        "--on-top", action="store_true", help="where somebody changed the lesson: yours goes on top of theirs"
    )
    status = kind("status", _status, "ask how it stands: checks, and what reviewers say")
    status.add_argument("name", type=arguments.filled, nargs="?", metavar="NAME", help="of the list; none: all")
    remove = kind("remove", _remove, "throw a contribution away; what was sent stays where it is")
    remove.add_argument("name", type=arguments.filled, metavar="NAME", help="of the list")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    restore = kind("restore", _restore, "put a contribution back from the bin; without a name, list the bin")
    restore.add_argument("name", type=arguments.filled, nargs="?", metavar="NAME", help="of a contribution in the bin")
    sign_in = kind("sign-in", _sign_in, "keep an access token in the system's keyring; it is typed unseen")
    sign_in.add_argument(
        "host", type=arguments.filled, nargs="?", default=_HOST, metavar="HOST", help=f"default {_HOST}"
    )
    sign_in.add_argument(
        "--code", action="store_true", help="with a code that you type on GitHub's page, without a token"
    )
    sign_in.add_argument("--gitlab", action="store_true", help="HOST is a GitLab")
    sign_out = kind("sign-out", _sign_out, "forget the access token")
    sign_out.add_argument(
        "host", type=arguments.filled, nargs="?", default=_HOST, metavar="HOST", help=f"default {_HOST}"
    )
    taken = kind("import", _import, "take a lesson that came by mail into a library")
    taken.add_argument("file", type=arguments.path, metavar="FILE.labpack", help="the file")
    taken.add_argument("--into", type=arguments.path, metavar="FOLDER", help="the library (default: your own)")
    taken.add_argument("--yes", action="store_true", help="do not ask")


def _list(options: argparse.Namespace, stopped: threading.Event) -> int:
    found = contributions.every()
    for each in found:
        _show(each)
    if not found:
        print_remark("Nothing was shared yet. To look at a lesson first: lab-desktop share look LESSON")
    return 0


def _show(contribution: Contribution) -> None:
    where = contribution.destination.name if contribution.destination else "nowhere yet"
    words, unread = _WORDS[contributions.state(contribution)], contributions.unread(contribution)
    news = f", {unread} new" if unread else ""
    name, title = printable(contribution.folder.name), printable(contribution.title)
    print_result(f"{name:28} {words + news:28} {title} → {printable(where)}")
    for line in (contributions.done(contribution).page, contribution.trouble, contribution.hint):
        if line:
            print_result(f"    {printable(line)}")


def _look(options: argparse.Namespace, stopped: threading.Event) -> int:
    parcel = prepare(*_lesson(options.lesson))
    _show_parcel(parcel)
    final = _show_obstacles(obstacles(parcel))
    print_remark("It cannot be sent like this." if final else "Nothing keeps it from being sent.")
    return 1 if final else 0


def _show_parcel(parcel: Parcel) -> None:
    what = "new there" if parcel.is_new else "a change of what is there"
    print_result(f"{printable(parcel.title)}, {what}. These files are sent, and nothing else:")
    for path, data in {**parcel.files, **parcel.documents}.items():
        note = " (a document)" if path in parcel.documents else ""
        print_result(f"  {printable(path)}  {len(data):,} bytes{note}")


def _show_obstacles(found: list[Obstacle]) -> bool:
    """Say what is in the way; gives whether it cannot be sent."""
    for each in found:
        print_result(f"{'Mend' if each.is_final else 'Look'}: {printable(each.message)}")
        if each.hint:
            print_result(f"    {printable(each.hint)}")
    return any(each.is_final for each in found)


def _prepare(options: argparse.Namespace, stopped: threading.Event) -> int:
    root, folder = _lesson(options.lesson)
    destination = destinations.destination(COMMUNITY if options.to == "community" else options.to, options.forge)
    if options.documents:
        destination = replace(destination, documents=destinations.destination(options.documents).address)
    author = _who(options.author, destination)
    parcel = prepare(root, folder)
    _show_parcel(parcel)
    if _show_obstacles(obstacles(parcel)):
        return end(1, "It cannot be sent like this, so nothing was prepared.", "Mend it, then prepare it again.")
    run: Path | None = options.proof.absolute() if options.proof else None
    shown = proof(run, parcel.path, repository.digest_of(root / folder)) if run else None
    if run and shown is None:
        print_remark(f"{run} has no report of this lesson, so the contribution says that it was not measured.")
    text = letter(parcel, shown, options.note)
    made = _of(root, parcel.path, destination)
    made = contributions.renew(made, parcel, text) if made else contributions.start(root, parcel, text, run)
    made = contributions.update(made, destination=destination, author=author)
    if destination.kind == "team":
        destinations.keep_team(destination)
    if parcel.documents and destination.forge and not destination.documents:
        private = "" if destination.kind == "community" else " Where the team's repository is private, they stay in it."
        print_remark(f"Its documents go to {DOCUMENTS}, a public repository of yours.{private}")
    print_remark(f"It will bear the name {author.name} <{author.email}>, for everyone to read who sees it there.")
    asked = "I wrote this, or I may share it under its licence, and it may stay public. Agree? [y/n] "
    if not options.i_may_share_this and not agrees(asked):
        print_result(made.folder.name)
        return end(1, "It is kept as a draft; nothing was sent.", "Add --i-may-share-this to agree.")
    made = contributions.update(made, agreed_at=made.agreed_at or time.time())
    print_result(made.folder.name)
    print_remark(f"To send it: lab-desktop share send {made.folder.name}")
    return 0


def _of(library: Path, path: str, destination: Destination) -> Contribution | None:
    """The contribution of a lesson to a place, while nobody has decided on it."""
    for each in contributions.every():
        is_it = (each.library, each.path, each.destination) == (library, path, destination)
        if is_it and contributions.state(each) not in _OVER:
            return each
    return None


def _send(options: argparse.Namespace, stopped: threading.Event) -> int:
    wanted = [_named(options.name)] if options.name else [each for each in contributions.every() if each.is_wanted]
    if not wanted:
        ready = [each for each in contributions.every() if contributions.state(each) is State.READY]
        print_remark("Nothing waits to be sent.")
        for each in ready:
            print_remark(f"Ready to be sent: lab-desktop share send {each.folder.name}")
    for each in reversed(wanted):  # the oldest first
        options.folder = each.folder
        if options.on_top:
            each = sending.keep_ours(each)
        try:
            done = _do(each, stopped)
        except Clashed as clashed:
            return end(
                1, clashed.message, f"{clashed.hint} To do that: lab-desktop share send {each.folder.name} --on-top"
            )
        print_result(str(done["page"] or done["commit"]))
    return 0


def _do(contribution: Contribution, stopped: threading.Event) -> dict[str, object]:
    """Send it as the worker does, and show how far it is."""
    screen = Screen(stopped)
    try:
        with Run(errands.write(ShareRequest(contribution.folder)), screen.show, stopped.is_set).open() as run:
            return sending.send(contribution, run)
    finally:
        screen.end_line()


def _status(options: argparse.Namespace, stopped: threading.Event) -> int:
    wanted = [_named(options.name)] if options.name else contributions.every()
    trouble: LabError | None = None
    for each in wanted:
        try:
            if contributions.state(each) is not State.ACCEPTED:  # what was closed may be opened again
                sending.follow(each)
        except (ContributionError, KeyringError) as error:
            trouble = error  # the others may be elsewhere, and what was told before can be read
        _show(each)
        if found := contributions.standing(each):
            _show_standing(found)
        contributions.mark_read(each)
    return end(1, trouble.message, trouble.hint) if trouble else 0


def _show_standing(found: Standing) -> None:
    for check in found.checks:
        print_result(f"    {check.state:8} {printable(check.name)}")
        for line in check.says.splitlines() if check.state == "failed" else ():
            print_result(f"             {printable(line)}")
    for comment in found.comments:
        where = f" ({comment.file}, line {comment.line})" if comment.file else ""
        print_result(f"    {printable(comment.who)}{printable(where)}:")
        for line in comment.text.splitlines():
            print_result(f"        {printable(line)}")


def _remove(options: argparse.Namespace, stopped: threading.Event) -> int:
    found = _named(options.name)
    if not options.yes and not agrees(f"Throw {found.folder.name} away? [y/n] "):
        return end(1, "Nothing was thrown away.", "Add --yes to do it.")
    contributions.throw_away(found)
    print_remark("It is in the bin. What was sent of it stays where it is.")
    print_remark(f"To put it back: lab-desktop share restore {printable(found.folder.name)}")
    return 0


def _restore(options: argparse.Namespace, stopped: threading.Event) -> int:
    thrown = {each.contribution.folder.name.partition("-")[2]: each for each in reversed(contributions.binned())}
    if options.name is None:
        for name, each in thrown.items():
            print_result(f"{printable(name)}  {printable(each.title)}")
        if not thrown:
            print_remark("The bin is empty.")
        return 0
    if options.name not in thrown:
        raise ContributionError(f'There is no "{options.name}" in the bin.', "What is there: lab-desktop share restore")
    print_result(printable(contributions.put_back(thrown[options.name]).folder.name))
    return 0


def _sign_in(options: argparse.Namespace, stopped: threading.Event) -> int:
    host = options.host.removeprefix("https://").strip("/").lower()
    if options.code:
        account = accounts.sign_in_by_code(
            host,
            lambda code: print_remark(f"Type {printable(code.user_code)} on {printable(code.page)}"),
            stopped.is_set,
        )
    else:
        is_gitlab = options.gitlab or destinations.destination(f"https://{host}/a/b").forge == "gitlab"
        forge: Literal["github", "gitlab"] = "gitlab" if is_gitlab else "github"
        print_remark(f"A token is made on {accounts.token_page(forge, host)}")
        account = accounts.sign_in(forge, host, typed_secret("Access token: "))
    print_remark(f"Signed in at {host} as {printable(account.login)}; the token is in the system's keyring.")
    return 0


def _sign_out(options: argparse.Namespace, stopped: threading.Event) -> int:
    host = options.host.removeprefix("https://").strip("/").lower()
    accounts.sign_out(host)
    print_remark(f"No access token of {host} is kept here.")
    return 0


def _import(options: argparse.Namespace, stopped: threading.Event) -> int:
    return import_many(options.file.resolve(), options.into, options.yes, stopped)


def _lesson(text: str) -> tuple[Path, Path]:
    """(the library, the lesson's folder in it) that a person means.

    Raises:
        LeafError: there is no lesson, or it lies in no library.
    """
    here, own = Path(text).resolve(), paths.library() / text
    folder = here.parent if here.name == FILE_NAME else here
    if not (folder / FILE_NAME).is_file() and (own / FILE_NAME).is_file():
        folder = own.resolve()
    if not (folder / FILE_NAME).is_file():
        raise LeafError(f'There is no lesson in "{text}".', f"A lesson is a folder with a file named {FILE_NAME}.")
    at = next((at for at, part in enumerate(folder.parts) if part in ROOTS), 0)
    if not at:
        raise LeafError(
            f'"{text}" lies in no library, so others would not know where it belongs.',
            f'Put it into one first: lab-desktop import "{folder}" --into LIBRARY/knowledge/TOPIC/NAME',
        )
    return Path(*folder.parts[:at]), Path(*folder.parts[at:])


def _named(name: str) -> Contribution:
    """The contribution that a person means: by its name in the list, or the lesson's, where there is only one.

    Raises:
        ContributionError
    """
    found = contributions.every()
    for is_meant in (
        lambda each: each.folder.name == name,
        lambda each: name.rstrip("/") in (each.path, each.title),
    ):
        meant = [each for each in found if is_meant(each)]
        if len(meant) == 1:
            return meant[0]
    raise ContributionError(f'There is no contribution called "{name}".', "What there is: lab-desktop share")


def _who(told: Author | None, destination: Destination) -> Author:
    """Whose name it bears.

    Raises:
        ContributionError: nobody said, and nobody is signed in.
    """
    account = accounts.known(destination.host) if destination.host else None
    meant = told or account
    if meant is None:
        raise ContributionError("It is not said whose work this is.", 'Say it with --author "NAME <MAIL>".')
    return Author(*as_git_writes(meant.name, meant.email))


def _author(text: str) -> Author:
    match = re.fullmatch(r"\s*([^<>]*[^<>\s])\s*<([^<>@\s]+@[^<>@\s]+)>\s*", text)
    if not match:
        raise argparse.ArgumentTypeError(
            f'a name and an address are needed, "Ada Byron <ada@example.org>", not {text[:60]!r}'
        )
    return Author(match[1], match[2])
