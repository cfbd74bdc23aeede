"""The library's git: where it comes from, how it follows the community's version, and what differs from that.

The only room that runs git. Nothing in a clone or in its settings starts a program, asks for a password, or leads out
of its folder. What a person writes is never committed here; only the starter library, and an update of a library that
has commits of its own, make a commit.
"""

from lab_desktop.repository.community import held, held_since
from lab_desktop.repository.compare import EMPTY, Change, Changes, changes, files_before
from lab_desktop.repository.follow import Update, update
from lab_desktop.repository.origin import Tree, clone, open_tree, start
from lab_desktop.repository.sending import Sent, digest_of, note_sent, sent
from lab_desktop.repository.transfer import Progress

__all__ = [
    "EMPTY",
    "Change",
    "Changes",
    "Progress",
    "Sent",
    "Tree",
    "Update",
    "changes",
    "clone",
    "digest_of",
    "files_before",
    "held",
    "held_since",
    "note_sent",
    "open_tree",
    "sent",
    "start",
    "update",
]
