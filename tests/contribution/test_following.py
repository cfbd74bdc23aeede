"""contribution/following.py: all open contributions are asked about, and an answer is sent once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import keyring
import pytest

from lab_desktop import keys
from lab_desktop.contribution import accounts, contributions, following, journal, patience
from lab_desktop.contribution.contributions import Contribution, State
from lab_desktop.contribution.destinations import Destination
from lab_desktop.contribution.following import follow_all, waiting_reply, write_reply
from lab_desktop.errors import Cancelled, ContributionError
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import FollowRequest
from lab_desktop.jobs.run import Run
from tests.contribution.parcels import ADA, letter, skill
from tests.github_server import GitHubServer, Pull, User
from tests.json_server import Fault
from tests.keyrings import MemoryKeyring

TAXONOMY = "instructlab/taxonomy"
TOKEN = "ghp_PlantedTokenThatNobodyMaySee1234"


@pytest.fixture(scope="module")
def server() -> Iterator[GitHubServer]:
    made = GitHubServer()
    made.users[TOKEN] = User("ada")
    made.add(TAXONOMY)
    with made.running():
        yield made


@pytest.fixture
def hub(server: GitHubServer, own_home: Path) -> Iterator[GitHubServer]:
    """Nobody opened a pull request there yet; a person is signed in."""
    server.pulls.clear()
    server.asked.clear()
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    keys.keep(accounts.KEYS, f"https://{place(server).host}", TOKEN)
    yield server
    keyring.set_keyring(before)


def place(hub: GitHubServer) -> Destination:
    return Destination("team", f"http://{urlsplit(hub.api).netloc}/{TAXONOMY}", "github", hub.api)


def prepared(hub: GitHubServer) -> Contribution:
    """It only waits to be sent."""
    made = contributions.start(Path("library"), skill(), letter())
    made = replace(made, destination=place(hub), author=ADA, agreed_at=1_763_780_000.0)
    contributions.save(made)
    return made


def sent(hub: GitHubServer) -> Contribution:
    """It was sent: its pull request is open."""
    made, number = prepared(hub), len(hub.pulls) + 1
    to = place(hub).address
    hub.pulls.append(Pull(number, TAXONOMY, f"ada:{made.branch}", "Add a skill", "What it teaches."))
    journal.note(made.folder, "fork", to, fork="ada/taxonomy", login="ada")
    journal.note(made.folder, "commit", to, commit="1" * 40, identity=contributions.identity(made))
    journal.note(made.folder, "request", to, number=number, page=f"https://github.com/{TAXONOMY}/pull/{number}")
    return made


def asked() -> dict[str, object]:
    """Ask about all of them, as the worker does."""
    errands.write(FollowRequest())
    with Run(FollowRequest().folder).open() as run:
        return follow_all(run)


def test_every_open_contribution_is_asked_about(hub: GitHubServer) -> None:
    one, other = sent(hub), sent(hub)
    prepared(hub)  # was never sent
    hub.pulls[0].review("mia", "CHANGES_REQUESTED", "Please name the source.", "2099-01-01T00:00:00Z")
    hub.pulls[1].is_merged = True
    hub.pulls[1].state = "closed"

    assert asked() == {"asked": 2, "trouble": "", "hint": "", "is_offline": False}

    assert contributions.state(one) is State.CHANGES
    assert contributions.state(other) is State.ACCEPTED
    assert errands.waiting() == []
    hub.asked.clear()
    assert asked()["asked"] == 1, "what was accepted is not asked about again"


def test_what_was_closed_and_opened_again_is_noticed(hub: GitHubServer) -> None:
    made = sent(hub)
    hub.pulls[0].state = "closed"
    asked()
    assert contributions.state(made) is State.DECLINED

    hub.pulls[0].state = "open"
    asked()
    assert contributions.state(made) is State.CHECKING


def test_an_answer_is_sent_with_the_next_asking_and_not_twice(hub: GitHubServer) -> None:
    made = sent(hub)
    asked()
    write_reply(made, "  I wrote it *myself*.\n")
    assert waiting_reply(made) is not None

    asked()
    asked()

    assert [each["body"] for each in hub.pulls[0].comments] == ["I wrote it *myself*."]
    assert waiting_reply(made) is None
    found = contributions.standing(made)
    assert found is not None and [comment.who for comment in found.comments] == ["ada"]


def test_an_answer_that_a_killed_worker_had_sent_is_not_sent_again(hub: GitHubServer) -> None:
    made = sent(hub)
    write_reply(made, "Thank you.")
    hub.pulls[0].comment("ada", "Thank you.")  # it came there, and the worker died before it could note that

    asked()

    assert len(hub.pulls[0].comments) == 1
    assert waiting_reply(made) is None


def test_an_answer_whose_receipt_was_lost_on_the_way_is_not_sent_again(
    hub: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "FIRST_WAIT_S", 0.01)
    made = sent(hub)
    write_reply(made, "Thank you.")
    hub.faults.append(Fault("POST /repos/instructlab/taxonomy/issues/1/comments", is_cut=True, is_done=True))

    first = asked()
    second = asked()

    assert [each["body"] for each in hub.pulls[0].comments] == ["Thank you."]
    assert (bool(first["trouble"]), second["trouble"]) == (True, "")
    assert waiting_reply(made) is None


def test_the_same_words_as_earlier_are_another_answer(hub: GitHubServer) -> None:
    made = sent(hub)
    hub.pulls[0].comment("ada", "Thank you.")
    hub.pulls[0].comment("mia", "Thank you.")
    asked()
    write_reply(made, "Thank you.")

    asked()

    assert [each["user"]["login"] for each in hub.pulls[0].comments] == ["ada", "mia", "ada"]


def test_without_a_connection_the_answer_waits_and_nothing_is_lost(
    hub: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "FIRST_WAIT_S", 0.01)
    made = sent(hub)
    asked()
    write_reply(made, "Done.")
    away = replace(made, destination=replace(place(hub), api="http://127.0.0.1:9/api/v3"))
    contributions.save(away)

    result = asked()

    assert result["is_offline"] and result["trouble"]
    assert waiting_reply(made) is not None
    contributions.save(made)
    asked()
    assert [each["body"] for each in hub.pulls[0].comments] == ["Done."]


def test_what_one_refuses_keeps_nobody_from_asking_the_others(hub: GitHubServer) -> None:
    one, other = sent(hub), sent(hub)
    del hub.pulls[0]
    hub.pulls[0].comment("mia", "Nice.")

    result = asked()

    assert (result["asked"], bool(result["trouble"]), result["is_offline"]) == (1, True, False)
    assert contributions.unread(other) == 1
    assert contributions.standing(one) is None


def test_stopped_in_between_it_goes_on_the_next_time(hub: GitHubServer) -> None:
    made = sent(hub)
    with pytest.raises(Cancelled), Run(FollowRequest().folder, is_cancelled=lambda: True).open() as run:
        follow_all(run)
    assert contributions.standing(made) is None

    asked()

    assert contributions.standing(made) is not None


def test_signed_out_says_that_nobody_was_asked(hub: GitHubServer) -> None:
    made = sent(hub)
    keyring.set_keyring(MemoryKeyring())

    result = asked()

    assert "so it was not asked" in str(result["trouble"]) and not result["is_offline"]
    assert contributions.standing(made) is None


@pytest.mark.parametrize(("text", "word"), [(" \n", "empty"), ("x" * 60_001, "60,001 letters")])
def test_an_answer_that_no_host_takes_is_refused(hub: GitHubServer, text: str, word: str) -> None:
    made = sent(hub)

    with pytest.raises(ContributionError, match=word):
        write_reply(made, text)

    assert waiting_reply(made) is None


def test_there_is_nobody_to_answer_before_it_is_sent(hub: GitHubServer) -> None:
    made = prepared(hub)

    with pytest.raises(ContributionError, match="nobody to answer"):
        write_reply(made, "Hello?")


@pytest.mark.parametrize("text", ["{", "[]", '{"text": "a"}', '{"text": "a", "seen": 3}', "\0"])
def test_a_damaged_answer_is_none(hub: GitHubServer, text: str) -> None:
    made = sent(hub)
    (made.folder / following.FILE_NAME).write_text(text)

    assert waiting_reply(made) is None
    assert asked()["asked"] == 1
