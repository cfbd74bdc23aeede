"""chats.py: what was said is on disk, and the list of it is read once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lab_desktop import chats
from lab_desktop.chats import Chat, Shelf, Turn
from lab_desktop.errors import StorageError

BREAD = Chat("a", turns=(Turn("user", "How do I bake bread?"), Turn("assistant", "So.", "new", model="SmolLM2")))
LIGHT = Chat("b", turns=(Turn("user", "Who built\nthe lighthouse?"),))


def test_a_chat_comes_back_as_it_was_with_who_answered(tmp_path: Path) -> None:
    turns = (Turn("user", "Who?", choice="new"), Turn("assistant", "Mira.", "new", 3, 0.5, False, 1, "SmolLM2-135M"))
    saved = chats.save(tmp_path, Chat("c", "velmora", True, turns, is_blind=True, voice="", name="Ferries"))

    assert chats.every(tmp_path) == [saved]


def test_a_chat_of_an_older_version_is_read(tmp_path: Path) -> None:
    turn = {"role": "user", "text": "Who?", "voice": "", "tokens": 0, "seconds": 0, "was_stopped": False, "column": 0}
    (tmp_path / "old.json").write_text(json.dumps({"project": "", "is_compare": False, "turns": [turn]}))

    (chat,) = chats.every(tmp_path)

    assert (chat.title, chat.turns[0].model, chat.voice) == ("Who?", "", "new")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"turns": 7}',
        '{"turns": [{"role": "user", "text": 7}]}',
        '{"turns": [7]}',
        '{"turns": [], "place": Infinity}',
        '{"turns": [], "place": 1e999}',
        '{"turns": [], "others": [{"same": 1e999, "turns": []}]}',
        '{"turns": [{"role": "user", "text": "", "was_stopped": []}]}',
    ],
)
def test_a_damaged_file_is_told_and_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    chats.save(tmp_path, BREAD)

    shelf = Shelf(tmp_path)
    shelf.look()
    assert [chat.id for chat in shelf.chats] == ["a"]
    assert shelf.damaged == [tmp_path / "bad.json"]
    assert (tmp_path / "bad.json").read_text() == text


def test_the_shelf_reads_a_file_again_only_when_it_changed(tmp_path: Path) -> None:
    chats.save(tmp_path, BREAD)
    chats.save(tmp_path, LIGHT)
    shelf = Shelf(tmp_path)
    shelf.look()
    first = {chat.id: chat for chat in shelf.chats}

    chats.rename(tmp_path, LIGHT, "Towers")
    shelf.look()

    second = {chat.id: chat for chat in shelf.chats}
    assert second["a"] is first["a"]
    assert second["b"].title == "Towers"


def test_a_shelf_without_time_reads_the_rest_later(tmp_path: Path) -> None:
    chats.save(tmp_path, BREAD)
    shelf = Shelf(tmp_path)

    assert not shelf.look(most_s=-1)
    assert shelf.chats == []
    assert shelf.look()
    assert [chat.title for chat in shelf.chats] == ["How do I bake bread?"]


def test_renaming_keeps_the_place_in_the_list_and_no_name_gives_the_question_back(tmp_path: Path) -> None:
    chat = chats.save(tmp_path, LIGHT)

    named = chats.rename(tmp_path, chat, "  The   tower ")

    assert (named.title, named.changed) == ("The tower", chat.changed)
    assert chats.rename(tmp_path, named, "").title == "Who built the lighthouse?"


def test_search_finds_words_of_messages_and_names(tmp_path: Path) -> None:
    named = replace(BREAD, name="Kitchen")

    assert chats.search([named, LIGHT], "BREAD kitchen") == [named]
    assert chats.search([named, LIGHT], "lighthouse bread") == []


def test_a_deleted_chat_can_be_taken_back_and_is_gone_after_thirty_days(tmp_path: Path) -> None:
    chat = chats.save(tmp_path, BREAD)
    chats.delete(tmp_path, chat)
    assert chats.every(tmp_path) == []
    (thrown,) = chats.binned(tmp_path)
    assert (thrown.chat, thrown.title) == (chat, chat.title)
    assert abs(thrown.deleted - time.time()) < 60

    chats.restore(tmp_path, chat)
    assert chats.binned(tmp_path) == []
    assert [each.id for each in chats.every(tmp_path)] == ["a"]

    long_ago = time.time() - 31 * 86400
    os.utime(tmp_path / "a.json", (long_ago, long_ago))
    chats.delete(tmp_path, chat)
    chats.clear_bin(tmp_path)
    assert (tmp_path / "bin" / "a.json").is_file()
    os.utime(tmp_path / "bin" / "a.json", (long_ago, long_ago))
    chats.clear_bin(tmp_path)
    assert not (tmp_path / "bin" / "a.json").exists()


def test_what_cannot_be_deleted_stays_and_is_told(tmp_path: Path) -> None:
    chat = chats.save(tmp_path, BREAD)
    (tmp_path / "bin").write_text("a file, no folder")

    with pytest.raises(StorageError):
        chats.delete(tmp_path, chat)
    assert [each.id for each in chats.every(tmp_path)] == ["a"]


def said(*texts: str, column: int = 0) -> tuple[Turn, ...]:
    """Question and answer in turn; the seconds make each answer its own."""
    return tuple(
        Turn("assistant", text, "new", seconds=float(len(text)), column=column) if number % 2 else Turn("user", text)
        for number, text in enumerate(texts)
    )


def texts(chat: Chat) -> list[str]:
    return [turn.text for turn in chat.turns]


def places(chat: Chat) -> dict[int, tuple[int, int]]:
    return {at: (found.now, len(found.leads)) for at, found in chats.ways(chat).items()}


def test_another_answer_keeps_the_first_and_both_are_walked_in_their_order() -> None:
    chat = Chat("a", turns=said("Who?", "Mira."))

    asked = chats.part(chat, chat.turns[:1])
    assert places(asked) == {1: (1, 2)}
    again = replace(asked, turns=(*asked.turns, Turn("assistant", "Bram.", seconds=9.0)))
    first = chats.walk(again, 1, -1)

    assert places(again) == {1: (1, 2)}
    assert (texts(first), places(first)) == (["Who?", "Mira."], {1: (0, 2)})
    assert texts(chats.walk(first, 1, -1)) == ["Who?", "Bram."]
    assert chats.walk(first, 1, 1) == again


def test_an_edited_question_leads_back_to_all_that_followed_the_first() -> None:
    chat = Chat("a", turns=said("Who?", "Mira.", "Where?", "In Orra.", "When?", "Then."))
    other = chats.part(chat, chat.turns[:2])
    other = replace(other, turns=other.turns + said("Why?", "So."))
    third = chats.part(other, other.turns[:2])
    third = replace(third, turns=third.turns + said("How?", "Thus."))

    assert places(third) == {2: (2, 3)}
    assert texts(chats.walk(third, 2, 1)) == texts(chat)
    assert texts(chats.walk(third, 2, -1)) == ["Who?", "Mira.", "Why?", "So."]


def test_ways_part_at_several_places_and_the_newest_is_gone_to() -> None:
    chat = Chat("a", turns=said("Who?", "Mira.", "Where?", "Here."))
    chat = chats.part(chat, chat.turns[:3])
    chat = replace(chat, turns=(*chat.turns, Turn("assistant", "There.", seconds=8.0)))
    first = replace(chats.part(chat, ()), turns=said("Which?", "That."))

    back = chats.walk(first, 0, -1)

    assert texts(back) == ["Who?", "Mira.", "Where?", "There."]
    assert places(back) == {0: (0, 2), 3: (1, 2)}


def test_a_way_that_was_never_answered_is_not_kept() -> None:
    chat = Chat("a", turns=said("Who?", "Mira."))
    failed = chats.part(chat, chat.turns[:1])

    back = chats.walk(failed, 1, -1)

    assert (texts(back), back.others) == (["Who?", "Mira."], ())


def test_a_vote_makes_no_other_question() -> None:
    chat = Chat("a", turns=(Turn("user", "Who?", choice="new"), *said("", "Mira.")[1:]))
    again = chats.part(chat, (Turn("user", "Who?"),))
    again = replace(again, turns=(*again.turns, Turn("assistant", "Bram.", seconds=9.0)))

    assert places(again) == {1: (1, 2)}
    assert chats.walk(again, 1, 1).turns == chat.turns


def test_in_a_comparison_the_pair_is_walked() -> None:
    pair = (Turn("user", "Who?"), Turn("assistant", "A.", seconds=1.0), Turn("assistant", "B.", seconds=2.0, column=1))
    chat = Chat("a", is_compare=True, turns=pair)
    again = chats.part(chat, (pair[0], pair[2]))
    again = replace(again, turns=(*again.turns, Turn("assistant", "C.", seconds=3.0)))
    right = chats.part(again, (again.turns[0], again.turns[2]))
    right = replace(right, turns=(*right.turns, Turn("assistant", "D.", seconds=4.0, column=1)))

    assert places(right) == {1: (2, 3)}
    assert texts(chats.walk(right, 1, 1)) == ["Who?", "A.", "B."]


def test_the_ways_come_back_and_an_older_version_reads_the_one_in_hand(tmp_path: Path) -> None:
    chat = Chat("a", turns=said("Who?", "Mira.", "Where?", "Here."))
    chat = chats.part(chat, chat.turns[:3])
    chat = chats.save(tmp_path, replace(chat, turns=(*chat.turns, Turn("assistant", "There.", seconds=8.0))))

    (back,) = chats.every(tmp_path)
    written = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))

    assert (back.turns, back.others, back.place) == (chat.turns, chat.others, 1)
    assert [turn["text"] for turn in written["turns"]] == ["Who?", "Mira.", "Where?", "There."]
    assert [len(other["turns"]) for other in written["others"]] == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="uses setuid to lose root's right to read everywhere")
def test_chats_in_a_folder_that_is_closed_are_none_and_stay(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "chats"
    chats.delete(folder, chats.save(folder, BREAD))
    chats.save(folder, LIGHT)
    folder.chmod(0o644)
    script = """
import os, sys
from pathlib import Path
from lab_desktop import chats
os.chdir(sys.argv[1])  # the folders above belong to the caller alone
if os.getuid() == 0:
    os.setuid(65534)
chats.clear_bin(Path("chats"), 1e12)
print(chats.every(Path("chats")), chats.binned(Path("chats")))
"""

    done = subprocess.run(
        [sys.executable, "-c", script, str(folder.parent)], capture_output=True, text=True, timeout=60
    )
    folder.chmod(0o755)

    assert done.stdout == "[] []\n", done.stderr
    assert [chat.id for chat in chats.every(folder)] == [LIGHT.id]
    assert len(chats.binned(folder)) == 1
