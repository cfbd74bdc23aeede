"""What goes out of a lesson passes the community's own checks, and what does not is told before."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair, SeedExample
from lab_desktop.contribution import parcel
from lab_desktop.contribution.parcel import Parcel, obstacles, prepare, private_things, with_documents
from lab_desktop.errors import DocumentError, LeafError, LibraryError
from lab_desktop.files import write_text
from lab_desktop.taxonomy import qna
from tests.contribution.lessons import CREDITS, FACTS, SKILL, lesson, library, plain_library
from tests.taxonomy import leaves

REPO = "https://github.com/ada/taxonomy-documents.git"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OWN = "Title of work: Shouting\nLink to work: my own\nLicense of the work: CC-BY-4.0\nCreator names: Ada\n"


def put(root: Path, files: Mapping[str, bytes]) -> Path:
    """The files in a folder, as a reviewer has them."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def told(made: Parcel, what: str) -> list[str]:
    return [each.message for each in obstacles(made) if each.what == what]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (FACTS, leaves.knowledge()),
        (SKILL, leaves.skill()),
        (SKILL, leaves.skill(version=2)),
        ("compositional_skills/grounded/shout", leaves.skill(context=True)),
        (SKILL, leaves.skill().replace("\n", "\r\n") + "\n\n\n\n"),
    ],
)
def test_what_goes_out_passes_the_taxonomy_s_own_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, text: str
) -> None:
    root = plain_library(tmp_path / "library")

    made = prepare(root, lesson(root, path, text))

    sent = put(tmp_path / "sent", with_documents(made, REPO, COMMIT).files)
    assert not leaves.instructlab_rejects(sent / path / "qna.yaml", "contribution", monkeypatch, real_lint=True)
    assert not leaves.instructlab_rejects(sent / path / "qna.yaml", "file", monkeypatch)
    assert (sent / path / "attribution.txt").stat().st_size > 0
    assert [each for each in obstacles(made) if each.is_final] == []


def test_a_lesson_that_goes_out_says_where_its_documents_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = plain_library(tmp_path / "library")
    made = prepare(root, lesson(root))

    assert made.leaf.document == DocumentSource("", "", (f"{FACTS}/island.md",))
    assert leaves.instructlab_rejects(put(tmp_path / "a", made.files) / FACTS / "qna.yaml", "contribution", monkeypatch)

    whole = with_documents(made, REPO, COMMIT)

    assert whole.leaf.document == DocumentSource(REPO, COMMIT, (f"{FACTS}/island.md",))
    assert with_documents(whole, REPO, "f" * 40).leaf.document == DocumentSource(
        REPO, "f" * 40, (f"{FACTS}/island.md",)
    )


def test_documents_of_many_lessons_share_a_repository_and_each_finds_its_own(tmp_path: Path) -> None:
    root = plain_library(tmp_path / "library")
    texts = {
        "a[1].md": "One.\n", "A[1].txt": "Two.\n", "*.md": "Three.\n", "deep/way/x.markdown": "Four.\n",
        "café ä.md": "Five.\n",
        "SS.md": "Six.\n", "ß.txt": "Seven.\n",
    }  # fmt: skip
    patterns = "".join(f'\n    - "{pattern}"' for pattern in ("**/*.md", "*.txt", "deep/**"))
    text = leaves.knowledge().replace('\n    - "*.md"', patterns)
    first = prepare(root, lesson(root, "knowledge/a/b", text, documents=texts))
    second = prepare(root, lesson(root, "knowledge/a/c", text, documents=texts))
    shared = put(tmp_path / "documents", {**first.documents, **second.documents})

    for made in (first, second):
        document = with_documents(made, REPO, COMMIT).leaf.document
        assert document is not None
        found = [path for pattern in document.patterns for path in glob.glob(str(shared / pattern), recursive=True)]  # noqa: PTH207
        assert sorted(Path(path).relative_to(shared).as_posix() for path in found) == sorted(made.documents)
        assert all(name.endswith(".md") for name in made.documents)
        assert sorted(made.documents.values()) == sorted(content.encode() for content in texts.values())
        assert len({name.casefold() for name in made.documents}) == len(texts)


def test_only_the_lesson_goes_out(tmp_path: Path) -> None:
    root = plain_library(tmp_path / "library")
    folder = root / lesson(root)
    for name in ("exam.yaml", "picture.png", ".originals/island.pdf", ".editing/undo", "deep/notes.md"):
        write_text(folder / name, "secret")

    made = prepare(root, Path(FACTS))

    assert sorted(made.files) == [f"{FACTS}/attribution.txt", f"{FACTS}/qna.yaml"]
    assert sorted(made.documents) == [f"{FACTS}/island.md"]


def test_nothing_of_the_library_changes(library: Path) -> None:
    before = {path: path.read_bytes() for path in library.rglob("*") if path.is_file() and ".git" not in path.parts}

    obstacles(prepare(library, Path(FACTS)))

    after = {path: path.read_bytes() for path in library.rglob("*") if path.is_file() and ".git" not in path.parts}
    assert after == before


def test_what_the_community_has_is_known_and_a_lesson_below_is_another(library: Path) -> None:
    write_text(library / FACTS / "qna.yaml", leaves.knowledge(6))
    lesson(library, "knowledge/places")

    changed, new = prepare(library, Path(FACTS)), prepare(library, Path("knowledge/places"))

    assert not changed.is_new
    assert changed.before[f"{FACTS}/qna.yaml"] == leaves.knowledge().encode()
    assert changed.before[f"{FACTS}/attribution.txt"] == CREDITS.encode()
    assert new.is_new


def test_credits_that_nobody_changed_stay_as_the_community_wrote_them(tmp_path: Path) -> None:
    written = CREDITS.replace("License of the work", "**Licence**").replace("\n", "\n\n")
    root = library(tmp_path / "library", lambda starter: lesson(starter, SKILL, credits=written))
    name = f"{SKILL}/attribution.txt"
    same = prepare(root, Path(SKILL))

    write_text(root / name, written.replace("Orra", "Orla"))

    assert same.files[name] == written.encode()
    assert prepare(root, Path(SKILL)).files[name] == CREDITS.replace("Orra", "Orla").encode()


def test_a_lesson_that_the_community_has_already_is_not_sent_again(tmp_path: Path) -> None:
    root = library(tmp_path / "library", lambda starter: [lesson(starter, SKILL), lesson(starter)])

    known = [
        [each for each in obstacles(prepare(root, Path(path))) if each.what == "lesson"] for path in (SKILL, FACTS)
    ]
    assert [(each.is_final, "already" in each.message) for found in known for each in found] == [
        (True, True), (False, True),
    ]  # fmt: skip

    write_text(root / SKILL / "qna.yaml", leaves.skill(6))
    assert told(prepare(root, Path(SKILL)), "lesson") == []
    write_text(root / SKILL / "qna.yaml", leaves.skill())
    write_text(root / SKILL / "attribution.txt", OWN)
    assert told(prepare(root, Path(SKILL)), "lesson") == []


def test_a_lesson_whose_documents_are_public_already_is_sent_as_it_says(tmp_path: Path) -> None:
    root = plain_library(tmp_path / "library")
    text = leaves.knowledge().replace('"island"', f'"{REPO}"').replace('"abc123"', f'"{COMMIT}"')

    made = prepare(root, lesson(root, text=text, documents={}))

    assert made.documents == {} and with_documents(made, "other", "other") == made
    assert made.leaf.document == DocumentSource(REPO, COMMIT, ("*.md",))
    assert [each for each in obstacles(made) if each.is_final] == []
    with pytest.raises(DocumentError, match="No document matches"):
        prepare(root, lesson(root, "knowledge/b", documents={}))


def test_an_unfinished_lesson_can_be_looked_at_and_says_what_is_missing(tmp_path: Path) -> None:
    root = plain_library(tmp_path / "library")

    made = prepare(root, lesson(root, SKILL, leaves.skill(examples=3), credits=None))

    assert any("examples" in message for message in told(made, "lesson"))
    assert told(made, "credits") == ["It does not say where its texts come from, and under which licence they are."]
    assert obstacles(made)[0].is_final


@pytest.mark.parametrize(
    ("credits", "is_final", "says"),
    [
        (CREDITS.replace("CC-BY-SA-4.0", "GPL-3.0"), False, '"GPL-3.0"'),
        (CREDITS.replace("CC-BY-SA-4.0", ""), True, "no licence"),
        (CREDITS.replace("Title of work: Orra", ""), True, "no title"),
        (CREDITS.replace("Wikipedia authors", ""), True, "who made the work"),
        (CREDITS.replace("Revision:", "Note:"), False, "which version"),
        ("\n \n", True, "does not say"),
    ],
)
def test_credits_that_leave_a_question_open_are_told(tmp_path: Path, credits: str, is_final: bool, says: str) -> None:
    root = plain_library(tmp_path / "library")

    found = [each for each in obstacles(prepare(root, lesson(root, credits=credits))) if each.what == "credits"]

    assert [(each.is_final, says in each.message) for each in found] == [(is_final, True)]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("compositional_skills/writing/Shout_Loud", "small letters"),
        ("knowledge/pays/île", "small letters"),
        ("compositional_skills/writing/haiku", "poems"),
        ("knowledge/law/orra", "legal advice"),
    ],
)
def test_a_place_that_the_community_would_not_take_is_told_and_left_to_the_person(
    tmp_path: Path, path: str, says: str
) -> None:
    root = plain_library(tmp_path / "library")

    (obstacle,) = obstacles(prepare(root, lesson(root, path)))

    assert obstacle.what == "lesson" and says in obstacle.message and not obstacle.is_final


def test_a_skill_with_material_belongs_below_grounded(tmp_path: Path) -> None:
    root = plain_library(tmp_path / "library")

    (obstacle,) = obstacles(prepare(root, lesson(root, SKILL, leaves.skill(context=True))))

    assert "Grounded" in obstacle.message and not obstacle.is_final


def test_what_looks_private_is_told_with_its_line_and_never_a_whole_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/adalovelace")
    root = plain_library(tmp_path / "library")
    key = "ghp_" + "x1" * 18
    text = leaves.knowledge().replace("Fact 00.", f"Ask ada@example.org, not bob@example.org; {key}")
    text = text.replace('"jane"', '"adalovelace"')
    documents = {"island.md": "Call +44 20 7946 0958.\n\nWritten by AdaLovelace in /home/adalovelace/texts.\n"}

    made = prepare(root, lesson(root, text=text, credits=f"{CREDITS}Copyright: AdaLovelace\n", documents=documents))

    found = [each for each in obstacles(made) if each.what == "private"]
    assert not any(each.is_final for each in found)
    said = " ".join(each.message for each in found)
    assert "2 e-mail addresses: “ada@example.org” (line 9), “bob@example.org” (line 9)" in said
    assert "“+44 20 7946 0958” (line 1)" in said and "“AdaLovelace” (line 3)" in said
    assert "“ghp_x1x1…”" in said and key not in said
    assert not [each for each in private_things(made).get(f"{FACTS}/qna.yaml", []) if each.kind == "name"]
    assert f"{FACTS}/attribution.txt" not in private_things(made)


def test_only_facts_and_skills_go_out(tmp_path: Path) -> None:
    root = plain_library(tmp_path / "library")
    lesson(root, "foundational_skills/reading", leaves.skill())

    for place in ("foundational_skills/reading", "knowledge", "elsewhere/x", "knowledge/../../etc"):
        with pytest.raises((LibraryError, LeafError)):
            prepare(root, Path(place))


@pytest.mark.parametrize("name", ["qna.yaml", "attribution.txt", "island.md"])
def test_a_link_out_of_the_lesson_is_not_followed(tmp_path: Path, name: str) -> None:
    root = plain_library(tmp_path / "library")
    file = root / lesson(root) / name
    secret = tmp_path / "secret.md"
    secret.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(secret)

    with pytest.raises((LeafError, DocumentError), match="link"):
        prepare(root, Path(FACTS))


def test_a_folder_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    root, other = plain_library(tmp_path / "library"), plain_library(tmp_path / "other")
    lesson(other)
    (root / "knowledge" / "places").symlink_to(other / "knowledge" / "places")

    with pytest.raises(LeafError, match="link"):
        prepare(root, Path(FACTS))


@pytest.mark.skipif(os.name == "nt", reason="such names cannot be made there")
def test_names_that_not_every_computer_takes_are_told(tmp_path: Path) -> None:
    root = plain_library(tmp_path / "library")
    made = prepare(root, lesson(root, documents={"island.md": "Text.\n", "CON.md": "Text.\n", "a\nb.md": "Text.\n"}))

    assert len(told(made, "document")) == 2
    assert not any("\n" in message for message in told(made, "document"))
    assert told(replace(made, path="knowledge/a\x1bb"), "lesson")


def test_a_document_of_many_megabytes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "MOST_DOCUMENT_BYTES", 1_000_000)
    root = plain_library(tmp_path / "library")
    made = prepare(root, lesson(root))

    big = replace(made, documents={f"{FACTS}/big.md": b"a " * 600_000})

    (obstacle,) = [each for each in obstacles(big) if each.what == "document"]
    assert "1 MB" in obstacle.message and not obstacle.is_final
    assert not told(replace(big, documents={f"{FACTS}/small.md": b"a " * 400_000}), "document")


WORDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60).filter(
    lambda text: any(letter.isprintable() and not letter.isspace() for letter in text)
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(WORDS, min_size=35, max_size=35, unique=True))
def test_any_words_go_out_as_they_are_and_pass_the_checks(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, texts: list[str]
) -> None:
    root = plain_library(tmp_path_factory.mktemp("any"))
    examples = tuple(
        SeedExample(tuple(Pair(texts[at + 2 * pair], texts[at + 2 * pair + 1]) for pair in range(3)), texts[at + 6])
        for at in range(0, 35, 7)
    )
    source = DocumentSource("x", "y", ("*.md",))
    leaf = Leaf(
        ("knowledge", "a"), root, LeafKind.KNOWLEDGE, 3, texts[0], examples, "", texts[1], texts[2], source
    )  # fmt: skip

    made = prepare(root, lesson(root, "knowledge/a", qna.to_yaml(leaf)))

    sent = put(root / "sent", with_documents(made, REPO, COMMIT).files)
    assert not leaves.instructlab_rejects(sent / "knowledge" / "a" / "qna.yaml", "contribution", monkeypatch)
    assert qna.read_leaf(sent / "knowledge" / "a").seed_examples == examples
