"""Contributions on the disk: frozen as they were agreed to, derived states, and nothing half-written looks complete."""

from __future__ import annotations

import functools
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab_desktop import paths
from lab_desktop.contribution import contributions, journal
from lab_desktop.contribution.contributions import Contribution, State
from lab_desktop.contribution.destinations import Destination
from lab_desktop.contribution.hosts import Check, Comment, Outcome, Standing
from lab_desktop.contribution.letter import Letter
from lab_desktop.errors import LeafError, RunError
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import ShareRequest
from lab_desktop.jobs.run import Run
from tests.contribution.parcels import ADA, SHOUT, agreed, facts, letter, ready, skill
from tests.drills.changes import killed_at

HUB = Destination("community", "https://github.com/instructlab/taxonomy", "github", "https://api.github.com")
TEAM = Destination("team", "ssh://git@example.org/lessons.git")


def standing(outcome: Outcome = "open", *comments: Comment, at: float = 2e9) -> Standing:
    return Standing(outcome, (Check("lint", "passed"),), comments, "9" * 40, at)


def sent(contribution: Contribution, number: int = 12) -> Contribution:
    """What the journal says after everything was done."""
    assert contribution.destination is not None
    to, same = contribution.destination.address, contributions.identity(contribution)
    journal.note(contribution.folder, "fork", to, fork="ada/taxonomy", login="ada")
    journal.note(contribution.folder, "commit", to, commit="a" * 40, identity=same)
    journal.note(contribution.folder, "request", to, number=number, page=f"https://example.org/pull/{number}")
    return contribution


def test_a_contribution_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = contributions.start(tmp_path, facts(), letter("Ünïcode, “quotes”\n"), tmp_path / "run")
    kept = agreed(made, HUB)

    assert contributions.read(made.folder) == kept
    assert contributions.every() == [kept]
    assert contributions.parcel_of(kept) == facts()
    assert contributions.letter_of(kept) == letter("Ünïcode, “quotes”\n")
    assert kept.run == tmp_path / "run"
    assert made.folder.parent == paths.contributions()
    assert made.branch == f"lesson/{made.folder.name}" and made.folder.name.startswith("orra-")


def test_two_contributions_of_one_lesson_have_their_own_branches(tmp_path: Path) -> None:
    first, second = (contributions.start(tmp_path, skill(), letter()) for _ in range(2))

    assert first.branch != second.branch
    assert {each.folder for each in contributions.every()} == {first.folder, second.folder}


def test_the_newest_comes_first_and_a_damaged_one_is_left_out(tmp_path: Path) -> None:
    made = [contributions.start(tmp_path, skill(), letter()) for _ in range(3)]
    (made[1].folder / contributions.FILE_NAME).write_text("{")
    (paths.contributions() / "notes.txt").write_text("mine")

    assert [each.folder for each in contributions.every()] == [made[2].folder, made[0].folder]


@pytest.mark.parametrize(
    "change",
    [
        {"library": 3},
        {"digest": "../../etc"},
        {"is_wanted": "yes"},
        {"agreed_at": "now"},
        {"created": None},
        {"destination": {"kind": "pigeon", "address": "x"}},
        {"destination": {"kind": "team", "address": "x", "forge": "sourcehut"}},
        {"destination": {"kind": "team", "address": "x", "more": "y"}},
        {"destination": ["team"]},
        {"author": {"name": "Ada"}},
        {"author": {"name": "Ada", "email": 3}},
        {"run": 5},
        {"title": ["x"]},
        {"title": "\ud800"},
        {"library": "/home/\0"},
        {"created": float("nan")},
        {"created": float("inf")},
        {"agreed_at": 10**400},
        {"destination": {"kind": "team", "address": "http://["}},
        {"destination": {"kind": "team", "address": "https://a.example/b", "documents": "https://["}},
    ],
)
def test_what_another_hand_wrote_is_damaged_and_nothing_else(tmp_path: Path, change: dict[str, Any]) -> None:
    made = ready(tmp_path, HUB)
    file = made.folder / contributions.FILE_NAME
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))

    with pytest.raises(RunError, match="is damaged"):
        contributions.read(made.folder)
    assert contributions.every() == []


def test_what_was_changed_after_it_was_agreed_to_is_not_sent(tmp_path: Path) -> None:
    made = ready(tmp_path, HUB)
    frozen = next(made.folder.glob("lesson-*"))
    (frozen / "files" / SHOUT / "qna.yaml").write_text("version: 3\n")

    with pytest.raises(RunError, match="changed or is damaged"):
        contributions.parcel_of(made)

    (frozen / "letter.md").write_text("other")
    with pytest.raises(RunError, match="changed or is damaged"):
        contributions.letter_of(made)

    listed = frozen / "lesson.json"
    listed.write_text(listed.read_text().replace(SHOUT, "../../outside"))
    with pytest.raises(RunError, match="changed or is damaged"):
        contributions.identity(made)
    assert contributions.state(made) is State.READY


@pytest.mark.parametrize("name", ["../out.md", "a\nb.md", ".git/config", "con", "a\\b.md", "x/"])
def test_a_name_that_is_none_everywhere_is_refused_and_nothing_remains(tmp_path: Path, name: str) -> None:
    odd = replace(facts(), documents={name: b"text"})

    with pytest.raises(LeafError):
        contributions.start(tmp_path, odd, letter())

    assert list(paths.contributions().iterdir()) == []


def test_what_the_community_had_there_may_have_any_name(tmp_path: Path) -> None:
    before = {f"{SHOUT}/qna.yaml": b"old", f"{SHOUT}/.gitkeep": b"", f"{SHOUT}/a\nb": b""}
    made = contributions.start(tmp_path, skill(before=before), letter())

    assert contributions.parcel_of(made).before == {f"{SHOUT}/qna.yaml": b"old"}


def test_renewed_it_must_be_agreed_to_again_and_the_way_there_stays(tmp_path: Path) -> None:
    made = sent(ready(tmp_path, HUB))
    later = contributions.renew(made, skill("version: 3\n"), letter())

    assert contributions.read(made.folder) == later
    assert (later.agreed_at, later.destination, later.branch) == (0.0, HUB, made.branch)
    assert contributions.parcel_of(later) == skill("version: 3\n")
    assert contributions.state(later) is State.DRAFT
    assert contributions.done(later).number == 12
    assert contributions.parcel_of(made) == skill()  # a worker may have it in hand

    assert contributions.state(agreed(later, HUB)) is State.READY
    last = contributions.renew(later, skill("version: 2\n"), letter())
    assert len(list(made.folder.glob("lesson-*"))) == 2
    assert contributions.parcel_of(last) == skill("version: 2\n")


def test_another_letter_needs_no_new_agreement_and_the_same_lesson_changes_nothing(tmp_path: Path) -> None:
    made = ready(tmp_path, HUB)

    assert contributions.renew(made, skill(), letter()) == made
    worded = contributions.renew(made, skill(), Letter("Another title", "More."))
    assert worded.agreed_at == made.agreed_at
    assert contributions.letter_of(worded).body == "More."


def test_the_state_follows_from_the_files(tmp_path: Path) -> None:
    draft = contributions.start(tmp_path, skill(), letter())
    assert contributions.state(draft) is State.DRAFT
    made = agreed(draft, HUB)
    assert contributions.state(made) is State.READY
    assert contributions.state(replace(made, author=None)) is State.DRAFT
    assert contributions.state(replace(made, is_wanted=True, trouble="No connection.")) is State.WAITING

    sent(made)
    assert contributions.state(made) is State.SENT
    for outcome, wanted in {
        "open": State.CHECKING,
        "changes asked": State.CHANGES,
        "accepted": State.ACCEPTED,
        "declined": State.DECLINED,
    }.items():
        contributions.note_standing(made, standing(outcome))  # type: ignore[arg-type]
        assert contributions.state(made) is wanted


def test_without_pull_requests_being_there_is_the_end(tmp_path: Path) -> None:
    made = ready(tmp_path, TEAM)
    same = contributions.identity(made)

    journal.note(made.folder, "pushing", TEAM.address, commit="a" * 40, identity=same)
    assert contributions.state(made) is State.READY
    journal.note(made.folder, "commit", TEAM.address, commit="a" * 40, identity=same, page="https://example.org")
    assert contributions.state(made) is State.SENT
    assert contributions.done(made).page == "https://example.org"

    other = replace(made, author=replace(ADA, email="ada@example.org"))
    assert contributions.state(other) is State.READY  # its commit would be another


def test_what_was_done_for_one_destination_is_not_done_for_another(tmp_path: Path) -> None:
    made = sent(ready(tmp_path, HUB))
    elsewhere = replace(made, destination=TEAM)

    assert contributions.done(elsewhere).commit == ""
    assert contributions.state(elsewhere) is State.READY
    assert contributions.state(made) is State.SENT


def test_an_answer_to_what_was_asked_is_being_checked(tmp_path: Path) -> None:
    made = sent(ready(tmp_path, HUB))
    asked = Comment("1", "bo", "More examples.", 1_700_000_000.0)
    contributions.note_standing(made, standing("changes asked", replace(asked, at=2e9)))
    assert contributions.state(made) is State.CHANGES

    later = [replace(asked, id=who, who=who, at=2e9) for who in ("ada", "lint[bot]")]
    contributions.note_standing(made, standing("changes asked", asked, *later))  # said before the last push
    assert contributions.state(made) is State.CHECKING


def test_what_nobody_read_is_counted_until_it_was_looked_at(tmp_path: Path) -> None:
    made = sent(ready(tmp_path, HUB))
    words = [Comment("1", "bo", "Nice.", 1.0), Comment("2", "ada", "Thanks.", 2.0), Comment("3", "bo", "But …", 3.0)]
    assert contributions.unread(made) == 0

    contributions.note_standing(made, standing("changes asked", *words))
    assert contributions.unread(made) == 3  # two of others, and what they decided
    contributions.mark_read(made)
    assert contributions.unread(made) == 0
    contributions.note_standing(made, standing("changes asked", *words, Comment("4", "bo", "So?", 4.0)))
    assert contributions.unread(made) == 1
    contributions.note_standing(made, standing("accepted", *words))
    assert contributions.unread(made) == 1


@pytest.mark.parametrize("text", ["", "[]", "{", '{"standing": 3}', '{"standing": {"outcome": "open"}, "read": 3}'])
def test_a_damaged_standing_is_none(tmp_path: Path, text: str) -> None:
    made = sent(ready(tmp_path, HUB))
    (made.folder / contributions.STANDING).write_text(text)

    assert contributions.standing(made) is None
    assert contributions.unread(made) == 0
    assert contributions.state(made) is State.SENT
    contributions.note_standing(made, standing())
    assert contributions.standing(made) == standing()


def told(standing: dict[str, Any]) -> str:
    check = {"name": "lint", "state": "passed", "says": "", "page": ""}
    comment = {"id": "1", "who": "bo", "text": "Yes.", "at": 1.0, "file": "", "line": 0}
    whole = {"outcome": "open", "checks": [check | standing.pop("check", {})], "head": "9", "at": 1.0}
    return json.dumps({"standing": {**whole, "comments": [comment | standing.pop("comment", {})], **standing}})


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "bought"},
        {"at": 10**400},
        {"check": {"name": 3}},
        {"check": {"state": "\x1b[2J"}},
        {"check": {"says": None}},
        {"comment": {"who": 3}},
        {"comment": {"text": ["x"]}},
        {"comment": {"at": float("nan")}},
        {"comment": {"line": "3"}},
        {"comment": {"id": "\ud800"}},
    ],
)
def test_a_standing_of_another_form_is_none(tmp_path: Path, change: dict[str, Any]) -> None:
    made = sent(ready(tmp_path, HUB))
    file = made.folder / contributions.STANDING
    file.write_text(told({}))
    assert contributions.standing(made) is not None

    file.write_text(told(change))
    assert contributions.standing(made) is None
    assert contributions.state(made) is State.SENT
    contributions.mark_read(made)


def test_what_is_folded_too_deep_is_damaged_and_nothing_else(tmp_path: Path) -> None:
    deep = "[" * 200_000
    made = sent(ready(tmp_path, HUB))
    (made.folder / contributions.STANDING).write_text(deep)
    with open(made.folder / journal.FILE_NAME, "a") as file:
        file.write(f"{deep}\n")
    assert contributions.state(made) is State.SENT

    (made.folder / contributions.FILE_NAME).write_text(deep)
    assert contributions.every() == []


def test_a_damaged_line_of_the_journal_takes_no_other_with_it(tmp_path: Path) -> None:
    made = ready(tmp_path, HUB)
    journal.note(made.folder, "fork", HUB.address, fork="ada/taxonomy", login="ada")
    with open(made.folder / journal.FILE_NAME, "a") as file:
        file.write('[1]\n"x"\n{"to": 3}\nnonsense\n\xff\n')

    journal.note(made.folder, "request", HUB.address, number=3, page="p")
    found = contributions.done(made)
    assert (found.fork, found.number) == ("ada/taxonomy", 3)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "9" * 400, '"3"', "null"])
def test_a_number_that_is_none_is_no_request(tmp_path: Path, number: str) -> None:
    made = ready(tmp_path, HUB)
    line = f'{{"step": "request", "to": "{HUB.address}", "number": {number}, "at": {number}}}\n'
    (made.folder / journal.FILE_NAME).write_text(line)

    assert (contributions.done(made).number, contributions.done(made).at) == (0, 0)


def test_what_is_being_sent_is_not_thrown_away(tmp_path: Path) -> None:
    made = ready(tmp_path, HUB)
    with Run(made.folder).open(), pytest.raises(RunError, match="Another job is working"):
        contributions.throw_away(made)

    assert contributions.every() == [made]
    contributions.throw_away(made)
    assert contributions.every() == []


def test_thrown_away_it_lies_in_the_bin(tmp_path: Path) -> None:
    made = ready(tmp_path, HUB)
    contributions.throw_away(made)

    assert contributions.every() == []
    contributions.empty_bin(time.time() + 29 * 86_400)
    kept = next((paths.contributions() / contributions.BIN).iterdir())
    assert contributions.read(kept).title == "Shout"
    contributions.empty_bin(time.time() + 31 * 86_400)
    assert not kept.exists()


def test_only_what_is_new_there_and_not_being_sent_follows_its_lesson(tmp_path: Path) -> None:
    moved = [(Path(SHOUT).parent, Path("compositional_skills/loud")), (Path("knowledge"), Path("knowledge/x"))]
    new, elsewhere = ready(tmp_path, HUB), ready(tmp_path / "other", HUB)
    known = contributions.start(tmp_path, replace(skill(), before={f"{SHOUT}/qna.yaml": b"version: 3"}), letter())
    sending = ready(tmp_path, HUB)
    taken = sent(ready(tmp_path, HUB))
    contributions.note_standing(taken, standing("accepted"))

    with Run(sending.folder).open():
        contributions.follow(tmp_path, moved)

    assert contributions.read(new.folder) == replace(new, path=f"compositional_skills/loud/{Path(SHOUT).name}")
    for each in (elsewhere, known, sending, taken):
        assert contributions.read(each.folder) == each


def test_put_back_it_is_as_it_was_and_goes_nowhere_by_itself(tmp_path: Path) -> None:
    waits = contributions.update(sent(ready(tmp_path, HUB)), is_wanted=True)
    other = ready(tmp_path, TEAM)
    thrown = contributions.throw_away(waits)
    damaged = contributions.throw_away(other).contribution.folder / contributions.FILE_NAME
    damaged.write_text("{")

    assert contributions.binned() == [thrown]
    back = contributions.put_back(thrown)

    assert contributions.every() == [back] == [replace(waits, is_wanted=False)]
    assert contributions.done(back).number == 12
    assert contributions.binned() == []


def test_killed_while_it_is_put_back_it_is_in_the_bin_or_back_and_not_asked_to_be_sent(tmp_path: Path) -> None:
    made = contributions.update(ready(tmp_path, HUB), is_wanted=True)
    thrown, step = contributions.throw_away(made), 1
    while killed_at(step, functools.partial(contributions.put_back, thrown)):
        back, binned = contributions.every(), contributions.binned()
        (kept,) = back or [each.contribution for each in binned]
        assert kept.title == "Shout"
        assert not back or not kept.is_wanted
        wanted = contributions.update(kept, is_wanted=True)
        thrown = contributions.throw_away(wanted) if back else binned[0]
        step += 1

    assert step > 2
    assert contributions.every() == [replace(made, is_wanted=False)]


def test_the_errand_of_a_contribution_lies_in_its_folder(tmp_path: Path) -> None:
    made = ready(tmp_path, HUB)

    assert errands.write(ShareRequest(made.folder)) == made.folder
    assert errands.read(made.folder) == ShareRequest(made.folder)
    assert errands.waiting() == []


def test_killed_while_it_is_started_there_is_one_or_none(tmp_path: Path, own_home: Path) -> None:
    step = 1
    while killed_at(step, lambda: contributions.start(tmp_path, facts(), letter())):
        for each in contributions.every():
            assert contributions.parcel_of(each) == facts()
        step += 1

    assert step > 5
    assert contributions.every()


def test_killed_while_it_is_renewed_it_is_the_old_or_the_new(tmp_path: Path) -> None:
    made = ready(tmp_path, HUB)
    new = facts(SHOUT)
    step = 1
    while killed_at(step, lambda: contributions.renew(made, new, letter())):
        now = contributions.read(made.folder)
        found = contributions.parcel_of(now)
        assert found in (skill(), new)
        assert (now.agreed_at > 0) == (found == skill())
        contributions.save(made)
        step += 1

    assert step > 5
    assert contributions.parcel_of(contributions.read(made.folder)) == new
