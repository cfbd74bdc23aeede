"""What a teacher can do, found by asking and not by its name: which way of working suits it for a knowledge leaf.

A big model follows instructions and writes three questions with answers at a time (`writing.write_pairs`). A small one
that was taught its trade works fact by fact (`facts`), in prompts that mean nothing to others. The person's own seed
examples are the test: their questions, passages and answers are known to be right.
"""

from __future__ import annotations

from dataclasses import replace

from lab_desktop.artifacts import Leaf
from lab_desktop.files import read_json, write_json
from lab_desktop.generation.facts import conversation
from lab_desktop.generation.prompts import Prompts, load_prompts
from lab_desktop.generation.rows import ask_each
from lab_desktop.generation.seeds import Material
from lab_desktop.generation.writing import answer_request
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Request, TextModel
from lab_desktop.words import contains, sentences, words

_FEWEST_UNDERSTOOD = 0.5
"""Share of the tasks that a taught teacher does in the right form; an untaught one did none of them in our trials."""

_FEWEST_RIGHT = 0.8
"""Share of a skill's seed tasks from which a teacher's own answers decide about rows."""


def works_fact_by_fact(material: Material, teacher: TextModel, run: Run) -> bool:
    """True when the teacher understands the terse tasks of `facts`: a list of spans of a sentence and nothing else.

    Asked once for a run, with its first knowledge leaf; teacher.json in the run folder keeps the answer.
    """
    noted = run.folder / "teacher.json"
    if not noted.exists():
        understood, asked = fact_tasks(material.leaf, teacher, run)
        write_json(noted, {"teacher": teacher.name, "fact_tasks_understood": understood, "fact_tasks_asked": asked})
    found = read_json(noted, "fact_tasks_understood", "fact_tasks_asked")
    return is_enough(found["fact_tasks_understood"], found["fact_tasks_asked"])


def is_enough(understood: int, asked: int) -> bool:
    """True when a teacher that understood so many of the fact tasks works fact by fact."""
    return understood >= _FEWEST_UNDERSTOOD * asked


def does_the_tasks(leaf: Leaf, prompts: Prompts, teacher: TextModel, run: Run) -> bool:
    """True when the teacher does the person's own tasks of a skill as the person did, shown the other ones."""

    def request(number: int) -> Request:
        others = replace(leaf, seed_examples=leaf.seed_examples[:number] + leaf.seed_examples[number + 1 :])
        example = leaf.seed_examples[number]
        return answer_request(others, prompts, example.context or "", example.pairs[0].question)

    asked = list(range(len(leaf.seed_examples)))
    replies = ask_each(asked, request, teacher, run, "getting to know the teacher")
    right = sum(words(reply.text) == words(leaf.seed_examples[number].pairs[0].answer) for number, reply in replies)
    return right >= _FEWEST_RIGHT * len(asked)


def fact_tasks(leaf: Leaf, teacher: TextModel, run: Run) -> tuple[int, int]:
    """(understood, asked): tasks about the leaf's own passages that the teacher did in the right form."""
    prompts = load_prompts("facts")
    asked = []
    for example in leaf.seed_examples:
        context = example.context or ""
        told = sentences(context)
        if not told:
            continue
        sentence = max(told, key=lambda text: len(words(text)))
        messages = conversation(prompts, f"{leaf.title}\n\n{context}", "facts", sentence=sentence)
        asked.append((sentence, Request(messages, max_tokens=48)))
    understood = 0
    for (sentence, _), reply in ask_each(asked, lambda item: item[1], teacher, run, "getting to know the teacher"):
        lines = [line for line in reply.text.split("\n") if line.strip()]
        is_form = bool(lines) and all(contains(sentence, line) for line in lines)
        understood += is_form and reply.finish == "stop" and len(words(lines[0])) < len(words(sentence))
    return understood, len(asked)
