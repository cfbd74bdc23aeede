"""catalogue.py and capacity.fit: what is offered is true to our own code, and what is promised follows from figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab_desktop import paths
from lab_desktop.capacity import Speed, fit
from lab_desktop.errors import DownloadError, ModelError
from lab_desktop.models import catalogue, choosing
from lab_desktop.models.arrivals import named, target
from lab_desktop.models.facts import read_facts
from lab_desktop.models.families import require_family

ENTRIES = catalogue.catalogue()
GB = 10**9
FAST = Speed(400, 100_000_000)


def test_the_catalogue_is_short_and_each_entry_is_one_of_a_kind() -> None:
    assert 10 <= len(ENTRIES) <= 14
    for values in ([each.id for each in ENTRIES], [each.title for each in ENTRIES], [each.file for each in ENTRIES]):
        assert len(set(values)) == len(values)
    assert [each.is_practice for each in ENTRIES[:2]] == [True, False]
    assert [each.size_bytes for each in ENTRIES] == sorted(each.size_bytes for each in ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_an_entry_can_be_downloaded_and_says_what_it_means(entry: catalogue.Entry) -> None:
    assert target(entry.repo, entry.file).name == entry.file
    assert set(entry.roles) <= set(catalogue.ROLES) and "chat" in entry.roles
    assert entry.licence.means.endswith(".") and entry.licence.url.startswith("https://")
    assert entry.about.endswith(".") and len(entry.about) < 120
    bytes_a_weight = entry.size_bytes / entry.parameters
    assert 0.5 < bytes_a_weight < 1.15, "between four and eight bits, with the vocabulary"


@pytest.mark.parametrize("entry", [each for each in ENTRIES if "student" in each.roles], ids=lambda entry: entry.id)
def test_a_student_is_of_a_family_that_can_be_taught(entry: catalogue.Entry) -> None:
    require_family(entry.title, entry.architecture)


def test_the_practice_model_is_as_the_catalogue_says() -> None:
    practice = catalogue.entry(catalogue.PRACTICE)

    facts = read_facts(paths.practice_model())

    assert (facts.architecture, facts.parameters) == (practice.architecture, practice.parameters)
    assert (facts.context_tokens, facts.quantization) == (practice.context_tokens, "Q4_1")
    assert paths.practice_model().stat().st_size == practice.size_bytes


def test_a_name_is_found_in_any_letters_and_an_unknown_one_names_the_others() -> None:
    assert catalogue.entry(" Qwen3-4B ").title == "Qwen3 4B"
    assert catalogue.entry_of("Qwen/Qwen3-4B-GGUF", "Qwen3-4B-Q4_K_M.gguf") == catalogue.entry("qwen3-4b")
    assert catalogue.licence("apache-2.0").name == "Apache 2.0"
    assert "no short words" in catalogue.licence("strange").means
    with pytest.raises(ModelError) as told:
        catalogue.entry("gpt")
    assert "smollm2-360m" in told.value.hint


def test_the_verdict_follows_from_memory() -> None:
    verdicts = [fit("student", GB, 1_000_000_000, gigabytes * GB, FAST).verdict for gigabytes in (4, 6, 10, 32)]

    assert verdicts == ["too big", "too big", "tight", "comfortable"]
    assert "needs about 6.0 GB" in fit("student", GB, 1_000_000_000, 8 * GB, FAST).why
    assert "this computer has 8." in fit("student", GB, 1_000_000_000, 8 * GB, FAST).why


def test_the_verdict_follows_from_speed_and_a_teacher_may_be_slower() -> None:
    slow = Speed(10, 500_000_000)

    assert fit("chat", 5 * GB, 8 * GB, 64 * GB, slow).verdict == "too slow"
    assert fit("teacher", 5 * GB, 8 * GB, 64 * GB, slow).verdict == "tight"
    assert "words a second" in fit("chat", 5 * GB, 8 * GB, 64 * GB, slow).why


def test_without_a_measurement_memory_decides_and_that_is_said() -> None:
    told = fit("chat", 5 * GB, 8 * GB, 64 * GB, None)

    assert told.is_good and "not measured yet" in told.why


def test_what_is_named_instead_fits_and_is_the_largest_that_does() -> None:
    for gigabytes in (2, 4, 8, 16, 64):
        for role in catalogue.ROLES:
            chosen = choosing.best(role, gigabytes * GB, FAST)
            told = choosing.fits(chosen, gigabytes * GB, FAST)[role]
            assert chosen.is_practice or told.verdict == "comfortable"
            assert role in chosen.roles
    assert choosing.best("teacher", 16 * GB, FAST).id == "qwen3-8b"
    assert choosing.best("student", 64 * GB, FAST).size_bytes > choosing.best("student", 16 * GB, FAST).size_bytes


def test_a_file_suits_the_roles_that_it_can_have() -> None:
    whole = read_facts(paths.practice_model())
    size = paths.practice_model().stat().st_size

    assert set(choosing.file_fits(whole, size, 8 * GB, FAST)) == {"chat", "teacher", "student"}
    assert set(choosing.file_fits(replace(whole, why_not_taught="No."), size, 8 * GB, FAST)) == {"chat", "teacher"}
    assert choosing.file_fits(replace(whole, has_template=False), size, 8 * GB, FAST) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/b/c.gguf", ("a/b", "c.gguf", "main")),
        ("a/b/sub/c.gguf", ("a/b", "sub/c.gguf", "main")),
        (" https://huggingface.co/Qwen/Qwen3-4B-GGUF/blob/main/Qwen3-4B-Q4_K_M.gguf ", None),
        ("https://hf-mirror.com/Qwen/Qwen3-4B-GGUF/resolve/main/Qwen3-4B-Q4_K_M.gguf?download=true", None),
        ("https://huggingface.co/a/b/resolve/0123abc/c.gguf", ("a/b", "c.gguf", "0123abc")),
        (" a/b ", ("a/b", "", "main")),
        ("https://HuggingFace.co/a/b/", ("a/b", "", "main")),
        ("hf.co/a/b", ("a/b", "", "main")),
        ("https://huggingface.co/a/b/tree/v2#files", ("a/b", "", "v2")),
    ],
)
def test_a_pasted_address_names_the_file(text: str, expected: tuple[str, str, str] | None) -> None:
    qwen = catalogue.entry("qwen3-4b")

    assert named(text) == (expected or (qwen.repo, qwen.file, "main"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "../../x.gguf",
        "a/b/../c.gguf",
        "a/b/c d.gguf",
        "a/b/c.bin",
        "https://example.org/a/b/c.gguf",
        "file:///a",
    ],
)
def test_an_address_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(DownloadError):
        named(text)


def test_every_computer_with_16_gigabytes_finds_a_student_and_a_teacher() -> None:
    for role in ("student", "teacher"):
        assert any(
            fit(role, each.size_bytes, each.parameters, 16 * GB, FAST).verdict == "comfortable"
            for each in ENTRIES
            if role in each.roles and not each.is_practice
        )
