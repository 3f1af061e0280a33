"""Synthetic days: repeatable, valid, and what they promise to be."""

import itertools
import json
import math
from collections import Counter
from dataclasses import fields, replace
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.documents import check_problem
from data.synthetic import DEMO, EVERYTHING, HARD_WINDOWS, FleetSpec, random_problem, synthetic_problem
from data.synthetic_orders import capacity_seconds, required_seconds
from data.synthetic_plan import simple_plan
from data.travel import problem_travel
from dispatcher.documents import read_plan, read_problem
from dispatcher.evaluate import evaluate
from skills import HeldSkill, Relation, RequiredSkill, SkillGraph, qualify

Document = dict[str, Any]
PRESETS = {"DEMO": DEMO, "EVERYTHING": EVERYTHING, "HARD_WINDOWS": HARD_WINDOWS}
SWITCHES = sorted(field.name for field in fields(FleetSpec) if field.type == "bool")


def is_covered(document: Document, engineer: Document, required: list[Document], at: str) -> bool:
    graph = document.get("skill_graph") or {}
    relations = [
        Relation(item["type"], item["from"], item["to"], item.get("level_loss", 0))
        for item in graph.get("relations", [])
    ]
    held = []
    for item in engineer["skills"]:
        until = item.get("valid_until")
        seconds = None if until is None else int(datetime.fromisoformat(until).timestamp())
        held.append(HeldSkill(item["skill"], item["level"], seconds))
    wanted = [RequiredSkill(item["skill"], item.get("level", 1)) for item in required]
    return qualify(SkillGraph(relations=relations), held, wanted, int(datetime.fromisoformat(at).timestamp())).qualified


def can_be_staffed(document: Document, order: Document) -> bool:
    """Brute force: different engineers, all on shift from ten to three, for every place a team needs."""
    date = document["horizon"]["start"][:10]
    offset = document["horizon"]["start"][19:]
    ten, three = f"{date}T10:30:00{offset}", f"{date}T15:00:00{offset}"
    places = [role for role in order["team"]["roles"] for _ in range(role["min"])]
    able = []
    for role in places:
        standby = role.get("presence") == "standby"
        required = role["required_skills"] + ([] if standby else order["required_skills"])
        able.append(
            [
                engineer
                for engineer in document["engineers"]
                if is_covered(document, engineer, required, ten)
                and any(shift["start"] <= ten and three <= shift["end"] for shift in engineer["shifts"])
            ]
        )
    for crew in itertools.product(*able):
        members = [engineer for engineer, role in zip(crew, places, strict=True) if role.get("presence") != "standby"]
        if len({engineer["id"] for engineer in crew}) == len(crew) and all(
            any(is_covered(document, engineer, [skill], ten) for engineer in members)
            for skill in order["team"].get("collective_skills", [])
        ):
            return True
    return False


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid_documents(name: str) -> None:
    assert check_problem(synthetic_problem(PRESETS[name])) == []


@pytest.mark.parametrize("name", PRESETS)
def test_the_same_specification_gives_the_same_document(name: str) -> None:
    first, second = (json.dumps(synthetic_problem(PRESETS[name])) for _ in range(2))
    assert first == second
    assert json.dumps(synthetic_problem(replace(PRESETS[name], seed=99))) != first


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_switch_alone_gives_a_valid_document_and_changes_it(switch: str) -> None:
    plain = FleetSpec(orders=40, engineers=12, seed=5, team_share=0.15)
    change: dict[str, Any] = {switch: True}
    document = synthetic_problem(replace(plain, **change))
    assert check_problem(document) == []
    assert document != synthetic_problem(plain)


def test_a_switch_leaves_everything_else_as_it_was() -> None:
    plain = synthetic_problem(FleetSpec(orders=30, engineers=8, seed=5))
    with_parts = synthetic_problem(FleetSpec(orders=30, engineers=8, seed=5, parts=True))
    assert any("parts" in order for order in with_parts["work_orders"])
    for item in (*with_parts["work_orders"], *with_parts["engineers"]):
        item.pop("parts", None)
    assert with_parts == plain


def test_the_level_mix_is_met_to_the_order() -> None:
    document = synthetic_problem(FleetSpec(orders=200, engineers=5))
    counts = Counter(order["level"] for order in document["work_orders"])
    assert counts == {"L1": 4, "L2": 26, "L3": 90, "L4": 80}


@pytest.mark.parametrize("tightness", [0.6, 0.9, 1.2])
def test_tightness_is_work_over_capacity(tightness: float) -> None:
    document = synthetic_problem(replace(DEMO, orders=100, engineers=20, tightness=tightness))
    work, capacity = required_seconds(document["work_orders"]), capacity_seconds(document["engineers"])
    assert work / capacity == pytest.approx(tightness, abs=0.03)


def test_services_last_from_twenty_minutes_to_four_hours() -> None:
    for tightness in (None, 0.3, 3.0):
        document = synthetic_problem(FleetSpec(orders=80, engineers=10, tightness=tightness))
        services = [order["service_seconds"] for order in document["work_orders"]]
        assert min(services) >= 1200
        assert max(services) <= 14400


def test_demo_has_teams_that_the_fleet_can_staff() -> None:
    document = synthetic_problem(DEMO)
    teams = [order for order in document["work_orders"] if "team" in order]
    assert len(document["work_orders"]) == 120
    assert len(document["engineers"]) == 20
    assert len(teams) >= 3
    assert all(can_be_staffed(document, order) for order in teams)
    assert all(order["team"]["roles"][0]["role"] == "lead" for order in teams)


def test_every_l1_order_needs_a_team_where_teams_are_wanted() -> None:
    for seed in range(5):
        document = synthetic_problem(replace(DEMO, seed=seed))
        assert all("team" in order for order in document["work_orders"] if order["level"] == "L1")


def test_everything_uses_every_field_of_the_document() -> None:
    document = synthetic_problem(EVERYTHING)
    orders = {key for order in document["work_orders"] for key in order}
    assert orders >= {
        "setup_seconds", "required_skills", "time_windows", "deadlines", "team", "allowed_engineers",
        "excluded_engineers", "preferred_engineers", "parts", "asset", "related_to", "depends_on", "pin",
    }  # fmt: skip
    engineers = {key for engineer in document["engineers"] for key in engineer}
    assert engineers >= {"skills", "shifts", "speed_factor", "duration_factors", "parts", "on_call"}
    shifts = [shift for engineer in document["engineers"] for shift in engineer["shifts"]]
    assert {key for shift in shifts for key in shift} >= {"latest_end", "breaks", "max_work_orders"}
    assert any(shift["end_location"] is None for shift in shifts)
    assert any(len(engineer["shifts"]) > 1 for engineer in document["engineers"])
    teams = [order["team"] for order in document["work_orders"] if "team" in order]
    assert {role.get("presence") for team in teams for role in team["roles"]} >= {"remote", "standby"}
    modes = {team.get("arrival", {}).get("mode", "together") for team in teams}
    assert modes == {"together", "staggered", "lead_first"}
    pins = [order["pin"] for order in document["work_orders"] if "pin" in order]
    assert any(pin.get("start", "9") < document["now"] for pin in pins)
    assert any("start" not in pin for pin in pins)
    waits = [entry for order in document["work_orders"] for entry in order.get("depends_on", [])]
    assert {"work_order", "completed_at"} <= {key for entry in waits for key in entry}
    assert any("valid_until" in skill for engineer in document["engineers"] for skill in engineer["skills"])
    assert document["travel"]["kind"] == "matrix"
    assert document["current_plan"]["routes"]


def test_hard_windows_has_nothing_another_optimizer_could_not_model() -> None:
    document = synthetic_problem(HARD_WINDOWS)
    allowed = {
        "id", "location", "territory", "service_seconds", "level", "required_skills", "time_windows",
        "asset", "attributes",
    }  # fmt: skip
    assert {key for order in document["work_orders"] for key in order} == allowed
    assert all(len(order["time_windows"]) == 1 for order in document["work_orders"])
    assert "skill_graph" not in document
    assert "traffic" not in document["travel"]
    assert all(
        set(shift) == {"id", "start", "end", "start_location", "end_location"}
        for engineer in document["engineers"]
        for shift in engineer["shifts"]
    )


def test_orders_gather_in_districts() -> None:
    """Neighbours are much nearer than they would be if the same work were spread evenly over the city."""
    document = synthetic_problem(FleetSpec(orders=150, engineers=5, clusters=5))
    places = [document["locations"][order["location"]] for order in document["work_orders"]]
    points = sorted({(place["lat"], place["lon"]) for place in places})

    def nearest(point: tuple[float, float]) -> float:
        others = (other for other in points if other != point)
        return min(math.hypot(point[0] - other[0], 0.855 * (point[1] - other[1])) for other in others)

    spread_lat = max(lat for lat, _ in points) - min(lat for lat, _ in points)
    spread_lon = 0.855 * (max(lon for _, lon in points) - min(lon for _, lon in points))
    evenly = 0.5 * (spread_lat * spread_lon / len(points)) ** 0.5
    mean = sum(nearest(point) for point in points) / len(points)
    assert mean < 0.75 * evenly


@pytest.mark.parametrize(("orders", "engineers"), [(0, 0), (0, 3), (3, 0), (1, 1)])
def test_tiny_fleets_are_valid(orders: int, engineers: int) -> None:
    spec = replace(EVERYTHING, orders=orders, engineers=engineers)
    assert check_problem(synthetic_problem(spec)) == []


def test_a_day_on_which_the_clock_changes_is_valid() -> None:
    for date in ("2026-03-29", "2026-10-25"):
        spec = replace(EVERYTHING, date=datetime.fromisoformat(date).date(), timezone="Europe/Berlin")
        assert check_problem(synthetic_problem(spec)) == []


def test_impossible_specifications_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        FleetSpec(orders=-1, engineers=3)
    with pytest.raises(ValueError, match="at least one cluster"):
        FleetSpec(orders=1, engineers=3, clusters=0)


def findings_of_simple_plan(document: Document) -> tuple[object, ...]:
    plain = {key: value for key, value in document.items() if key != "current_plan"}
    return evaluate(read_problem(plain, problem_travel), read_plan(simple_plan(plain))).findings


@pytest.mark.parametrize("name", PRESETS)
def test_the_simple_plan_keeps_every_hard_rule_and_serves_some_work(name: str) -> None:
    document = synthetic_problem(PRESETS[name])
    assert findings_of_simple_plan(document) == ()
    unassigned = simple_plan({**document, "current_plan": None})["unassigned"]
    assert len(unassigned) < 0.7 * len(document["work_orders"])


@given(seed=st.integers(0, 2**32), orders=st.integers(0, 9), engineers=st.integers(0, 5))
def test_random_problems_are_valid_and_repeatable(seed: int, orders: int, engineers: int) -> None:
    document = random_problem(Random(seed), orders=orders, engineers=engineers)
    assert check_problem(document) == []
    assert len(document["work_orders"]) == orders
    assert len(document["engineers"]) == engineers
    again = random_problem(Random(seed), orders=orders, engineers=engineers)
    assert json.dumps(document) == json.dumps(again)


def test_three_hundred_random_problems_are_valid() -> None:
    issues = [
        (seed, str(issue))
        for seed in range(300)
        for issue in check_problem(random_problem(Random(seed), orders=seed % 10, engineers=seed % 6))
    ]
    assert issues == []


@given(seed=st.integers(0, 2**32))
def test_the_simple_plan_of_a_random_problem_keeps_every_hard_rule(seed: int) -> None:
    assert findings_of_simple_plan(random_problem(Random(seed), orders=7, engineers=4)) == ()


def test_random_problems_reach_every_corner() -> None:
    """What property tests rely on being drawn; a corner that is never drawn is never tested."""
    seen: Counter[str] = Counter()
    for seed in range(300):
        document = random_problem(Random(seed), orders=8, engineers=4)
        now = datetime.fromisoformat(document.get("now", document["horizon"]["start"]))
        seen["matrix without meters"] += document["travel"]["kind"] == "matrix" and "meters" not in document["travel"]
        seen["traffic"] += bool(document["travel"].get("traffic"))
        seen["clock change"] += "T00:00:00" in document["horizon"]["start"] and (
            document["horizon"]["start"][19:] != document["horizon"]["end"][19:]
        )
        seen["current_plan"] += "current_plan" in document
        seen["two days"] += document["horizon"]["end"][8:10] > f"{int(document['horizon']['start'][8:10]) + 1:02d}"
        for engineer in document["engineers"]:
            seen["no shifts"] += not engineer["shifts"]
            seen["several shifts"] += len(engineer["shifts"]) > 1
            seen["expiring"] += any("valid_until" in skill for skill in engineer["skills"])
            for shift in engineer["shifts"]:
                seen["open route"] += shift.get("end_location", "") is None
                for rest in shift.get("breaks", []):
                    seen["past break"] += datetime.fromisoformat(rest["latest_start"]) < now
        for order in document["work_orders"]:
            seen["zero service"] += order["service_seconds"] == 0
            seen["zero value"] += order.get("value") == 0
            for window in order.get("time_windows") or []:
                seen["past window"] += datetime.fromisoformat(window["end"]) < now
                seen["instant window"] += window["start"] == window["end"]
            pin = order.get("pin") or {}
            if pin:
                at = pin.get("start")
                kind = "free" if at is None else "running" if datetime.fromisoformat(at) < now else "timed"
                seen[f"{kind} pin"] += 1
            for entry in order.get("depends_on") or []:
                seen["completed_at" if "completed_at" in entry else "work_order"] += 1
            team = order.get("team")
            if not team:
                continue
            mode = team.get("arrival", {}).get("mode", "together")
            presence = {role["role"]: role.get("presence", "on_site") for role in team["roles"]}
            seen[mode] += 1
            seen["remote lead first"] += mode == "lead_first" and presence["lead"] == "remote"
            seen["standby"] += "standby" in presence.values()
            seen["collective"] += "collective_skills" in team
            seen["sized"] += "service_seconds_by_size" in team
            seen["own service"] += any("service_seconds" in role for role in team["roles"])
            seen["pooled parts"] += bool(order.get("parts"))
    assert {corner for corner, count in seen.items() if count < 10} == set()
