"""Answers to questions about skills as JSON values: what the service sends and `muster skills --json` prints.

`api.skill_schemas` describes them field by field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from dispatcher.coverage import Coverage
from dispatcher.demand import Ask
from dispatcher.documents import instant_text
from dispatcher.model import Exact
from dispatcher.problem import Problem
from dispatcher.skill_gaps import Gaps, Nearly, Shortage
from dispatcher.who import Answer
from skills.qualification import HeldSkill, Match, RequiredSkill
from skills.training import Training

Json = dict[str, Any]


def coverage_document(found: Coverage) -> Json:
    """The coverage, hour by hour; the lists of a row are as long as `hours`."""
    return {
        "territory": found.territory,
        "timezone": found.zone.key,
        "engineers": len(found.engineers),
        "single_points": found.single_points,
        "short": found.short_cells,
        "hours": [
            {
                "start": instant_text(hour.start, found.zone),
                "end": instant_text(hour.end, found.zone),
                "on_shift": on_shift,
            }
            for hour, on_shift in zip(found.hours, found.on_shift, strict=True)
        ],
        "rows": [
            {
                "skill": row.skill,
                "level": row.level,
                "orders": len(row.orders),
                "on_shift": [cell.on_shift for cell in row.cells],
                "needed": [cell.needed for cell in row.cells],
                "work_seconds": [cell.work_seconds for cell in row.cells],
            }
            for row in found.rows
        ],
    }


def gaps_document(found: Coverage, gaps: Gaps) -> Json:
    """Where the crew is thin, and which training helps most."""
    return {
        "territory": found.territory,
        "timezone": found.zone.key,
        "single_points": [
            {
                "skill": point.skill,
                "level": point.level,
                "engineers": list(point.engineers),
                **_hours(found, point.hours),
                "orders": list(point.orders),
            }
            for point in gaps.single_points
        ],
        "uncovered": [
            {"skill": item.skill, "level": item.level, **_hours(found, item.hours), "orders": list(item.orders)}
            for item in gaps.uncovered
        ],
        "shortages": [_shortage(item) for item in gaps.shortages],
        "trainings": [
            {
                "engineer": item.person,
                "skill": item.skill,
                "from_level": item.from_level,
                "to_level": item.to_level,
                "ends": len(item.ends),
                "left": item.left,
                "single_points": list(ended_points(found, gaps, item)),
            }
            for item in gaps.trainings
        ],
    }


def ended_points(found: Coverage, gaps: Gaps, training: Training) -> Iterator[Json]:
    """The single points that a training ends, hours on end together."""
    cells = [gaps.cells[position] for position in training.ends]
    for (skill, level, _), run in groupby(
        enumerate(cells), key=lambda item: (item[1][0], item[1][1], item[1][2] - item[0])
    ):
        yield {"skill": skill, "level": level, **_hours(found, [hour for _, (_, _, hour) in run])}


def who_document(problem: Problem, at: int, answers: Sequence[tuple[Ask, Sequence[Answer]]]) -> Json:
    """Who can do what is asked at an instant, role by role, why, and who nearly can."""
    return {
        "at": instant_text(at, problem.timezone),
        "asks": [
            {
                "role": ask.role,
                "people": ask.count,
                "required": [_required(item) for item in ask.required],
                "qualified": [_qualified(problem, answer) for answer in found if answer.able],
                "nearly": [
                    _one_step(problem, answer)
                    for answer in found
                    if answer.admitted and answer.standing.one_step is not None
                ],
                "not_admitted": [answer.engineer.id for answer in found if not answer.admitted],
            }
            for ask, found in answers
        ],
    }


def _qualified(problem: Problem, answer: Answer) -> Json:
    qualification = answer.standing.qualification
    return {
        "engineer": answer.engineer.id,
        "on_shift": answer.on_shift,
        "penalty": _number(qualification.penalty),
        "duration_factor": _number(qualification.duration_factor),
        "paths": [_path(problem, match) for match in qualification.matches],
    }


def _path(problem: Problem, match: Match) -> Json:
    return {
        "required": _required(match.required),
        "held": _held(problem, match.held),
        "via": list(match.path.skills),
        "reached": match.held.level - match.path.level_loss,
    }


def _one_step(problem: Problem, answer: Answer) -> Json:
    gap = answer.standing.one_step
    assert gap is not None
    return {
        "engineer": answer.engineer.id,
        "on_shift": answer.on_shift,
        "code": gap.code,
        "required": _required(gap.required),
        "reached": gap.best_level,
        "expired": None if gap.expired is None else _held(problem, gap.expired),
    }


def _shortage(item: Shortage) -> Json:
    return {
        "required": [_required(skill) for skill in item.required],
        "people": item.people,
        "missing": item.missing,
        "able": list(item.able),
        "nearly": [_nearly(near) for near in item.nearly],
        "orders": list(item.orders),
    }


def _nearly(near: Nearly) -> Json:
    return {
        "engineer": near.engineer,
        "required": _required(near.required),
        "reached": near.reached,
        "expired": near.expired,
    }


def _hours(found: Coverage, hours: Sequence[int]) -> Json:
    return {
        "start": instant_text(found.hours[hours[0]].start, found.zone),
        "end": instant_text(found.hours[hours[-1]].end, found.zone),
        "hours": len(hours),
    }


def _required(item: RequiredSkill) -> Json:
    return {"skill": item.skill, "level": item.level}


def _held(problem: Problem, item: HeldSkill) -> Json:
    until = None if item.valid_until is None else instant_text(item.valid_until, problem.timezone)
    return {"skill": item.skill, "level": item.level, "valid_until": until}


def _number(value: Exact) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)
