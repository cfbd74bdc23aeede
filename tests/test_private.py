"""What looks private is found, what only resembles it is not, and a hostile text takes no longer than another."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab_desktop import private
from lab_desktop.private import scan

FOUND = {
    "e-mail": ("ada@example.org", "jane.doe+x@mail.example.co.uk", "d.müller@büro.example.de"),
    "phone": (
        "+44 20 7946 0958", "(0351) 123 4567", "0171 2345678", "0171-2345678", "030/12345678", "01 23 45 67 89",
        "555-123-4567", "1-555-123-4567", "(555) 123-4567", "+1 (555) 123-4567", "+49 (0)30 1234567", "+4915112345678",
        "0049 30 123456", "+44\u00a020\u00a07946\u00a00958", "+44 20 7946–0958",
    ),
    "folder": ("/Users/ada/notes.md", "/home/ada/x", "C:\\Users\\Ada\\x.txt", "~/secret/a", "file:///srv/a"),
}  # fmt: skip
KEYS = (
    "ghp_" + "a1B2" * 9, "github_pat_" + "a1" * 20, "glpat-" + "x" * 20, "hf_" + "a1" * 17, "AKIAIOSFODNN7EXAMPLE",
    "sk-proj-" + "a1" * 20, "sk-" + "a1" * 24, "xoxb-123456789012-abc", "AIza" + "x" * 35, "npm_" + "a1" * 18,
    "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2Q", "password=hunter2", "Password: abc123",
    "DB_PASSWORD='s3cret!'", '"api_key": "9f8e7d6c"', "https://ada:geheim@github.com/x",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpA\nabc=\n-----END RSA PRIVATE KEY-----",
)  # fmt: skip
HARMLESS = (
    "7 of 8 on 2026-11-22, 1 234 567 rows, 0.5, 3/8, arXiv:2403.01081, https://huggingface.co/a/b, v1.2-3, and/or",
    "ISBN 978-3-16-148410-0", "ISBN 0-07-222565-5", "ISBN 03-1234-5678", "0028-0836", "on 01-02-1999", "1876-1922",
    "phone 1876-1922", "C6H12O6 and Ca2+", "5 @ 3 euros", "@someone", "/kæt/ and /dɒɡ/", "The password: it is long",
    "the token: something", "icon@2x.png", "git@github.com:x/y", "12.345.678", "0101 0101 1100", "0 123 456 789",
    "+40.712776", "Smith (1999) 123-145", "(12) 300 000 people", "192.168.100.200", "0900-1700", "secret=***",
    "sk-some-long-hyphenated-name-here", "https://example.org/home/ada/x", "](/wiki/Orra_island)", "1382, 1517, 1744",
    "52° 31′ 12″ N, 13° 24′ 18″ E", "01 02 03 04 05 06 07", "0.000 000 001", "password=$PASSWORD", "ada at example",
    "doi 10.1000/1823456789", "-----BEGIN CERTIFICATE-----",
)  # fmt: skip
HOSTILE = (
    "a", "1", "1 ", "a@", "x@a-", "x@" + "a." * 10, " /home/", "/a", "-----BEGIN PRIVATE KEY-----\n", "password=",
    "password:", "a://a:", "+1", "(", "eyJaaaaaaaaaa.", "sk-", "ghp_" + "a" * 15 + " ", "\n", "tel 123456",
    "token  =  ",
    "+1234567890123 4(", "01 ", "Jane  ",
)  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts])
def test_it_is_found_wherever_it_stands(kind: str, text: str) -> None:
    for before, after in (("", ""), ("Ask ", "; then go."), ("\n\n“", "”\n"), ("(see ", ", or)")):
        (found,) = scan(f"{before}{text}{after}")

        assert found.kind == kind and found.text.startswith(text)
        assert f"{before}{text}{after}"[found.start : found.end] == found.text
        assert found.line == before.count("\n") + 1


@pytest.mark.parametrize("text", KEYS)
def test_of_a_key_only_its_beginning_is_told(text: str) -> None:
    (found,) = scan(f"See {text} here")

    assert found.kind == "key" and found.text.endswith("…")
    assert len(found.text) <= 20 < len(found.text) + found.end - found.start
    assert not any(secret in found.text for secret in ("hunter2", "abc123", "s3cret", "9f8e7d6c", "geheim", text[9:]))


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_resembles_it_is_not_found(text: str) -> None:
    assert scan(f"It is {text}, they say.") == []


def test_names_are_found_as_whole_words_in_any_case() -> None:
    found = scan("ADA met Adam; jane\nDoe wrote it. Canada.", ("ada", "Jane Doe"))

    assert [(each.kind, each.text, each.line) for each in found] == [("name", "ADA", 1), ("name", "jane\nDoe", 1)]


def test_a_phone_number_is_known_by_the_word_before_it() -> None:
    assert [each.text for each in scan("Tel.: 5551234, fax 555 987; room 5551234")] == ["5551234", "555 987"]


def test_people_of_this_computer_are_those_it_is_named_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/adalovelace")
    assert private.people()[0] == "adalovelace"

    monkeypatch.setenv("HOME", "/root")
    assert "root" not in private.people()
    assert str(Path.home()) == "/root"


@given(st.text(st.sampled_from("ab1@.+-/ (0)\n:=_gh~\\"), max_size=200))
def test_findings_are_in_order_and_stand_where_they_are_said_to(text: str) -> None:
    end = 0
    for found in scan(text, ("ab",)):
        assert end <= found.start < found.end <= len(text)
        assert found.line == text.count("\n", 0, found.start) + 1
        assert text[found.start : found.end].startswith(found.text.rstrip("…"))
        end = found.end


@given(
    st.lists(st.integers(0, 10**12).map(str) | st.floats(allow_nan=False).map(str) | st.dates().map(str), max_size=30)
)
def test_numbers_and_dates_are_no_phone_numbers(numbers: list[str]) -> None:
    assert scan(", ".join(numbers)) == []
    assert scan("\n".join(f"| {number} |" for number in numbers)) == []


@given(st.integers(0, 10**12))
def test_numbers_in_groups_are_no_phone_numbers(number: int) -> None:
    for sign in (" ", "\u00a0", ",", ".", "'"):
        assert scan(f"about {number:,} people".replace(",", sign)) == []


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hostile_text_takes_no_longer_than_its_length(unit: str) -> None:
    text = (unit * 300_000)[:300_000]
    began = time.thread_time()

    scan(text, ("ada", "Jane Doe"))

    assert time.thread_time() - began < 3
