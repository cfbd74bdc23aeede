"""servers.py: which address is meant, where it is, and who agreed that text goes there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab_desktop import servers
from lab_desktop.errors import ServerError
from lab_desktop.servers import Place, Server


@pytest.mark.parametrize(
    ("text", "address", "model"),
    [
        ("https://teacher.example.org/v1#llama-3", "https://teacher.example.org/v1", "llama-3"),
        (" https://Teacher.Example.org ", "https://teacher.example.org/v1", ""),
        ("http://localhost:11434/#llama3:8b", "http://localhost:11434/v1", "llama3:8b"),
        ("http://192.168.1.7:8000/v1/", "http://192.168.1.7:8000/v1", ""),
        ("https://host/api/v1/chat/completions#a#b", "https://host/api/v1", "a#b"),
        ("http://[::1]:8080/v1#m", "http://[::1]:8080/v1", "m"),
    ],
)
def test_an_address_is_read_as_it_was_meant(text: str, address: str, model: str) -> None:
    server = servers.parse(text)

    assert server == Server(address, model)
    assert servers.is_address(text) and servers.parse(str(server)) == server


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://teacher.example.org/v1", "is on the internet"),
        ("http://8.8.8.8/v1", "is on the internet"),
        ("http://localhost.example.org/v1", "is on the internet"),
        ("http://0.0.0.0:8000/v1", "is on the internet"),
        ("https://me:secret@host/v1", "a name or a password"),
        ("https://host/v1?key=abc", "question mark"),
        ("https://", "no address"),
        ("https://host:99999/v1", "no address"),
        ("https://ho st/v1", "no address"),
        ("https://host\r\nX: y/v1", "no address"),
        ("https://[::1/v1", "no address"),
        ("ftp://host/v1", "no address"),
        ("https://" + "x" * 3000, "no address"),
        ("", "no address"),
    ],
)
def test_an_address_that_must_not_be_used_is_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ServerError, match=words) as caught:
        servers.parse(text)

    assert caught.value.hint and "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("localhost", Place.HERE),
        ("127.0.0.1", Place.HERE),
        ("[::1]", Place.HERE),
        ("[::ffff:127.0.0.1]", Place.HERE),
        ("192.168.1.7", Place.NEAR),
        ("10.0.0.3:8000", Place.NEAR),
        ("[fe80::1]", Place.NEAR),
        ("mac-mini", Place.NEAR),
        ("mac-mini.local", Place.NEAR),
        ("api.example.org", Place.AWAY),
        ("8.8.8.8", Place.AWAY),
        ("[::ffff:8.8.8.8]", Place.AWAY),
    ],
)
def test_where_a_server_is_follows_from_its_address(host: str, place: Place) -> None:
    assert Server(f"https://{host}/v1").place is place


def test_a_notice_says_in_plain_words_what_leaves_and_whether_others_can_read_it() -> None:
    away, near = servers.parse("https://api.example.org/v1").notice, servers.parse("http://mac-mini:8000/v1").notice

    assert "leaves this computer and goes to api.example.org" in away and "not encrypted" not in away
    assert "goes to mac-mini:8000" in near and "not encrypted" in near
    assert "leaves" not in servers.parse("http://localhost:1234/v1").notice


def test_an_agreement_holds_for_one_server_until_it_is_withdrawn(own_home: Path) -> None:
    one, same, other = (servers.parse(f"https://{name}") for name in ("one.org/v1#a", "one.org/v1#b", "one.org:444/v1"))
    assert not servers.has_agreed(one)
    with pytest.raises(ServerError, match=r"Nobody has agreed yet that text goes to one\.org"):
        servers.require_agreed(one)

    servers.agree(one)

    assert servers.has_agreed(same) and not servers.has_agreed(other)
    servers.require_agreed(same)
    servers.withdraw(same)
    assert not servers.has_agreed(one)
    assert servers.has_agreed(servers.parse("http://localhost:1234/v1"))
    assert not servers.has_agreed(servers.parse("http://nas.local:1234/v1")), "text leaves this computer"


@pytest.mark.parametrize("text", ["", "[]", '{"agreed": 3}', '{"agreed": ["https://one.org"]}'])
def test_a_damaged_file_agrees_to_nothing(own_home: Path, text: str) -> None:
    (own_home / servers.FILE_NAME).write_text(text)

    assert not servers.has_agreed(servers.parse("https://one.org/v1"))
    servers.agree(servers.parse("https://one.org/v1"))
    assert servers.has_agreed(servers.parse("https://one.org/v1"))
