"""destinations.py: what a person pastes becomes one address with one form, and nothing that could do harm does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab_desktop import paths
from lab_desktop.contribution import destinations
from lab_desktop.contribution.destinations import COMMUNITY, Destination, destination, hidden_clone, keep_team, team
from lab_desktop.errors import LibraryError


@pytest.mark.parametrize(
    "typed",
    [
        "https://github.com/instructlab/taxonomy",
        "  https://www.GitHub.com/InstructLab/Taxonomy.git/ \n".strip("\n"),
        "https://github.com/instructlab/taxonomy/tree/main/knowledge/science",
        "https://github.com/instructlab/taxonomy/pulls?q=is%3Aopen#top",
        "github.com/instructlab/taxonomy",
        "instructlab/taxonomy",
    ],
)
def test_the_communitys_page_is_the_community(typed: str) -> None:
    assert destination(typed) == Destination("community", COMMUNITY, "github", "https://api.github.com")


@pytest.mark.parametrize(
    ("typed", "address", "forge", "api", "name"),
    [
        ("git@github.com:me/lessons.git", "ssh://git@github.com/me/lessons.git", "github", "https://api.github.com",
         "me/lessons"),
        ("git@ssh.github.com:me/lessons", "ssh://git@ssh.github.com/me/lessons", "github", "https://api.github.com",
         "me/lessons"),
        ("https://octo.ghe.com/a/b", "https://octo.ghe.com/a/b", "github", "https://api.octo.ghe.com", "a/b"),
        ("https://github.school.org/a/b/issues/1", "https://github.school.org/a/b", "github",
         "https://github.school.org/api/v3", "a/b"),
        ("https://gitlab.com/g/s/n/-/tree/main/x", "https://gitlab.com/g/s/n", "gitlab", "https://gitlab.com/api/v4",
         "g/s/n"),
        ("https://gitlab.school.org:8443/g/n.git", "https://gitlab.school.org:8443/g/n", "gitlab",
         "https://gitlab.school.org:8443/api/v4", "g/n"),
        ("https://git.example.org/~anna/x.git", "https://git.example.org/~anna/x.git", "", "",
         "~anna/x on git.example.org"),
        ("ssh://git@host.example:2222/srv/x.git", "ssh://git@host.example:2222/srv/x.git", "", "",
         "srv/x on host.example"),
        ("http://127.0.0.1:8000/a/b.git", "http://127.0.0.1:8000/a/b.git", "", "", "a/b on 127.0.0.1"),
    ],
)  # fmt: skip
def test_an_address_is_understood(typed: str, address: str, forge: str, api: str, name: str) -> None:
    found = destination(typed)

    assert (found.kind, found.address, found.forge, found.api, found.name) == ("team", address, forge, api, name)
    assert destination(found.address) == found


def test_the_forge_can_be_told(tmp_path: Path) -> None:
    assert destination("https://code.school.org/a/b", "gitlab").api == "https://code.school.org/api/v4"
    assert destination("https://github.com/a/b", "").api == ""


def test_an_account_is_found_by_the_host_whichever_way_git_goes() -> None:
    for typed in ("https://github.com/a/b", "git@github.com:a/b", "ssh://git@ssh.github.com:443/a/b"):
        assert (destination(typed).host, destination(typed).full_name) == ("github.com", "a/b")
    assert destination("https://gitlab.school.org:8443/g/n").host == "gitlab.school.org:8443"


def test_a_folder_and_a_file_are_places_too(tmp_path: Path) -> None:
    folder = tmp_path / "Our lessons, ä"
    folder.mkdir()

    found = destination(str(folder))

    assert (found.kind, found.address, found.name) == ("team", folder.as_uri(), "the folder Our lessons, ä")
    assert destination(folder.as_uri()) == found
    assert (found.host, found.forge) == ("", "")
    pack = destination(str(tmp_path / "velmora.labpack"))
    assert (pack.kind, pack.address, pack.name) == (
        "file",
        str(tmp_path / "velmora.labpack"),
        "the file velmora.labpack",
    )
    with pytest.raises(LibraryError, match="no folder"):
        destination(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "hello", "a/b/c d", "ftp://host/x", "ext::sh -c id", "https://", "https://github.com/",
        "https://github.com/a", "https://github.com/a/../b", "https://github.com/-a/b", "git@-oProxyCommand=id:a/b",
        "ssh://-oProxyCommand=id/x", "https://host:99999/x", "https://[::1/x", "https://gіthub.com/a/b", "x" * 3000,
        "https://example.org/a\nb", "https://example.org/a\x00b", "javascript:alert(1)", "https://example.org/a/./b",
        "https://example.org/%2e%2e/b", "http://example.org/a/b", "file://host-elsewhere/../../etc/nothing",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(LibraryError):
        destination(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "https://anna:secret-word@github.com/a/b",
        "https://ghp_secret-word@github.com/a/b",
        "anna:secret-word@host.example:a/b",
        "ssh://anna:secret-word@host.example/a/b",
        "ghp_secret-word",
        "https://secret-word @github.com",
        "anna:secret-word@host.example/password",
        "https:/anna:secret-word@host.example/the password",
    ],
)
def test_a_password_is_refused_and_not_repeated(typed: str) -> None:
    with pytest.raises(LibraryError) as caught:
        destination(typed)

    assert "secret-word" not in f"{caught.value.message} {caught.value.hint} {caught.value.details} {caught.value!r}"


def test_what_follows_a_question_mark_is_not_kept() -> None:
    assert "secret" not in destination("https://gitlab.com/a/b?private_token=secret#secret").address


def test_the_same_address_has_the_same_hidden_clone_and_no_other_has_it(own_home: Path) -> None:
    one = hidden_clone(destination("https://github.com/a/b.git"))

    assert one == hidden_clone(destination("a/b")) == hidden_clone(destination("git@github.com:a/b"))
    others = ("a/c", "https://gitlab.com/a/b", "https://host.example/a/b", "https://host.example:8443/a/b")
    assert len({one, *(hidden_clone(destination(other)) for other in others)}) == 5
    assert one.parent == paths.contributions() / ".clones"
    assert hidden_clone(Destination("team", "https://host.example/" + "ä/" * 500)).name.isascii()


def test_the_teams_repository_is_kept(own_home: Path) -> None:
    assert team() is None

    for typed in ("https://gitlab.school.org/g/n", str(own_home), "git@github.com:me/lessons"):
        keep_team(destination(typed))
        assert team() == destination(typed)


@pytest.mark.parametrize(
    "kept",
    [
        {"kind": "team", "address": "https://github.com/a/b", "forge": "github", "api": "https://evil.example"},
        {"kind": "team", "address": "https://github.com/a/b", "forge": "github", "api": "http://github.com/api/v3"},
        {"kind": "team", "address": "https://x:secret@github.com/a/b"},
        {"kind": "team", "address": "ext::sh -c id"},
        {"kind": "file", "address": "/tmp/x.labpack"},
        {"kind": "team", "address": "https://a.example/x", "forge": "svn"},
        {"kind": "team", "address": "http://["},
        {"kind": "team", "address": "https://github.com/a/b", "forge": "github", "api": "http://["},
        {"kind": "team"}, {"colour": "red"}, [], "x", None,
    ],
)  # fmt: skip
def test_a_file_that_was_changed_names_no_team(own_home: Path, kept: object) -> None:
    (own_home / destinations.FILE_NAME).write_text(json.dumps({"team": kept}))

    assert team() is None


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_a_damaged_file_names_no_team(own_home: Path, text: str) -> None:
    (own_home / destinations.FILE_NAME).write_text(text)

    assert team() is None
