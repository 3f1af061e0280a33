"""The benchmark of replaying a log: it makes what it says, finds an equal state, and sees one that is not."""

from random import Random

import pytest

from benchmarks.event_replay import ACTOR, Days, main, replay, store
from data.repositories import Change, Repository
from data.session import Database
from dispatcher.events import KINDS


def test_a_log_of_everything_that_can_happen_leads_to_what_is_stored(database: Database) -> None:
    days = Days(8, Random(3))
    kinds = store(database, days, 1500)
    result = replay(database)
    assert (result.events, result.differences) == (1500, [])
    assert set(KINDS) - set(kinds) <= {"visit_noted"}
    with database.write(ACTOR) as work:
        home = Repository(work, "territory").get("north")
        Repository(work, "territory").upsert([Change({**home.values, "travel_factor": 9.0})])
    assert replay(database).differences == ["territory north differs in travel_factor"]


def test_the_command_says_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--events", "200", "--engineers", "3"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "the state is the stored one"
