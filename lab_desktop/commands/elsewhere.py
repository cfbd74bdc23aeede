"""`server`: a model elsewhere: what it offers, its key in the system's keyring, the agreement that text goes there."""

from __future__ import annotations

import argparse
import threading

from lab_desktop import keys, servers
from lab_desktop.commands import arguments
from lab_desktop.commands.arguments import NewCommand
from lab_desktop.terminal import print_remark, print_result, printable, typed_secret


def add(new: NewCommand) -> None:
    """Add it to the command line."""
    server = new("server", _server)
    server.add_argument("address", type=arguments.filled, metavar="ADDRESS", help="https://host/v1, or with #model")
    server.add_argument("--key", action="store_true", help="ask for its key and keep it in the system's keyring")
    server.add_argument("--agree", action="store_true", help="agree that the text of lessons goes there")
    server.add_argument("--forget", action="store_true", help="forget its key and your agreement")
    server.add_argument("--test", action="store_true", help="say hello to its model, and tell what it can do")


def _server(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.models.remote import RemoteModel, offer

    server = servers.parse(options.address)
    if options.forget:
        keys.forget(servers.KEYS, server.origin)
        servers.withdraw(server)
        print_remark(f"{server.host} is forgotten: its key, and that text may go there.")
        return 0
    if options.key:
        keys.keep(servers.KEYS, server.origin, typed_secret(f"Key of {server.host}: "))
        print_remark(f"The key of {server.host} is in the system's keyring.")
    if options.agree:
        print_remark(server.notice)
        servers.agree(server)
        print_remark("You agreed; --forget takes it back.")
    key = keys.get(servers.KEYS, server.origin) or ""
    if options.test:
        with RemoteModel(server, key, is_cancelled=stopped.is_set) as model:
            print_result(printable(f"{model.name}: {model.try_out(stopped.is_set).sentence}"))
    elif not (options.key or options.agree):
        for name in offer(server, key, is_cancelled=stopped.is_set).models:
            print_result(printable(str(server.with_model(name))))
    return 0
