"""Thousands of requests made from the OpenAPI description, valid and not: no answer that the description lacks, no 5xx.

Streams are left out, for they end with their runs or never, and a solve gets a second at most.
"""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import structlog
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from api.app import create_app
from api.problems import SolveOptions, solve_document
from api.schemas import problem_schema
from data.job_store import Runs
from data.repositories import Plans, Publication, Scope
from data.session import Database
from dispatcher.actor import Actor
from tests.databases import SetClock, open_database
from tests.http_service import open_services
from tests.stored_fleet import MONDAY, publish, store_fleet

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ACTOR = Actor("default", "fuzz")
KNOWN_IDS = {"engineer": ["E1"], "id": ["S1", "W1", "E1", "hydraulics", "mon", "V1"]}
LEFT_OUT = {"follow_run", "follow_events"}


@pytest.fixture(scope="module")
def described(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The description of a service that has one record of every kind, a run and a plan."""
    path = tmp_path_factory.mktemp("fuzz") / "muster.db"
    shutil.copyfile(sqlite_template, path)
    url = f"sqlite:///{path}"
    database = open_database(url, SetClock())
    known = KNOWN_IDS | _stored(database)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    app = create_app(open_services(database, url))
    with TestClient(app):
        yield schemathesis.openapi.from_asgi("/openapi.json", app), known
    structlog.reset_defaults()
    database.close()


def _stored(database: Database) -> dict[str, list[str]]:
    """A run that waits, and one that has ended with a plan."""
    store_fleet(database, ACTOR)
    [problem] = problem_schema()["examples"]
    plan = solve_document(problem, SolveOptions(iteration_limit=1))
    plan_id = publish(database, Publication(problem, plan, {Scope("east", MONDAY): 0}), ACTOR)
    with database.write(ACTOR) as work:
        waiting = Runs(work).enqueue("solve", {"document": problem, "options": {}})
        return {"plan_id": [plan_id], "run_id": [Plans(work).get(plan_id).run_id, waiting.id]}


def _fuzz(described: Any, examples: int, tags: frozenset[str] | None = None) -> int:
    """Send every operation (with one of the tags) so many valid and so many invalid requests; how many there were."""
    schema, known = described
    sent = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        described_as = operation.definition.raw
        if described_as["operationId"] in LEFT_OUT or not (tags is None or tags & set(described_as["tags"])):
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=examples,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
            def send(case: Any, data: st.DataObject) -> None:
                nonlocal sent
                sent += 1
                for name in set(case.path_parameters or {}) & set(known):
                    # An id from nowhere meets nothing, so most are of what there is.
                    if data.draw(st.integers(0, 3)):
                        case.path_parameters[name] = data.draw(st.sampled_from(known[name]))
                case.call_and_validate(checks=CHECKS)

            try:
                send()
            except Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE, operation.label  # nothing can be wrong about it
    return sent


def test_a_few_requests_are_answered_as_described(described: Any) -> None:
    assert _fuzz(described, examples=1, tags=frozenset({"shifts", "planning", "health"})) > 20


@pytest.mark.slow
def test_thousands_of_requests_are_answered_as_described(described: Any) -> None:
    assert _fuzz(described, examples=35) > 5000
