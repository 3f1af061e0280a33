"""The team policy: who composes by itself, how many come and why, and what a file may say."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from api.documents import check_problem
from api.team_answers import team_policy
from api.team_schemas import team_policy_schema
from data.team_policy import default_team_policy
from dispatcher.errors import InvalidInput
from dispatcher.model import Level, Team, WorkOrder
from dispatcher.team_policy import LevelRule, TeamPolicy, read_team_policy, team_document, team_for
from skills import Relation, RequiredSkill, SkillGraph
from tests.small_days import day, engineer, order

SCHEMA = Path(__file__).parent.parent / "docs" / "schema" / "team-policy.schema.json"
GRAPH = SkillGraph(relations=[Relation("implies", "hydraulics", "pumps", level_loss=1)])
PUMPS, ELECTRICS = RequiredSkill("pumps", 3), RequiredSkill("electrics", 2)


def work(*required: RequiredSkill, seconds: int = 3600, level: Level = "L1", team: Team | None = None) -> WorkOrder:
    return WorkOrder("NEW", "p0", seconds, level=level, required_skills=required, team=team)


def policy(level: Level = "L1", everybody: tuple[str, ...] = (), **rule: Any) -> TeamPolicy:
    return TeamPolicy({level: LevelRule(automatic=True, **rule)}, frozenset(everybody))


def composed(order: WorkOrder, rules: TeamPolicy) -> Team:
    [found] = team_for(order, rules, GRAPH)
    assert found.order.team is not None
    return found.order.team


def supporters(order: WorkOrder, rules: TeamPolicy) -> tuple[int, int]:
    [found] = team_for(order, rules, GRAPH)
    return found.reason.supporters


def test_only_levels_with_an_automatic_rule_compose_by_themselves() -> None:
    rules = TeamPolicy({"L1": LevelRule(automatic=True), "L2": LevelRule()})
    assert team_for(work(level="L1"), rules, GRAPH)
    assert not team_for(work(level="L2"), rules, GRAPH)
    assert team_for(work(level="L2"), rules, GRAPH, asked=True)
    assert not team_for(work(level="L3"), rules, GRAPH, asked=True)


def test_what_everybody_has_to_hold_binds_also_where_the_order_does_not_ask_for_it() -> None:
    [found] = team_for(work(PUMPS), policy(everybody=("safety",)), GRAPH)
    assert found.order.required_skills == (RequiredSkill("safety", 1),)
    [found] = team_for(work(PUMPS, RequiredSkill("safety", 2)), policy(everybody=("safety",)), GRAPH)
    assert found.order.required_skills == (RequiredSkill("safety", 2),)


def test_supporters_are_not_at_least_more_than_at_most(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    rule = {"lead": {}, "support": {"minimum": 4, "maximum": 2}}
    path.write_text(json.dumps({"version": 1, "levels": {"L1": rule, "L2": rule}}))
    with pytest.raises(InvalidInput) as refused:
        team_policy(path)
    assert [(issue.path, issue.code) for issue in refused.value.issues] == [
        (f"{path}: levels.{level}.support.maximum", "TEAM_ROLE_SIZE") for level in ("L1", "L2")
    ]


def test_an_order_that_names_a_team_keeps_it() -> None:
    assert team_for(work(team=Team(())), policy(), GRAPH, asked=True) == ()


def test_the_lead_is_the_expert_of_the_first_skill_and_supporters_may_know_less() -> None:
    hydraulics = RequiredSkill("hydraulics", 4)
    team = composed(work(hydraulics), policy(lead_levels_above=1, support_levels_below=2, standby=1))
    assert [(role.name, role.presence, role.required_skills) for role in team.roles] == [
        ("lead", "on_site", (RequiredSkill("hydraulics", 5),)),
        ("support", "on_site", (RequiredSkill("hydraulics", 2),)),
        ("standby", "standby", (hydraulics,)),
    ]
    # There is no level above 5 and none below 1.
    team = composed(work(RequiredSkill("x", 1)), policy(lead_levels_above=9, support_levels_below=9))
    assert [role.required_skills[0].level for role in team.roles] == [5, 1]


@pytest.mark.parametrize(
    ("seconds", "rule", "expected"),
    [
        (3600, {"minimum": 2, "maximum": 3}, (2, 2)),
        (3600, {"seconds_per_person": 3600, "maximum": 5}, (1, 1)),
        (3601, {"seconds_per_person": 1800, "maximum": 5}, (2, 2)),
        (36000, {"seconds_per_person": 3600, "maximum": 3}, (3, 3)),
        (3600, {"minimum": 0, "maximum": 0}, (0, 0)),
    ],
)
def test_the_number_of_supporters_is_the_largest_that_something_asks_for(
    seconds: int, rule: dict[str, Any], expected: tuple[int, int]
) -> None:
    assert supporters(work(PUMPS, seconds=seconds), policy(**rule)) == expected


def test_skills_that_the_lead_does_not_cover_ask_for_somebody_and_are_held_together() -> None:
    hydraulics = RequiredSkill("hydraulics", 4)
    rules = policy(minimum=0, maximum=3)
    assert composed(work(hydraulics, PUMPS), rules).collective_skills == ()
    assert supporters(work(hydraulics, PUMPS), rules) == (0, 0)
    asked = work(hydraulics, ELECTRICS, RequiredSkill("rigging", 1), RequiredSkill("pumps", 5))
    [found] = team_for(asked, rules, GRAPH)
    assert found.order.team is not None
    assert found.order.team.collective_skills == asked.required_skills[1:]
    assert found.order.required_skills == ()
    assert found.reason.supporters == (1, 3)
    assert "electrics (level 2)" in found.reason.message


def test_skills_for_everybody_bind_each_member() -> None:
    safety = RequiredSkill("safety", 1)
    [found] = team_for(work(safety, PUMPS), policy(everybody=("safety",)), GRAPH)
    assert found.order.required_skills == (safety,)
    assert found.reason.lead == PUMPS


def test_an_order_without_skills_gets_a_team_without_any() -> None:
    team = composed(work(), policy(standby=1))
    assert all(role.required_skills == () for role in team.roles)


def test_a_remote_lead_begins_first_and_somebody_is_on_site() -> None:
    rules = policy(lead_presence=("on_site", "remote"), minimum=0, maximum=0, consult_within_seconds=1800)
    here, remote = (found.order.team for found in team_for(work(PUMPS), rules, GRAPH))
    assert here is not None
    assert remote is not None
    assert (here.arrival.mode, len(here.roles)) == ("together", 1)
    assert (remote.arrival.mode, remote.arrival.max_gap_seconds) == ("lead_first", 1800)
    assert [(role.name, role.minimum) for role in remote.roles] == [("lead", 1), ("support", 1)]


def test_a_larger_team_takes_its_share_of_the_service() -> None:
    team = composed(work(PUMPS, seconds=3601), policy(share_by_size=((2, Fraction(1, 2)),)))
    assert team.service_seconds_by_size == ((2, 1801),)


def test_the_team_goes_into_a_document_that_is_valid_and_says_the_same() -> None:
    rules = read_team_policy(default_team_policy())
    for found in team_for(work(PUMPS, ELECTRICS), rules, SkillGraph()):
        document = day([engineer("E")], [order("NEW", **team_document(found.order), level="L1")])
        assert check_problem(document) == []
        assert found.reason.message


def test_the_policy_that_comes_with_the_product_is_the_designed_one() -> None:
    rules = team_policy(None)
    first = rules.levels["L1"]
    assert (first.automatic, first.may_displace, first.consult_within_seconds) == (True, True, 1800)
    assert (first.lead_presence, first.minimum) == (("on_site", "remote"), 1)
    assert not any(rules.levels[level].automatic for level in rules.levels if level != "L1")


def test_what_a_file_leaves_out_has_its_default() -> None:
    assert read_team_policy({"version": 1, "levels": {"L3": {"lead": {}}}}).levels == {"L3": LevelRule()}


def test_every_mistake_of_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nlevels: {L1: {lead: {levels_above: 7}, standby: x}, L9: {}}\n", encoding="utf-8")
    with pytest.raises(InvalidInput) as found:
        team_policy(path)
    assert {issue.path for issue in found.value.issues} == {
        f"{path}: levels.L1.lead.levels_above",
        f"{path}: levels.L1.standby",
        f"{path}: levels.L9",
    }
    for text in ("[1, 2", "[]"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InvalidInput, match="UNREADABLE_FILE"):
            team_policy(path)
    with pytest.raises(InvalidInput, match="UNREADABLE_FILE"):
        team_policy(tmp_path / "none.yaml")


def test_the_published_schema_is_the_one_that_is_checked() -> None:
    schema = team_policy_schema()
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(default_team_policy(), schema)
