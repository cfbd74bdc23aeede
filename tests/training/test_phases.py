from __future__ import annotations

import dataclasses

from lab_desktop.training.phases import (
    LAB_PHASES,
    TrainingPlan,
    cooldown_at,
    cooling_spans,
    phase_steps,
    rate_at,
    rounds_of,
    with_rounds,
)


def test_every_phase_replays_all_phases_before_it():
    names = [phase.name for phase in LAB_PHASES]

    assert [phase.replays for phase in LAB_PHASES] == [tuple(names[:number]) for number in range(len(names))]


def test_the_rate_rises_in_a_line_and_then_stays():
    phase = dataclasses.replace(LAB_PHASES[0], learning_rate=1.0, warmup_share=0.4)

    assert [rate_at(phase, step, 10) for step in range(10)] == [0.25, 0.5, 0.75, *[1.0] * 7]


def test_the_rate_of_the_whole_training_falls_in_a_line_at_its_end():
    plan = TrainingPlan(cooldown_share=0.4)

    assert [cooldown_at(plan, step, 10) for step in range(10)] == [*[1.0] * 7, 0.75, 0.5, 0.25]
    assert [cooldown_at(TrainingPlan(cooldown_share=0.0), step, 3) for step in range(3)] == [1.0] * 3


def test_skills_cool_down_by_themselves_however_many_facts_came_before():
    spans = cooling_spans(list(zip(LAB_PHASES, (500, 300, 60), strict=True)))

    assert spans == [(0, 800), (0, 800), (800, 60)]
    plan = TrainingPlan()
    assert cooldown_at(plan, 0, spans[2][1]) == 1.0
    assert cooling_spans([(LAB_PHASES[2], 60)]) == [(0, 60)]
    assert cooling_spans([]) == []


def test_steps_follow_from_the_data():
    phase = dataclasses.replace(LAB_PHASES[0], epochs=2.5, least_steps=1)
    plan = TrainingPlan(effective_batch=10)

    assert [phase_steps(phase, rows, plan) for rows in (0, 1, 10, 11, 100)] == [0, 2, 2, 5, 25]


def test_an_effort_stretches_every_phase_and_is_told_by_the_plan():
    plan = TrainingPlan()
    longer = with_rounds(plan, 2.0)

    assert with_rounds(plan, 1.0).fingerprint == plan.fingerprint
    for phase, stretched in zip(plan.phases, longer.phases, strict=True):
        assert [phase_steps(stretched, rows, plan) for rows in (0, 3, 400)] == [
            2 * phase_steps(phase, rows, plan) for rows in (0, 3, 400)
        ]
    assert [rounds_of(dataclasses.asdict(with_rounds(plan, rounds))) for rounds in (0.5, 1.0, 2.0)] == [0.5, 1.0, 2.0]
    assert [rounds_of(damaged) for damaged in (None, {}, {"phases": []}, {"phases": [{"epochs": "x"}]})] == [1.0] * 4


def test_another_setting_is_another_plan():
    assert TrainingPlan().fingerprint == TrainingPlan().fingerprint
    assert TrainingPlan().fingerprint != TrainingPlan(keep_base_weight=1.0).fingerprint


def test_few_rows_are_seen_more_often():
    phase = dataclasses.replace(LAB_PHASES[0], epochs=2.5, least_steps=7)
    plan = TrainingPlan(effective_batch=10)

    assert [phase_steps(phase, rows, plan) for rows in (0, 1, 10, 11, 100)] == [0, 7, 7, 7, 25]
