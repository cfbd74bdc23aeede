"""Asking a person whether text may leave this computer."""

from __future__ import annotations

from lab_desktop import servers
from lab_desktop.servers import Server
from lab_desktop.terminal import agrees, print_remark


def ask_for(server: Server) -> None:
    """Show the notice and ask, once for each server; who does not agree has sent nothing.

    Raises:
        ServerError: the person does not agree, or cannot be asked.
    """
    if not servers.has_agreed(server):
        print_remark(server.notice)
        if agrees("Do you agree? [y/N] "):
            servers.agree(server)
    servers.require_agreed(server)
