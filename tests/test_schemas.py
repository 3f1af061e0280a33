"""The published shape of documents: pydantic models and JSON Schemas say the same."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from api.documents import check_plan, check_problem
from api.schemas import Objective, PlanDocument, ProblemDocument, Weights, plan_schema, problem_schema
from dispatcher.objective import PROFILES, make_weights
from tests.planning_documents import GARBAGE, full_plan, full_problem, matrix_problem, parent_of, places
from tests.reference import GoldenCase, golden_cases

SCHEMAS = Path(__file__).parent.parent / "docs" / "schema"
DOCUMENTS: list[tuple[type[BaseModel], Callable[[], dict[str, Any]]]] = [
    (ProblemDocument, full_problem),
    (ProblemDocument, matrix_problem),
    (PlanDocument, full_plan),
]


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema)


VALIDATORS = {ProblemDocument: validator(problem_schema()), PlanDocument: validator(plan_schema())}


def pydantic_accepts(model: type[BaseModel], document: object) -> bool:
    try:
        model.model_validate(document)
    except ValidationError:
        return False
    return True


def test_golden_documents_have_the_published_shape(subtests: pytest.Subtests) -> None:
    for case in golden_cases() or pytest.skip("no reference data"):
        with subtests.test(case.name):
            VALIDATORS[ProblemDocument].validate(case.problem)
            VALIDATORS[PlanDocument].validate(case.plan)
            assert check_problem(case.problem) == []
            assert check_plan(case.plan) == []


@pytest.mark.parametrize(("model", "document"), DOCUMENTS)
def test_a_document_with_every_field_has_the_published_shape(
    model: type[BaseModel], document: Callable[[], dict[str, Any]]
) -> None:
    VALIDATORS[model].validate(document())
    assert pydantic_accepts(model, document())


@pytest.mark.parametrize(("name", "schema"), [("problem", problem_schema), ("plan", plan_schema)])
def test_published_schemas_are_the_generated_ones(name: str, schema: Callable[[], dict[str, Any]]) -> None:
    path = SCHEMAS / f"{name}.schema.json"
    expected = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    assert path.read_text(encoding="utf-8") == expected, f"write api.schemas.{name}_schema() to {path} anew"


@pytest.mark.parametrize("schema", [problem_schema(), plan_schema()], ids=["problem", "plan"])
def test_schemas_are_valid_and_so_are_their_examples(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    check = check_problem if "problem" in schema["title"] else check_plan
    for example in schema["examples"]:
        validator(schema).validate(example)
        assert check(example) == []


def test_every_field_of_the_format_stands_in_the_documents_of_the_tests() -> None:
    used: set[str] = set()
    for document in (full_problem(), matrix_problem(), full_plan()):
        used |= {path[-1] for path in places(document) if isinstance(path[-1], str)}
    optional_weights = set(Weights.model_fields) | {"L2", "L4"}
    for schema in (problem_schema(), plan_schema()):
        for name, definition in {"": schema, **schema["$defs"]}.items():
            assert set(definition.get("properties", ())) - optional_weights <= used, name


def test_weights_are_those_of_the_rules() -> None:
    weights = make_weights()
    assert set(Weights.model_fields) == {*weights.flat, *weights.by_level}


def test_profiles_are_those_of_the_objective() -> None:
    literal = get_args(Objective.model_fields["profile"].annotation)[0]
    assert get_args(literal) == PROFILES


def test_an_absent_end_location_has_no_default_that_would_mean_an_open_route() -> None:
    assert "default" not in problem_schema()["$defs"]["Shift"]["properties"]["end_location"]


@pytest.mark.parametrize(("model", "document"), DOCUMENTS)
def test_both_agree_when_any_field_is_missing(model: type[BaseModel], document: Callable[[], dict[str, Any]]) -> None:
    for path in places(document()):
        changed = document()
        parent = parent_of(changed, path)
        del parent[path[-1]]
        assert VALIDATORS[model].is_valid(changed) == pydantic_accepts(model, changed), path


@pytest.mark.parametrize(("model", "document"), DOCUMENTS)
@given(data=st.data())
def test_both_agree_when_anything_is_replaced(
    model: type[BaseModel], document: Callable[[], dict[str, Any]], data: st.DataObject
) -> None:
    original = document()
    path = data.draw(st.sampled_from(list(places(original))))
    changed = copy.deepcopy(original)
    parent_of(changed, path)[path[-1]] = data.draw(st.sampled_from(GARBAGE))
    assert VALIDATORS[model].is_valid(changed) == pydantic_accepts(model, changed), path


@pytest.mark.parametrize(
    "instant",
    [
        "2026-11-23T08:00:00Z",
        "2026-11-23T08:00:00.000+08:00",
        "2026-11-23T08:00-03:30",
        "1970-01-01T00:00:00Z",
        "2200-12-31T23:59:59+0000",
    ],
)
def test_instants_with_an_offset_are_accepted_by_both(instant: str) -> None:
    problem = full_problem()
    problem["work_orders"][0]["deadlines"]["arrive_by"] = instant
    VALIDATORS[ProblemDocument].validate(problem)
    assert check_problem(problem) == []


@pytest.mark.parametrize("case", golden_cases(), ids=lambda case: case.name)
def test_a_misspelt_field_of_a_golden_problem_is_refused_by_both(case: GoldenCase) -> None:
    problem = copy.deepcopy(case.problem)
    problem["work_orders"][0]["servce_seconds"] = 60
    assert not VALIDATORS[ProblemDocument].is_valid(problem)
    assert not pydantic_accepts(ProblemDocument, problem)
