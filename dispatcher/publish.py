"""From a plan with times to the published plan document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from dispatcher.documents import instant_text
from dispatcher.evaluate import Evaluation
from dispatcher.facts import WorkStop, read_facts
from dispatcher.model import Exact
from dispatcher.plan import Member, Plan, Route, Stop
from dispatcher.problem import Problem
from dispatcher.reasons import Explanation


def number(value: Exact) -> int | float:
    """An exact amount as JSON: whole where it is whole."""
    if isinstance(value, int):
        return value
    return value.numerator if value.denominator == 1 else float(value)


def plan_document(
    problem: Problem,
    plan: Plan,
    evaluation: Evaluation,
    *,
    explanations: Sequence[Explanation],
    receipt: Mapping[str, Any],
    created_at: int,
) -> dict[str, Any]:
    """The plan document of `format`: times, claims, score, reasons and receipt.

    `created_at` is in epoch seconds; instants are written with the offset of the problem's zone.
    """
    return _Writer(problem, plan).document(evaluation, explanations, receipt, created_at)


def score_document(evaluation: Evaluation) -> dict[str, Any]:
    """Total and terms; what is no whole number is written as the nearest float."""
    return {
        "total": evaluation.total,
        "terms": [
            {
                "rule": term.rule,
                "amount": number(term.amount),
                "unit": term.unit,
                "cost": number(Fraction(term.cost_milli) / 1000),
            }
            for term in evaluation.terms
        ],
    }


class _Writer:
    def __init__(self, problem: Problem, plan: Plan) -> None:
        self._problem = problem
        self._plan = plan
        facts = read_facts(problem, plan)
        self._work = {(stop.route, stop.position): stop for route in facts.routes for stop in route.work}

    def document(
        self,
        evaluation: Evaluation,
        explanations: Sequence[Explanation],
        receipt: Mapping[str, Any],
        created_at: int,
    ) -> dict[str, Any]:
        reasons = {explanation.work_order: explanation for explanation in explanations}
        return {
            "version": 1,
            "problem_id": self._problem.id,
            "created_at": self._text(created_at),
            "score": score_document(evaluation),
            "routes": [self._route(index, route) for index, route in enumerate(self._plan.routes)],
            "teams": [
                {
                    "work_order": team.work_order,
                    "start": self._text(team.start),
                    "members": [self._member(member) for member in team.members],
                    "standby": [self._member(member) for member in team.standby],
                }
                for team in self._plan.teams
            ],
            "unassigned": [self._unassigned(order, reasons.get(order)) for order in self._plan.unassigned],
            "receipt": dict(receipt),
        }

    def _text(self, seconds: int | None) -> str | None:
        return None if seconds is None else instant_text(seconds, self._problem.timezone)

    @staticmethod
    def _member(member: Member) -> dict[str, Any]:
        return {"engineer": member.engineer, "role": member.role}

    def _route(self, index: int, route: Route) -> dict[str, Any]:
        stops = [self._stop(stop, self._work.get((index, place))) for place, stop in enumerate(route.stops)]
        return {"engineer": route.engineer, "shift": route.shift, "stops": stops}

    def _stop(self, stop: Stop, work: WorkStop | None) -> dict[str, Any]:
        if stop.kind == "start":
            return {"kind": "start", "location": stop.location, "end": self._text(stop.end)}
        if stop.kind == "break":
            return {"kind": "break", "start": self._text(stop.start), "end": self._text(stop.end)}
        travel: dict[str, Any] = {"travel_seconds": stop.travel_seconds}
        if stop.travel_meters is not None:
            travel["travel_meters"] = stop.travel_meters
        if stop.kind == "end":
            return {"kind": "end", "location": stop.location, **travel, "arrival": self._text(stop.arrival)}
        document = {
            "kind": "work_order",
            "work_order": stop.work_order,
            "role": stop.role,
            "location": stop.location,
            **travel,
            "arrival": self._text(stop.arrival),
            "start": self._text(stop.start),
            "end": self._text(stop.end),
        }
        if work is not None:
            document |= stop_claims(work)
        return document

    def _unassigned(self, order: str, explanation: Explanation | None) -> dict[str, Any]:
        document: dict[str, Any] = {"work_order": order, "reasons": [], "cheapest_fix": None}
        if explanation is None:
            return document
        document["reasons"] = [
            {
                "engineer": reason.engineer,
                "code": reason.code,
                "params": dict(reason.params),
                "message": reason.message,
            }
            for reason in explanation.reasons
        ]
        if explanation.left_out:
            document["reasons_left_out"] = explanation.left_out
        fix = explanation.cheapest_fix
        if fix is not None:
            document["cheapest_fix"] = {
                "code": fix.code,
                "engineer": fix.engineer,
                "amount_seconds": fix.amount_seconds,
                "params": dict(fix.params),
                "message": fix.message,
            }
        return document


def stop_claims(stop: WorkStop) -> dict[str, Any]:
    """What a stop states about lateness (its own; remote members are never late) and its pin."""
    pin = stop.order.pin
    deadlines = stop.order.deadlines
    on_site = stop.presence == "on_site"

    def late(instant: int, deadline: int | None) -> int:
        return max(0, instant - deadline) if on_site and deadline is not None else 0

    return {
        "late_arrival_seconds": late(stop.arrival, deadlines.arrive_by),
        "late_start_seconds": late(stop.start, deadlines.start_by),
        "late_restore_seconds": late(stop.end, deadlines.restore_by),
        "pinned": pin is not None and pin.engineer == stop.engineer.id,
    }
