"""`lab-desktop share`: looked at, prepared, agreed to, sent, followed, thrown away; wrong words get a sentence."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from lab_desktop import cli, keys
from lab_desktop.contribution import accounts, contributions, destinations, labpack
from lab_desktop.contribution.contributions import State
from tests.contribution.hub import FACTS, SKILL, TAXONOMY, TOKEN, Hub

AUTHOR = ["--author", "Ada Lovelace <ada@example.org>"]
AGREED = "--i-may-share-this"


def to_the_hub(hub: Hub) -> None:
    """What was prepared for the community goes to the one of this computer."""
    for each in contributions.every():
        assert each.destination is not None and each.destination.kind == "community"
        contributions.save(replace(each, destination=hub.community))


def share(*words: str) -> int:
    return cli.main(["share", *words])


def test_from_a_lesson_to_a_pull_request_and_what_became_of_it(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    lesson = str(hub.library / FACTS)
    assert share() == 0
    assert "Nothing was shared yet" in capsys.readouterr().err

    assert share("look", lesson) == 0
    looked = capsys.readouterr()
    assert f"{FACTS}/texts/old/orra.md" in looked.out and "Nothing keeps it" in looked.err

    assert share("prepare", lesson, "--to", "community", *AUTHOR, "--note", "For the museum.", AGREED) == 0
    prepared = capsys.readouterr()
    name = prepared.out.splitlines()[-1]
    assert "taxonomy-documents, a public repository of yours" in prepared.err
    (made,) = contributions.every()
    assert (name, contributions.state(made)) == (made.folder.name, State.READY)
    assert hub.hub.asked == []
    to_the_hub(hub)

    assert share("send") == 0
    assert f"share send {name}" in capsys.readouterr().err
    assert hub.hub.asked == []
    assert share("send", name) == 0
    page = capsys.readouterr().out.strip()
    assert page == f"https://github.com/{TAXONOMY}/pull/1"
    assert "For the museum" in hub.hub.pulls[0].body
    assert share("send", name) == 0
    assert len(hub.hub.pulls) == 1

    hub.hub.pulls[0].review("bo", "CHANGES_REQUESTED", "More \x1b[31mexamples.", "2027-11-22T08:00:00Z")
    hub.hub.pulls[0].run("lint", "failure", "line 12", "too long")
    capsys.readouterr()
    assert share("status") == 0
    told = capsys.readouterr().out
    assert "changes asked" in told and "lint" in told and "More examples." in told and "bo:" in told
    assert contributions.unread(made) == 0

    hub.hub.pulls[0].state = "closed"
    assert share("status") == 0
    assert "not accepted" in capsys.readouterr().out
    hub.hub.pulls[0].state = "open"
    assert share("status") == 0
    assert "changes asked" in capsys.readouterr().out

    hub.hub.users.clear()  # the token is not accepted any more
    assert share("status") == 1
    told = capsys.readouterr()
    assert "changes asked" in told.out and "lint" in told.out and "sign-in" in told.err.lower()
    assert share("list") == 0
    assert "changes asked" in capsys.readouterr().out
    assert share("remove", name) == 1
    assert share("remove", name, "--yes") == 0
    assert contributions.every() == []
    capsys.readouterr()
    assert share("restore") == 0
    assert capsys.readouterr().out.startswith(name)
    assert share("restore", "nothing") == 1
    assert share("restore", name) == 0
    assert [each.folder.name for each in contributions.every()] == [name]
    capsys.readouterr()
    assert share("restore") == 0
    told = capsys.readouterr()
    assert (told.out, told.err.strip()) == ("", "The bin is empty.")


def test_who_does_not_agree_keeps_a_draft_and_sends_nothing(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    lesson = str(hub.library / SKILL)
    words = ["prepare", lesson, "--to", "community", *AUTHOR]

    assert share(*words) == 1
    assert "kept as a draft" in capsys.readouterr().err
    (draft,) = contributions.every()
    assert contributions.state(draft) is State.DRAFT
    assert share("send", draft.folder.name) == 1
    assert "not agreed to yet" in capsys.readouterr().err
    assert hub.hub.asked == []

    assert share(*words, AGREED) == 0
    assert [each.folder for each in contributions.every()] == [draft.folder]
    to_the_hub(hub)
    assert share("send", SKILL) == 0


def test_prepared_again_the_same_contribution_has_the_lesson_as_it_is_now(hub: Hub) -> None:
    lesson = hub.library / SKILL
    words = ["prepare", str(lesson / "qna.yaml"), "--to", hub.git.address("team/lessons"), *AUTHOR, AGREED]
    assert share(*words) == 0
    (first,) = contributions.every()
    file = lesson / "qna.yaml"
    file.write_text(file.read_text().replace("RAIN", "RAIN!"))

    assert share(*words) == 0

    (second,) = contributions.every()
    assert second.folder == first.folder and second.digest != first.digest
    assert contributions.state(second) is State.READY
    assert destinations.team() == second.destination


def test_a_team_s_documents_have_a_place_of_their_own(hub: Hub) -> None:
    hub.git.make("team/papers")
    places = ["--to", hub.git.address("team/lessons"), "--documents", hub.git.address("team/papers")]
    assert share("prepare", str(hub.library / FACTS), *places, *AUTHOR, AGREED) == 0

    assert share("send", "Orra") == 0

    (made,) = contributions.every()
    assert set(hub.branches("team/papers")) == {made.branch}


def test_a_file_to_send_by_mail_and_how_it_is_taken(hub: Hub, tmp_path: Path, own_home: Path) -> None:
    file = tmp_path / "Orra.labpack"
    assert share("prepare", str(hub.library / FACTS), "--to", str(file), *AUTHOR, AGREED) == 0
    assert not file.exists()

    assert share("send", "Orra") == 0

    assert labpack.read(file).author == "Ada Lovelace <ada@example.org>"
    assert share("import", str(file)) == 1  # there is no library yet
    assert share("import", str(file), "--into", str(hub.library), "--yes") == 0
    assert (hub.library / f"{FACTS}_2" / "texts" / "old" / "orra.md").exists()


def test_whose_it_is_is_who_signed_in(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["prepare", str(hub.library / SKILL), "--to", "community", AGREED]
    assert share(*words) == 1
    assert "--author" in capsys.readouterr().err

    account = accounts.sign_in("github", hub.hub.host, TOKEN)
    words[3] = f"http://{hub.hub.host}/{TAXONOMY}"
    assert share(*words, "--forge", "github") == 0
    (made,) = contributions.every()
    assert made.author is not None and (made.author.name, made.author.email) == (account.name, account.email)
    assert made.destination is not None and made.destination.api == hub.hub.api


def test_somebody_changed_it_and_yours_goes_on_top(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    share("prepare", str(hub.library / SKILL), "--to", "community", *AUTHOR, AGREED)
    to_the_hub(hub)
    hub.move_on(TAXONOMY, {f"{SKILL}/qna.yaml": "theirs"})

    assert share("send", "Shout") == 1
    assert "--on-top" in capsys.readouterr().err
    assert share("send", "Shout", "--on-top") == 0
    assert len(hub.hub.pulls) == 1


def test_what_waits_is_sent_without_a_name(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert share("send") == 0
    assert "Nothing waits" in capsys.readouterr().err
    for path in (FACTS, SKILL):
        contributions.save(replace(hub.prepared(path, hub.team), is_wanted=True))
    capsys.readouterr()

    assert share("send") == 0

    assert len(hub.branches("team/lessons")) == 3
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_token_is_taken_unseen_and_forgotten(
    hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{TOKEN}\n"))
    assert share("sign-in", hub.hub.host) == 0
    assert keys.get(accounts.KEYS, f"https://{hub.hub.host}") == TOKEN
    account = accounts.known(hub.hub.host)
    assert account is not None and account.login == "ada"

    assert share("sign-out", hub.hub.host) == 0
    assert keys.get(accounts.KEYS, f"https://{hub.hub.host}") is None
    monkeypatch.setattr("sys.stdin", io.StringIO("wrong-token-1234\n"))
    assert share("sign-in", hub.hub.host) == 1
    said = capsys.readouterr()
    assert TOKEN not in said.out + said.err and "wrong-token" not in said.out + said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["look", "nowhere"], 'There is no lesson in "nowhere"'),
        (["send", "nowhere"], 'There is no contribution called "nowhere"'),
        (["status", "nowhere"], 'There is no contribution called "nowhere"'),
        (["prepare", "LESSON", "--to", "https://me:pw@example.org/x", *AUTHOR], "has a name or a password in it"),
        (["prepare", "LESSON", "--to", "nothing at all", *AUTHOR], "not an address of a repository"),
        (["prepare", "STRAY", "--to", "community", *AUTHOR], "lies in no library"),
        (["import", "nowhere.labpack", "--into", "LIBRARY"], 'There is no lesson in "nowhere.labpack"'),
    ],
)
def test_wrong_arguments_get_a_sentence(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    stray = tmp_path / "stray"
    stray.mkdir()
    (stray / "qna.yaml").write_text("version: 3\n")
    places = {"LESSON": str(hub.library / SKILL), "STRAY": str(stray), "LIBRARY": str(hub.library)}

    assert share(*[places.get(word, word) for word in words]) == 1

    assert sentence in capsys.readouterr().err
    assert contributions.every() == []


@pytest.mark.parametrize("author", ["Ada", "<ada@example.org>", "Ada <ada>", "Ada <a@b> and more", ""])
def test_an_author_without_name_and_address_is_wrong_usage(author: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        share("prepare", "x", "--to", "community", "--author", author)

    assert ended.value.code == 2 and "a name and an address are needed" in capsys.readouterr().err


def test_what_the_community_would_refuse_is_not_prepared(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    (hub.library / SKILL / "attribution.txt").unlink()

    assert share("look", str(hub.library / SKILL)) == 1
    assert share("prepare", str(hub.library / SKILL), "--to", "community", *AUTHOR, AGREED) == 1

    assert "cannot be sent like this" in capsys.readouterr().err
    assert contributions.every() == []
