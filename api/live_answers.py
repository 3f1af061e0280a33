"""Answers about the running plan, from the domain to JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from api.live_days import WarmDay
from dispatcher.difference import Difference, Why
from dispatcher.documents import instant_text
from dispatcher.evaluate import Evaluation, evaluate
from dispatcher.on_time import Chance
from dispatcher.plan import Plan
from dispatcher.problem import Problem
from dispatcher.publish import number, plan_document
from dispatcher.reasons import Reason
from dispatcher.verification.findings import STATEMENT_RULES
from dispatcher.verify import verify
from solver.live.candidates import Candidate, Candidates
from solver.live.explanation import Said
from solver.live.explanation import Why as Explained
from solver.live.slots import Slot

Json = dict[str, Any]


class Shown:
    """Writes answers in JSON: instants in a zone, and first of all what each answer is about."""

    def __init__(self, zone: ZoneInfo, about: Json) -> None:
        self._zone, self._about = zone, about

    @property
    def lost(self) -> Sequence[str]:
        """Orders of the plan that cannot be kept."""
        return tuple(self._about.get("cannot_be_kept") or ())

    def candidates(self, found: Candidates, limit: int) -> Json:
        return {
            **self._about,
            "work_order": found.work_order,
            "unserved_cost": units(found.unserved_cost_milli),
            "candidates": [self._candidate(item) for item in found.candidates[:limit]],
            "candidates_left_out": max(0, len(found.candidates) - limit),
            "others": [reason_json(reason) for reason in found.others],
        }

    def slots(self, work_order: str, found: Sequence[Slot], limit: int) -> Json:
        return {
            **self._about,
            "work_order": work_order,
            "slots": [
                {
                    "start": self._text(slot.start),
                    "end": self._text(slot.end),
                    "cost": None if slot.cost_milli is None else units(slot.cost_milli),
                    "engineer": slot.engineer,
                    "shift": slot.shift,
                    "arrival": self._text(slot.arrival),
                    "candidates": slot.candidates,
                }
                for slot in found[:limit]
            ],
            "slots_left_out": max(0, len(found) - limit),
        }

    def explanation(self, found: Explained, others: int) -> Json:
        ranked = () if found.candidates is None else found.candidates.candidates
        return {
            **self._about,
            "work_order": found.work_order,
            "who": [sentence(said) for said in found.who],
            "when": [sentence(said) for said in found.when],
            "why_not": [reason_json(reason) for reason in found.why_not],
            "it_would_take": [
                {**sentence(fix), "engineer": fix.engineer, "amount_seconds": fix.amount_seconds} for fix in found.fixes
            ],
            "next_best": [self._candidate(item) for item in ranked if not item.is_current][:others],
        }

    def on_time(self, found: Iterable[Chance]) -> Json:
        ranked = sorted(found, key=lambda item: (item.on_time is None, item.on_time or 0.0, item.work_order))
        return {
            **self._about,
            "orders": [
                {
                    "work_order": item.work_order,
                    "on_time": item.on_time,
                    "arrival_early": self._text(item.arrival_early),
                    "arrival_median": self._text(item.arrival_median),
                    "arrival_late": self._text(item.arrival_late),
                    "end_late": self._text(item.end_late),
                    "buffer_seconds": item.buffer_seconds,
                }
                for item in ranked
            ],
        }

    def _candidate(self, found: Candidate) -> Json:
        return {
            "engineer": found.engineer,
            "shift": found.shift,
            "position": found.position,
            "cost": units(found.cost_milli),
            "travel_seconds": found.travel_seconds,
            "overtime_seconds": found.overtime_seconds,
            "arrival": self._text(found.arrival),
            "start": self._text(found.start),
            "end": self._text(found.end),
            "late_seconds": found.late_seconds,
            "is_current": found.is_current,
            "effects": [
                {
                    "work_order": effect.work_order,
                    "level": effect.level,
                    "later_seconds": effect.later_seconds,
                    "late_before_seconds": effect.late_before_seconds,
                    "late_after_seconds": effect.late_after_seconds,
                    "cost": units(effect.cost_milli),
                }
                for effect in found.effects
            ],
        }

    def _text(self, seconds: int | None) -> str | None:
        return None if seconds is None else instant_text(seconds, self._zone)


def difference_json(found: Difference, zone: ZoneInfo) -> Json:
    """A difference as `PlanDifference`."""

    def text(seconds: int | None) -> str | None:
        return None if seconds is None else instant_text(seconds, zone)

    return {
        "total_before": found.total_before,
        "total_after": found.total_after,
        "reassigned": found.reassigned,
        "orders": [
            {
                "work_order": change.work_order,
                "level": change.level,
                "kind": change.kind,
                "engineers_before": list(change.engineers_before),
                "engineers_after": list(change.engineers_after),
                "start_before": text(change.start_before),
                "start_after": text(change.start_after),
                "moved_seconds": change.moved_seconds,
                "late_before_seconds": change.late_before_seconds,
                "late_after_seconds": change.late_after_seconds,
                "why": [sentence(why) for why in change.why],
            }
            for change in found.orders
        ],
        "engineers": [
            {
                "engineer": change.engineer,
                "gained": list(change.gained),
                "lost": list(change.lost),
                "travel_seconds": change.travel_seconds,
                "overtime_seconds": change.overtime_seconds,
                "end_before": text(change.end_before),
                "end_after": text(change.end_after),
            }
            for change in found.engineers
        ],
        "terms": [
            {
                "rule": term.rule,
                "amount_before": term.amount_before,
                "amount_after": term.amount_after,
                "cost": term.cost,
            }
            for term in found.terms
        ],
    }


def shown_of(warm: WarmDay) -> Shown:
    """Who writes the answers about a running day of the service."""
    return Shown(warm.running.problem.timezone, about(warm))


def about(warm: WarmDay) -> Json:
    """The fields of `LiveAnswer`."""
    running = warm.running
    now = instant_text(running.problem.now, running.problem.timezone)
    return {"plan_id": running.plan_id, "plan_version": running.plan_version, "now": now}


def bare_document(problem: Problem, plan: Plan, evaluation: Evaluation | None = None) -> Json:
    """A plan as a plan document to compare with others: without reasons and receipt, not checked, not stored."""
    judged = evaluate(problem, plan) if evaluation is None else evaluation
    return plan_document(problem, plan, judged, explanations=(), receipt={}, created_at=problem.now)


def broken_rules(problem: Json, plan: Json) -> list[Json]:
    """What the independent checker finds wrong with a plan, its claims about itself apart."""
    return [
        {"rule": finding.rule, "code": finding.code, "path": finding.path, "message": finding.message}
        for finding in verify(problem, plan).findings
        if finding.rule not in STATEMENT_RULES
    ]


def units(milli: int) -> int | float:
    """A cost in thousandths in the units of the score."""
    return number(Fraction(milli, 1000))


def sentence(said: Said | Why | Any) -> Json:
    """Anything with a code, parameters and a message."""
    return {"code": said.code, "params": dict(said.params), "message": said.message}


def reason_json(reason: Reason) -> Json:
    return {"engineer": reason.engineer, **sentence(reason)}
