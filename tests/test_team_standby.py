"""Teams wait for a standby who is busy first, instead of being left undone."""

from dispatcher.planning import SearchLimits
from dispatcher.schedule import build_plan
from solver.insertion import InsertionEngine
from tests.small_days import at, clock, day, engineer, order, read, role, skill


def test_a_team_starts_when_a_standby_bound_elsewhere_can_just_make_it() -> None:
    team = {"roles": [role("lead", skill("cranes")), role("backup", skill("lifts"), presence="standby")]}
    problem = read(
        day(
            [engineer("lead", skill("cranes")), engineer("spare", skill("lifts"))],
            [
                order("crane", "p10", 120, level="L1", team=team),
                # The spare sets out at once, is over at 10:45 and could be at the crane at 10:55.
                order("visit", "p20", 45, pin={"engineer": "spare", "start": at("10:00")}),
            ],
        )
    )
    found = InsertionEngine().solve(problem, SearchLimits())
    plan = build_plan(problem, found.sequences)
    assert plan.unassigned == ()
    assert [clock(served.start) for served in plan.teams] == ["08:55"]
