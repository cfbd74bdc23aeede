"""`models`: what is on this computer, what can be had, where trained ones come from, and publishing them."""

from __future__ import annotations

import argparse
import math
import threading
from collections.abc import Callable
from dataclasses import replace

import psutil

from lab_desktop import capacity, paths
from lab_desktop.bins import BIN_DAYS
from lab_desktop.commands import arguments
from lab_desktop.commands.arguments import NewCommand
from lab_desktop.errors import ModelError, PublishError
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import DownloadRequest, Errand, MoveRequest, PublishRequest
from lab_desktop.jobs.events import Event, Progress
from lab_desktop.jobs.run import Run
from lab_desktop.models import account, arrivals, card, catalogue, choosing, elsewhere, lineage, store
from lab_desktop.models.catalogue import Entry
from lab_desktop.models.offers import Offer
from lab_desktop.models.store import StoredModel
from lab_desktop.terminal import Screen, agrees, end, print_remark, print_result, printable, typed_secret

_ORIGINS = {
    "practice": "comes with the app", "downloaded": "downloaded", "placed": "put here", "linked": "stays where it is",
    "trained": "trained here",
}  # fmt: skip


def add(new: NewCommand) -> None:
    """Add them to the command line."""
    models = new("models", _list)
    kinds = models.add_subparsers(dest="what", metavar="WHAT")

    def kind(
        name: str, action: Callable[[argparse.Namespace, threading.Event], int], text: str
    ) -> argparse.ArgumentParser:
        made = kinds.add_parser(name, help=text, description=text)
        made.set_defaults(action=action)
        return made

    kind("list", _list, "what is here and what can be had (default)")
    get = kind("get", _get, "download a model; goes on where an earlier try stopped")
    get.add_argument(
        "name",
        type=arguments.filled,
        metavar="NAME",
        help="of the list, OWNER/REPO/FILE.gguf, or the address of its page; OWNER/REPO lists its files",
    )
    get.add_argument(
        "--untaught", action="store_true", help="also one that cannot be trained here: it may still chat and teach"
    )
    get.add_argument("--yes", action="store_true", help="agree to the licence")
    get.add_argument(
        "--keep-free", type=_gigabytes, default=errands.RESERVE_BYTES, metavar="GB", help="space to leave (default 10)"
    )
    kind("find", _find, "models that other programs keep on this computer")
    link = kind("add", _link, "use a model file where it lies, without copying it")
    link.add_argument("file", type=arguments.path, metavar="FILE", help="a .gguf file, or a line of `find`")
    remove = kind("remove", _remove, f"throw a model away; it can be put back for {BIN_DAYS} days")
    remove.add_argument("name", type=arguments.filled, metavar="NAME", help="of the list, or its file")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    restore = kind("restore", _restore, "put a model back from the bin; without a name, list the bin")
    restore.add_argument("name", type=arguments.filled, nargs="?", metavar="NAME", help="of a model in the bin")
    empty = kind("empty-bin", _empty_bin, "delete what is in the bin for good")
    empty.add_argument("--yes", action="store_true", help="do not ask")
    kind("tree", _tree, "which model was trained from which, on what, and what the check said")
    publish = kind("publish", _publish, "give a trained model to the hub (huggingface.co); goes on where it stopped")
    publish.add_argument("folder_", type=arguments.path, metavar="RUN", help="the run folder that trained it")
    publish.add_argument("--repo", type=arguments.filled, required=True, metavar="NAME", help="its name there")
    publish.add_argument(
        "--size",
        type=arguments.filled,
        action="append",
        metavar="KIND",
        help="only this size, as Q4_K_M; may be repeated",
    )
    publish.add_argument("--public", action="store_true", help="everyone sees it; else only you do")
    publish.add_argument("--yes", action="store_true", help="do not ask")
    kind("sign-in", _sign_in, "keep an access token of the hub in the system's keyring; it is typed unseen")
    kind("sign-out", _sign_out, "forget the access token")
    move = kind("move", _move, "move all models to another folder, for example on another disk")
    move.add_argument("folder_", type=arguments.path, nargs="?", metavar="FOLDER", help="an empty one; none: back home")


def _list(options: argparse.Namespace, stopped: threading.Event) -> int:
    found = store.on_this_computer()
    memory, speed = psutil.virtual_memory().total, capacity.read_speed(paths.user_data())
    print_result("On this computer:")
    for model in found:
        facts = model.facts
        told = f"{_count(facts.parameters)} {facts.architecture} {facts.quantization}" if facts else "?"
        print_result(f"  {printable(model.name):32} {_size(model.size_bytes):>8}  {told:22} {_ORIGINS[model.origin]}")
        if model.problem:
            print_result(f"    {printable(model.problem)}")
    print_result(f"  {_size(store.total_bytes(found))} in all in {paths.models()}")
    if away := store.missing_place():
        print_result(f"  Those in {away} are not there: their disk is not connected.")
    here = {(model.record.repo, model.record.file) for model in found if model.record}
    print_result("\nTo be had with: lab-desktop models get NAME")
    for entry in catalogue.catalogue():
        if not entry.is_practice and (entry.repo, entry.file) not in here:
            suits = choosing.fits(entry, memory, speed)
            told = ", ".join(f"{role}: {fit.verdict}" for role, fit in suits.items())
            print_result(f"  {entry.id:32} {_size(entry.size_bytes):>8}  {told}")
            if why := next((fit.why for fit in suits.values() if fit.verdict != "comfortable"), ""):
                print_result(f"    {why}")
    for arrival in arrivals.waiting():
        name = _name_of(arrival.request)
        print_remark(f"{_size(arrival.arrived_bytes)} of {name} have arrived. To go on: lab-desktop models get {name}")
    return 0


def _get(options: argparse.Namespace, stopped: threading.Event) -> int:
    offers = _looked_up(options.name)
    if len(offers) > 1:
        for offer in offers:
            print_result(f"  {printable(f'{offer.repo}/{offer.file}'):64} {_size(offer.size_bytes):>8}")
        if why := offers[0].why_not_taught:
            print_remark(printable(why))
        print_remark("These are there. To get one: lab-desktop models get OWNER/REPO/FILE")
        return 0
    why = printable(offers[0].why_not_taught) if offers else ""
    if why and not options.untaught:
        return end(1, f"{why} Nothing was downloaded.", "Add --untaught to get it for chatting only.")
    request, size_bytes = _wanted(options.name, offers, options.keep_free)
    licence = catalogue.licence(request.licence)
    title = request.title or request.file
    print_remark(
        f"{title}, {_size(size_bytes)}, from {request.repo}\nLicence: {licence.name}. {licence.means} {licence.url}"
    )
    if not options.yes and not agrees(f"Download {title} under this licence? [y/n] "):
        return end(1, "Nothing was downloaded.", "Add --yes to agree to the licence.")
    options.folder = request.folder
    from lab_desktop.models.download import download

    done = _do(request, stopped, lambda run: download(request, run))
    print_result(str(done["path"]))
    return 0


def _looked_up(name: str) -> list[Offer]:
    """What the hub has under an address; nothing where a name of the list will do.

    Raises:
        DownloadError, ModelError: as in `download.look`, or it is no address.
    """
    if "/" not in name:
        return []
    repo, file, revision = arrivals.named(name)
    if file and catalogue.entry_of(repo, file):
        return []
    from lab_desktop.models.download import look

    return look(repo, file, revision)


def _wanted(name: str, offers: list[Offer], reserve_bytes: int) -> tuple[DownloadRequest, int]:
    """What is to be downloaded, and how large it is."""
    for offer in offers:
        request = DownloadRequest(offer.repo, offer.file, offer.revision, "", offer.licence, reserve_bytes)
        return request, offer.size_bytes
    repo, file, _ = arrivals.named(name) if "/" in name else ("", "", "")
    entry = catalogue.entry_of(repo, file) or catalogue.entry(name)
    if entry.is_practice:
        raise ModelError("The practice model comes with the app.", "It is there already: lab-desktop models")
    return _request(entry, reserve_bytes), entry.size_bytes


def _request(entry: Entry, reserve_bytes: int) -> DownloadRequest:
    return DownloadRequest(entry.repo, entry.file, entry.revision, entry.title, entry.licence.id, reserve_bytes)


def _find(options: argparse.Namespace, stopped: threading.Event) -> int:
    found = elsewhere.find()
    for each in found:
        print_result(
            f"{each.program:13} {printable(each.name):40} {_size(each.size_bytes):>8}  {printable(str(each.path))}"
        )
    print_remark(
        "To use one where it lies: lab-desktop models add FILE" if found else "No other program keeps models here."
    )
    return 0


def _link(options: argparse.Namespace, stopped: threading.Event) -> int:
    file = options.file.expanduser().absolute()
    known = next((each for each in elsewhere.find() if each.path == file), None)
    made = store.link(file, known.name if known else "", known.program if known else "")
    print_result(f"{printable(made.name)} can be used now; the file stays where it is.")
    if made.facts is not None and made.facts.why_not_taught:
        print_remark(printable(made.facts.why_not_taught))
    return 0


def _remove(options: argparse.Namespace, stopped: threading.Event) -> int:
    model = _stored(options.name)
    for use in store.uses(model.path):
        print_remark(f"Needed by the {use.kind} “{printable(use.title)}” ({', '.join(use.roles)}).")
    if not options.yes and not agrees(f"Remove {printable(model.name)}? [y/n] "):
        return end(1, "Nothing was removed.", "Add --yes to remove it.")
    store.remove(model)
    if model.origin == "linked":
        print_result(f"{printable(model.name)} is not in the list any more; its file stays in {model.path.parent}.")
    else:
        print_result(f"{printable(model.name)} is in the bin for {BIN_DAYS} days and takes its space until then.")
    print_remark(f'To put it back: lab-desktop models restore "{printable(model.name)}"')
    return 0


def _restore(options: argparse.Namespace, stopped: threading.Event) -> int:
    thrown = store.binned()
    if options.name is None:
        for each in thrown:
            print_result(f"{printable(each.title):32} {_size(each.size_bytes):>8}")
        if not thrown:
            print_remark("The bin is empty.")
        return 0
    for each in thrown:
        if options.name in (each.title, each.home.name):
            print_result(str(store.restore(each)))
            return 0
    raise ModelError(f'There is no "{options.name}" in the bin.', "What is there: lab-desktop models restore")


def _empty_bin(options: argparse.Namespace, stopped: threading.Event) -> int:
    thrown = store.binned()
    size = _size(sum(each.size_bytes for each in thrown))
    if thrown and not options.yes and not agrees(f"Delete {len(thrown)} models ({size}) for good? [y/n] "):
        return end(1, "Nothing was deleted.", "Add --yes to delete them.")
    print_result(f"{_size(store.empty_bin(days=-1))} are free again.")
    return 0


def _tree(options: argparse.Namespace, stopped: threading.Event) -> int:
    families = lineage.families(lineage.versions(lineage.undertakings()))
    for family in families:
        print_result(printable(family.original.stem))
        for version in family.versions:
            asked = f", {version.right_before} → {version.right_now} of {version.asked} right" if version.asked else ""
            verdict = f": {version.verdict}{asked}" if version.verdict else ": not checked yet"
            lessons = ", ".join(version.lessons)
            print_result(
                f"  {version.trained[:10]}  {printable(version.undertaking.title)} ({printable(lessons)}){verdict}"
            )
            for file in version.files:
                print_result(f"              {printable(str(file))}")
    if not families:
        print_remark("Nothing was trained here yet.")
    return 0


def _move(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.models.moving import move

    request = MoveRequest(options.folder_.absolute() if options.folder_ else None)
    options.folder = request.folder
    done = _do(request, stopped, lambda run: move(request, run))
    print_result(f"The models are in {done['path']}")
    return 0


def _publish(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.models.upload import upload

    run, (owner, _, name) = options.folder_.absolute(), options.repo.rpartition("/")
    files = [
        path
        for path in sorted((run / "models").glob("[!.]*.gguf"))
        if not options.size or card.kind_of(path) in options.size
    ]
    if not files:
        raise PublishError(
            f"There is no model file in {run / 'models'} that could go out.", f"Make one: lab-desktop export {run}"
        )
    begins = card.demands_of(card.origin_of(run).licence).begins
    if not name.lower().startswith(begins.lower()):
        raise PublishError(
            f"The original's licence wants a name that begins with “{begins}”.", f"--repo {begins}-{name}"
        )
    repo = f"{owner or account.who().name}/{name}"
    account.require_name(repo)
    page = card.write_card(run, name, files)
    there = tuple((path, card.name_there(name, path)) for path in files)
    request = PublishRequest(repo, there, page.text, not options.public)
    print_remark(printable(page.text.split("---\n", 2)[2].strip()))
    for left_out in page.left_out:
        print_remark(f"Left out of the page: {printable(left_out)}")
    sizes = ", ".join(f"{file} ({_size(path.stat().st_size)})" for path, file in there)
    sees = "everyone sees it" if options.public else "only you see it"
    print_remark(f"{repo}: {sizes}; {sees}")
    if not options.yes and not agrees("Publish it? [y/n] "):
        return end(1, "Nothing was published.", "Add --yes to publish it.")
    options.folder = request.folder
    done = _do(request, stopped, lambda run: upload(request, run))
    print_result(str(done["url"]))
    return 0


def _sign_in(options: argparse.Namespace, stopped: threading.Event) -> int:
    print_remark(f"A token is made on {account.TOKEN_PAGE}; to publish, of the kind “Write”.")
    found = account.sign_in(typed_secret("Access token: "), writes=False)
    print_remark(f"Signed in as {printable(found.name)}; the token is in the system's keyring.")
    if not found.may_write:
        print_remark("It may only read: enough to download models, not to publish one.")
    return 0


def _sign_out(options: argparse.Namespace, stopped: threading.Event) -> int:
    account.sign_out()
    print_remark("No access token is kept here.")
    return 0


def _do(errand: Errand, stopped: threading.Event, work: Callable[[Run], dict[str, object]]) -> dict[str, object]:
    """Do an errand in its folder, as the worker does, and show how far it is."""
    screen = Screen(stopped)

    def show(event: Event) -> None:
        if isinstance(event, Progress):
            event = replace(
                event, text=f"{event.text} (MB)", done=event.done // 1_000_000, total=math.ceil(event.total / 1e6)
            )
        screen.show(event)

    try:
        with Run(errands.write(errand), show, stopped.is_set).open() as run:
            return work(run)
    finally:
        screen.end_line()


def _stored(name: str) -> StoredModel:
    """The model that a person means: by its name, its file's name, its path, or its id in the catalogue."""
    found = store.on_this_computer()
    for model in found:
        entry = catalogue.entry_of(model.record.repo, model.record.file) if model.record else None
        short = entry.id if entry else catalogue.PRACTICE if model.origin == "practice" else None
        if name in (model.name, model.path.name, str(model.path), short):
            return model
    raise ModelError(f'There is no model called "{name}" on this computer.', "What there is: lab-desktop models")


def _name_of(request: DownloadRequest) -> str:
    entry = catalogue.entry_of(request.repo, request.file)
    return entry.id if entry else f"{request.repo}/{request.file}"


def _gigabytes(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e6:
        raise argparse.ArgumentTypeError(f"a number of gigabytes is needed, not {text[:40]!r}")
    return int(value * 1e9)


def _count(parameters: int) -> str:
    return f"{parameters / 1e9:.1f}B" if parameters >= 1e9 else f"{parameters / 1e6:.0f}M"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
