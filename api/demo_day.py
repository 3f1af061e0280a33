"""What `muster serve --demo` shows: a fleet where there is none, its plan for tomorrow, and one engineer's route."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from api import cli_output as show
from api.client import Document, Service
from api.import_state import DEFAULT_TERRITORY, fleet_records
from api.render_text import counted
from data.synthetic import DEMO, synthetic_problem

# The engine uses all of it.
DEMO_SECONDS = 10


def demo_problem(now: datetime) -> Document:
    """The demo day as a problem of tomorrow, where its fleet is: today may be over there."""
    tomorrow = (now.astimezone(ZoneInfo(DEMO.timezone)) + timedelta(days=1)).date()
    return synthetic_problem(replace(DEMO, date=tomorrow))


def show_demo_day(service: Service, *, guarded: bool) -> None:
    """Import the demo fleet, plan its day, put the plan in force and say what became of it.

    `guarded`: the server asks for a token, and so does what is shown of it.

    Raises:
        ServiceError: where the server refuses or stops meanwhile.
    """
    if not service.is_empty():
        _say("The database holds a fleet already: no demo day is planned.")
        return
    problem = demo_problem(datetime.now(UTC))
    for collection in fleet_records(problem).collections:
        service.store(collection, lambda records: None)
    day = problem["horizon"]["start"][:10]
    engineers, orders = len(problem["engineers"]), len(problem["work_orders"])
    _say(f"Demo fleet stored: {counted(engineers, 'engineer')}, {counted(orders, 'work order')}.")
    _say(f"Planning {day} ...")
    territories = {
        item.get("territory") or DEFAULT_TERRITORY for item in (*problem["engineers"], *problem["work_orders"])
    }
    question: Document = {
        "territories": sorted(territories),
        "dates": [day],
        "options": {"time_limit_seconds": DEMO_SECONDS},
    }
    run = service.ask_for_plan(question | {name: problem[name] for name in ("travel", "objective")})
    for state in service.follow(run["id"]):
        run = state
    found = run.get("plan_id")
    if found is None:
        _say(f"The demo day has no plan: run {run['id']} is {run['state']}, {run.get('error')}.")
        return
    plan = service.get(f"/v1/plans/{found}")
    service.accept(found)
    _say(show.score_line(plan))
    busiest = max(plan["routes"], key=lambda route: len(route["stops"]))["engineer"]
    _say(f"The plan {found} is in force. One engineer's route, as a phone asks for it:")
    header = '-H "Authorization: Bearer $MUSTER_TOKEN" ' if guarded else ""
    _say(f"  curl {header}'{service.address}/v1/engineers/{busiest}/route?date={day}'")


def _say(line: str) -> None:
    show.out.print(line, highlight=False, markup=False, soft_wrap=True)
