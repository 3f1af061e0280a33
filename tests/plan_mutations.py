"""Random damage and random variety for plans, well-formed all the same: what the evaluator and the checker must agree on.

A mutation takes the source of chance, a problem document and a plan document, and changes one of them in place. It
returns False where the plan has nothing of the kind it would change.
"""

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

Document = dict[str, Any]
Mutation = Callable[[Random, Document, Document], bool]

MUTATIONS: dict[str, Mutation] = {}
"""Every mutation by its name."""

SHIFTS_SECONDS = (-7200, -900, -60, -1, 1, 60, 900, 7200)
_TIMES = ("arrival", "start", "end")
_CLAIMS = ("late_arrival_seconds", "late_start_seconds", "late_restore_seconds", "pinned")


def mutation(change: Mutation) -> Mutation:
    """Registers a mutation under its function's name."""
    MUTATIONS[change.__name__] = change
    return change


def without_claims(plan: Document) -> Document:
    """A copy as a tool would write it that knows nothing of scores: no claims about lateness, pins, score, receipt."""
    bare = copy.deepcopy(plan)
    for key in ("problem_id", "created_at", "score", "receipt"):
        bare.pop(key, None)
    for route in bare["routes"]:
        for stop in route["stops"]:
            for claim in _CLAIMS:
                stop.pop(claim, None)
    return bare


def later(instant: str, seconds: int) -> str:
    """An instant of a document, moved."""
    return (datetime.fromisoformat(instant) + timedelta(seconds=seconds)).isoformat()


def work_stops(plan: Document) -> list[tuple[Document, Document]]:
    """(route, stop) of every work stop."""
    return [
        (route, stop) for route in plan["routes"] for stop in route["stops"] if stop["kind"] == "work_order"
    ]


def _order(problem: Document, name: str) -> Document:
    found: Document = next(order for order in problem["work_orders"] if order["id"] == name)
    return found


def _pick_stop(rng: Random, plan: Document) -> tuple[Document, Document] | None:
    stops = work_stops(plan)
    return rng.choice(stops) if stops else None


def _move(stop: Document, seconds: int) -> None:
    for key in _TIMES:
        if key in stop:
            stop[key] = later(stop[key], seconds)


def _moves(rng: Random, problem: Document) -> int:
    seconds = rng.choice(SHIFTS_SECONDS)
    return seconds if rng.random() < 0.5 else abs(seconds)


# times


@mutation
def one_time_moved(rng: Random, problem: Document, plan: Document) -> bool:
    if not plan["routes"]:
        return False
    stop = rng.choice(rng.choice(plan["routes"])["stops"])
    key = rng.choice([key for key in _TIMES if key in stop])
    stop[key] = later(stop[key], _moves(rng, problem))
    return True


@mutation
def one_stop_moved(rng: Random, problem: Document, plan: Document) -> bool:
    if not plan["routes"]:
        return False
    _move(rng.choice(rng.choice(plan["routes"])["stops"]), _moves(rng, problem))
    return True


@mutation
def rest_of_the_route_moved(rng: Random, problem: Document, plan: Document) -> bool:
    """Everything from one stop on: with travel by the clock this stays right surprisingly often."""
    if not plan["routes"]:
        return False
    stops = rng.choice(plan["routes"])["stops"]
    seconds = _moves(rng, problem)
    for stop in stops[rng.randrange(len(stops)) :]:
        _move(stop, seconds)
    return True


@mutation
def everything_moved(rng: Random, problem: Document, plan: Document) -> bool:
    seconds = _moves(rng, problem)
    for route in plan["routes"]:
        for stop in route["stops"]:
            _move(stop, seconds)
    for team in plan["teams"]:
        team["start"] = later(team["start"], seconds)
    return bool(plan["routes"])


@mutation
def last_stop_later(rng: Random, problem: Document, plan: Document) -> bool:
    """The leg to the end leaves later than it could, which is allowed."""
    ends = [route["stops"][-1] for route in plan["routes"] if route["stops"][-1]["kind"] == "end"]
    if not ends:
        return False
    _move(rng.choice(ends), abs(_moves(rng, problem)))
    return True


@mutation
def arrival_later(rng: Random, problem: Document, plan: Document) -> bool:
    """Leaving later and waiting less: allowed, and traffic and lateness follow the departure."""
    waiting = [stop for _, stop in work_stops(plan) if stop["arrival"] < stop["start"]]
    if not waiting:
        return False
    stop = rng.choice(waiting)
    stop["arrival"] = stop["start"] if rng.random() < 0.5 else later(stop["arrival"], 1)
    return True


@mutation
def start_stop_earlier(rng: Random, problem: Document, plan: Document) -> bool:
    if not plan["routes"]:
        return False
    stop = rng.choice(plan["routes"])["stops"][0]
    stop["end"] = later(stop["end"], -rng.choice((1, 600)))
    return True


@mutation
def service_stretched(rng: Random, problem: Document, plan: Document) -> bool:
    found = _pick_stop(rng, plan)
    if found is None:
        return False
    found[1]["end"] = later(found[1]["end"], rng.choice((-60, -1, 1, 60)))
    return True


# places and legs


@mutation
def travel_misstated(rng: Random, problem: Document, plan: Document) -> bool:
    legs = [stop for route in plan["routes"] for stop in route["stops"] if "travel_seconds" in stop]
    if not legs:
        return False
    leg = rng.choice(legs)
    if rng.random() < 0.3 and "travel_meters" in leg:
        leg["travel_meters"] += rng.choice((1, 500))
    elif rng.random() < 0.3:
        leg.pop("travel_meters", None)
    else:
        leg["travel_seconds"] = max(0, leg["travel_seconds"] + rng.choice((-60, -1, 1, 60)))
    return True


@mutation
def other_place(rng: Random, problem: Document, plan: Document) -> bool:
    places = [stop for route in plan["routes"] for stop in route["stops"] if "location" in stop]
    if not places:
        return False
    rng.choice(places)["location"] = rng.choice(list(problem["locations"]))
    return True


@mutation
def shift_begins_elsewhere(rng: Random, problem: Document, plan: Document) -> bool:
    if not plan["routes"]:
        return False
    _shift_of(problem, rng.choice(plan["routes"]))["start_location"] = rng.choice(list(problem["locations"]))
    return True


@mutation
def shift_ends_elsewhere(rng: Random, problem: Document, plan: Document) -> bool:
    if not plan["routes"]:
        return False
    _shift_of(problem, rng.choice(plan["routes"]))["end_location"] = rng.choice([None, *problem["locations"]])
    return True


def _shift_of(problem: Document, route: Document) -> Document:
    engineer = next(each for each in problem["engineers"] if each["id"] == route["engineer"])
    found: Document = next(each for each in engineer["shifts"] if each["id"] == route["shift"])
    return found


# the order of stops and who makes them


@mutation
def stops_swapped(rng: Random, problem: Document, plan: Document) -> bool:
    routes = [route for route in plan["routes"] if len(route["stops"]) > 2]
    if not routes:
        return False
    stops = rng.choice(routes)["stops"]
    one = rng.randrange(len(stops) - 1)
    stops[one], stops[one + 1] = stops[one + 1], stops[one]
    return True


@mutation
def stop_on_another_route(rng: Random, problem: Document, plan: Document) -> bool:
    found = _pick_stop(rng, plan)
    if found is None or len(plan["routes"]) < 2:
        return False
    route, stop = found
    route["stops"].remove(stop)
    other = rng.choice([each for each in plan["routes"] if each is not route])
    other["stops"].insert(rng.randrange(1, len(other["stops"]) + 1), stop)
    return True


@mutation
def stop_twice(rng: Random, problem: Document, plan: Document) -> bool:
    found = _pick_stop(rng, plan)
    if found is None:
        return False
    stops = rng.choice(plan["routes"])["stops"]
    stops.insert(rng.randrange(1, len(stops) + 1), copy.deepcopy(found[1]))
    return True


@mutation
def route_of_another_shift(rng: Random, problem: Document, plan: Document) -> bool:
    keys = [(engineer["id"], shift["id"]) for engineer in problem["engineers"] for shift in engineer["shifts"]]
    if not plan["routes"]:
        return False
    route = rng.choice(plan["routes"])
    engineer, shift = rng.choice(keys)
    old = route["engineer"]
    route |= {"engineer": engineer, "shift": shift}
    for team in plan["teams"]:
        for member in team["members"]:
            if member["engineer"] == old and rng.random() < 0.8:
                member["engineer"] = engineer
    return True


@mutation
def unknown_shift(rng: Random, problem: Document, plan: Document) -> bool:
    if not plan["routes"]:
        return False
    rng.choice(plan["routes"])[rng.choice(("engineer", "shift"))] = "nobody"
    return True


@mutation
def unknown_order(rng: Random, problem: Document, plan: Document) -> bool:
    named = [stop for _, stop in work_stops(plan)] + plan["teams"] + plan["unassigned"]
    if not named:
        return False
    rng.choice(named)["work_order"] = "nothing"
    return True


@mutation
def unknown_place(rng: Random, problem: Document, plan: Document) -> bool:
    places = [stop for route in plan["routes"] for stop in route["stops"] if "location" in stop]
    if not places:
        return False
    rng.choice(places)["location"] = "nowhere"
    return True


@mutation
def time_missing(rng: Random, problem: Document, plan: Document) -> bool:
    if not plan["routes"]:
        return False
    stop = rng.choice(rng.choice(plan["routes"])["stops"])
    stop[rng.choice([key for key in _TIMES if key in stop])] = None
    return True


@mutation
def end_stop_dropped(rng: Random, problem: Document, plan: Document) -> bool:
    routes = [route for route in plan["routes"] if route["stops"][-1]["kind"] == "end"]
    if not routes:
        return False
    route = rng.choice(routes)
    del route["stops"][-1]
    if rng.random() < 0.7:
        _shift_of(problem, route)["end_location"] = None
    return True


@mutation
def empty_route(rng: Random, problem: Document, plan: Document) -> bool:
    taken = {(route["engineer"], route["shift"]) for route in plan["routes"]}
    free = [
        (engineer["id"], shift)
        for engineer in problem["engineers"]
        for shift in engineer["shifts"]
        if (engineer["id"], shift["id"]) not in taken
    ]
    if not free:
        return False
    name, shift = rng.choice(free)
    place = shift["start_location"]
    stops: list[Document] = [{"kind": "start", "location": place, "end": shift["start"]}]
    if rng.random() < 0.5:
        end = {"kind": "end", "location": place, "travel_seconds": 0, "travel_meters": 0, "arrival": shift["start"]}
        stops.append(end)
    plan["routes"].append({"engineer": name, "shift": shift["id"], "stops": stops})
    return True


# what is left undone


@mutation
def work_dropped(rng: Random, problem: Document, plan: Document) -> bool:
    """A stop left out; with luck its order is also listed as unassigned, and it was the last of its route."""
    found = _pick_stop(rng, plan)
    if found is None:
        return False
    route, stop = found
    route["stops"].remove(stop)
    if not any(each["kind"] == "work_order" for each in route["stops"]) and rng.random() < 0.8:
        plan["routes"].remove(route)
    if rng.random() < 0.7:
        plan["unassigned"].append({"work_order": stop["work_order"]})
    return True


@mutation
def last_work_left_undone(rng: Random, problem: Document, plan: Document) -> bool:
    """An order taken out wholly where its routes end with it, the way home driven from there before."""
    lone = [
        route
        for route in plan["routes"]
        if sum(stop["kind"] == "work_order" for stop in route["stops"]) == 1
        and not any(stop.get("role") for stop in route["stops"])
    ]
    if not lone:
        return False
    route = rng.choice(lone)
    plan["routes"].remove(route)
    plan["unassigned"] += [{"work_order": stop["work_order"]} for stop in route["stops"] if "work_order" in stop]
    return True


@mutation
def listed_as_unassigned(rng: Random, problem: Document, plan: Document) -> bool:
    if not problem["work_orders"]:
        return False
    plan["unassigned"].append({"work_order": rng.choice(problem["work_orders"])["id"]})
    return True


@mutation
def not_listed_as_unassigned(rng: Random, problem: Document, plan: Document) -> bool:
    if not plan["unassigned"]:
        return False
    plan["unassigned"].pop(rng.randrange(len(plan["unassigned"])))
    return True


# breaks


@mutation
def break_dropped(rng: Random, problem: Document, plan: Document) -> bool:
    taken = [(route, stop) for route in plan["routes"] for stop in route["stops"] if stop["kind"] == "break"]
    if not taken:
        return False
    route, stop = rng.choice(taken)
    route["stops"].remove(stop)
    return True


@mutation
def break_added(rng: Random, problem: Document, plan: Document) -> bool:
    if not plan["routes"]:
        return False
    stops = rng.choice(plan["routes"])["stops"]
    place = rng.randrange(1, len(stops) + 1)
    begin = stops[place - 1].get("end") or stops[place - 1]["arrival"]
    begin = later(begin, rng.choice((-60, 0, 0, 300)))
    stops.insert(place, {"kind": "break", "start": begin, "end": later(begin, rng.choice((60, 900)))})
    return True


@mutation
def break_elsewhere(rng: Random, problem: Document, plan: Document) -> bool:
    taken = [(route, stop) for route in plan["routes"] for stop in route["stops"] if stop["kind"] == "break"]
    if not taken:
        return False
    route, stop = rng.choice(taken)
    route["stops"].remove(stop)
    route["stops"].insert(rng.randrange(1, len(route["stops"]) + 1), stop)
    return True


@mutation
def break_asked_for(rng: Random, problem: Document, plan: Document) -> bool:
    """A shift gets a break, and a gap of its route may hold one that fits."""
    if not plan["routes"]:
        return False
    route = rng.choice(plan["routes"])
    shift, stops = _shift_of(problem, route), route["stops"]
    place = rng.randrange(1, len(stops) + 1)
    before = stops[place - 1].get("end") or stops[place - 1]["arrival"]
    width, length = rng.choice((0, 600)), rng.choice((1, 60, 900))
    rest = {"earliest_start": before, "latest_start": later(before, width), "duration_seconds": length}
    shift["breaks"] = [*(shift.get("breaks") or []), rest]
    if rng.random() < 0.8:
        stops.insert(place, {"kind": "break", "start": before, "end": later(before, length)})
        for stop in stops[place + 1 :]:
            _move(stop, length if rng.random() < 0.9 else 0)
    return True


# teams


@mutation
def other_role(rng: Random, problem: Document, plan: Document) -> bool:
    found = _pick_stop(rng, plan)
    if found is None:
        return False
    route, stop = found
    team = _order(problem, stop["work_order"]).get("team") or {"roles": []}
    new = rng.choice([None, "stranger", *(role["role"] for role in team["roles"])])
    stop["role"] = new
    for entry in plan["teams"]:
        for member in entry["members"]:
            if entry["work_order"] == stop["work_order"] and member["engineer"] == route["engineer"] and new:
                member["role"] = new
    return True


@mutation
def member_misnamed(rng: Random, problem: Document, plan: Document) -> bool:
    if not plan["teams"]:
        return False
    entry = rng.choice(plan["teams"])
    choice = rng.randrange(4)
    if choice == 0 and entry["members"]:
        entry["members"].pop()
    elif choice == 1:
        name = rng.choice([*(engineer["id"] for engineer in problem["engineers"]), "nobody"])
        entry["members"].append({"engineer": name, "role": "lead"})
    elif choice == 2:
        entry["members"].reverse()
    else:
        entry["start"] = later(entry["start"], rng.choice((-60, 1)))
    return True


@mutation
def standby_changed(rng: Random, problem: Document, plan: Document) -> bool:
    if not plan["teams"]:
        return False
    entry = rng.choice(plan["teams"])
    roles = [role["role"] for role in _order(problem, entry["work_order"])["team"]["roles"]]
    standby = {
        "engineer": rng.choice([*(engineer["id"] for engineer in problem["engineers"]), "nobody"]),
        "role": rng.choice(["backup", *roles]),
    }
    choice = rng.randrange(4)
    if choice == 0 and entry.get("standby"):
        entry["standby"].pop()
    elif choice == 1:
        entry["standby"] = [*(entry.get("standby") or []), standby]
    elif choice == 2 and entry.get("standby"):
        entry["standby"][0]["engineer"] = standby["engineer"]
    else:
        entry["standby"] = [standby]
    return True


@mutation
def standby_asked_for(rng: Random, problem: Document, plan: Document) -> bool:
    """A team gets a standby role and, mostly, somebody for it."""
    if not plan["teams"]:
        return False
    entry = rng.choice(plan["teams"])
    role: Document = {"role": "spare", "presence": "standby", "min": rng.choice((0, 1)), "max": 2}
    if rng.random() < 0.5:
        role["required_skills"] = [{"skill": rng.choice(("a", "b")), "level": rng.choice((1, 3))}]
    _order(problem, entry["work_order"])["team"]["roles"].append(role)
    people = [engineer["id"] for engineer in problem["engineers"]]
    chosen = rng.sample(people, min(len(people), rng.choice((0, 1, 1, 2))))
    entry["standby"] = [*(entry.get("standby") or []), *({"engineer": name, "role": "spare"} for name in chosen)]
    return True


@mutation
def team_entry_changed(rng: Random, problem: Document, plan: Document) -> bool:
    if plan["teams"] and rng.random() < 0.6:
        entry = rng.choice(plan["teams"])
        if rng.random() < 0.5:
            plan["teams"].remove(entry)
        else:
            plan["teams"].append(copy.deepcopy(entry))
        return True
    if not problem["work_orders"]:
        return False
    name = rng.choice(problem["work_orders"])["id"]
    plan["teams"].append({"work_order": name, "start": problem["horizon"]["start"], "members": []})
    return True


@mutation
def member_moved(rng: Random, problem: Document, plan: Document) -> bool:
    """One member of a team starts at another time than before."""
    stops = [stop for _, stop in work_stops(plan) if stop.get("role")]
    if not stops:
        return False
    _move(rng.choice(stops), _moves(rng, problem))
    return True


@mutation
def other_arrival(rng: Random, problem: Document, plan: Document) -> bool:
    teams = [order["team"] for order in problem["work_orders"] if order.get("team")]
    if not teams:
        return False
    arrival: Document = {"mode": rng.choice(("together", "staggered"))}
    if rng.random() < 0.5:
        arrival["max_gap_seconds"] = rng.choice((0, 60, 7200))
    rng.choice(teams)["arrival"] = arrival
    return True


@mutation
def other_team_size(rng: Random, problem: Document, plan: Document) -> bool:
    teams = [order["team"] for order in problem["work_orders"] if order.get("team")]
    if not teams:
        return False
    role = rng.choice(rng.choice(teams)["roles"])
    role["max"] = max(1, role.get("min", 1)) + rng.choice((0, 1))
    role["min"] = rng.choice((role.get("min", 1), role["max"]))
    return True


@mutation
def presence_changed(rng: Random, problem: Document, plan: Document) -> bool:
    teams = [order["team"] for order in problem["work_orders"] if order.get("team")]
    if not teams:
        return False
    rng.choice(rng.choice(teams)["roles"])["presence"] = rng.choice(("on_site", "remote", "standby"))
    return True


# what orders and shifts ask for


@mutation
def pin_changed(rng: Random, problem: Document, plan: Document) -> bool:
    found = _pick_stop(rng, plan)
    if found is None:
        return False
    route, stop = found
    order = _order(problem, stop["work_order"])
    people = [engineer["id"] for engineer in problem["engineers"]]
    choice = rng.randrange(4)
    if choice == 0:
        order["pin"] = None
    elif choice == 1:
        order["pin"] = {"engineer": rng.choice(people)}
    elif choice == 2:
        order["pin"] = {"engineer": route["engineer"], "start": stop["start"]}
    else:
        order["pin"] = {"engineer": route["engineer"], "start": later(stop["start"], rng.choice(SHIFTS_SECONDS))}
    return True


@mutation
def now_changed(rng: Random, problem: Document, plan: Document) -> bool:
    """Time goes on: into the first stops of the plan, so that pinned work is running and breaks are over."""
    stops = [stop for route in plan["routes"] for stop in route["stops"][:3]]
    if not stops:
        return False
    stop = rng.choice(stops)
    problem["now"] = later(stop.get("start") or stop.get("end") or stop["arrival"], rng.choice((-1, 0, 1, 600)))
    return True


@mutation
def underway(rng: Random, problem: Document, plan: Document) -> bool:
    """The first work of a route has begun: pinned where it starts, the start stop at its place, now a little later."""
    routes = [
        route
        for route in plan["routes"]
        if len(route["stops"]) > 1 and route["stops"][1]["kind"] == "work_order"
    ]
    if not routes:
        return False
    route = rng.choice(routes)
    first = route["stops"][1]
    order = _order(problem, first["work_order"])
    order["pin"] = {"engineer": route["engineer"], "start": first["start"]}
    for other in plan["routes"]:
        for place, stop in enumerate(other["stops"]):
            if stop.get("work_order") == first["work_order"] and place == 1 and rng.random() < 0.9:
                other["stops"][0] = {"kind": "start", "location": stop["location"], "end": stop["start"]}
                stop |= {"travel_seconds": 0, "travel_meters": 0, "arrival": stop["start"]}
    problem["now"] = later(first["start"], rng.choice((1, 1, 600)))
    return True


@mutation
def windows_changed(rng: Random, problem: Document, plan: Document) -> bool:
    found = _pick_stop(rng, plan)
    if found is None:
        return False
    start = found[1]["start"]
    spans = rng.choice(([(0, 0)], [(-600, 0)], [(1, 600)], [(-600, -1), (0, 0)], [(-600, -300), (300, 600)]))
    windows = [{"start": later(start, first), "end": later(start, last)} for first, last in spans]
    _order(problem, found[1]["work_order"])["time_windows"] = windows
    return True


@mutation
def engineer_list_changed(rng: Random, problem: Document, plan: Document) -> bool:
    people = [engineer["id"] for engineer in problem["engineers"]]
    if not people or not problem["work_orders"]:
        return False
    key = rng.choice(("allowed_engineers", "excluded_engineers", "preferred_engineers"))
    rng.choice(problem["work_orders"])[key] = rng.sample(people, rng.randrange(1, len(people) + 1))
    return True


@mutation
def more_skill_asked_for(rng: Random, problem: Document, plan: Document) -> bool:
    found = _pick_stop(rng, plan)
    if found is None:
        return False
    required = [{"skill": rng.choice(("a", "a.x", "b", "c")), "level": rng.choice((1, 3, 5))}]
    _order(problem, found[1]["work_order"])["required_skills"] = required
    return True


@mutation
def parts_changed(rng: Random, problem: Document, plan: Document) -> bool:
    found = _pick_stop(rng, plan)
    if found is None:
        return False
    _order(problem, found[1]["work_order"])["parts"] = {rng.choice(("p", "q")): rng.choice((1, 2, 4))}
    return True


@mutation
def fewer_orders_per_shift(rng: Random, problem: Document, plan: Document) -> bool:
    if not plan["routes"]:
        return False
    route = rng.choice(plan["routes"])
    count = sum(stop["kind"] == "work_order" for stop in route["stops"])
    _shift_of(problem, route)["max_work_orders"] = max(1, count - rng.choice((0, 1)))
    return True


@mutation
def shorter_shift(rng: Random, problem: Document, plan: Document) -> bool:
    """The shift ends with the route, a second before it, or has a later latest end (which makes overtime)."""
    if not plan["routes"]:
        return False
    route = rng.choice(plan["routes"])
    shift, last = _shift_of(problem, route), route["stops"][-1]
    over = later(last.get("arrival") or last["end"], rng.choice((-600, -1, 0)))
    if datetime.fromisoformat(over) <= datetime.fromisoformat(shift["start"]):
        return False
    if rng.random() < 0.5 and not shift.get("latest_end"):
        shift["latest_end"] = shift["end"]
    elif rng.random() < 0.5:
        shift["latest_end"] = over
    shift["end"] = over
    return True


@mutation
def dependency_added(rng: Random, problem: Document, plan: Document) -> bool:
    orders = problem["work_orders"]
    if len(orders) < 2:
        return False
    index = rng.randrange(1, len(orders))
    least = rng.choice((0, 600))
    gap = {"min_gap_seconds": least, "max_gap_seconds": rng.choice((None, least, least + 7200))}
    orders[index]["depends_on"] = [
        *(orders[index].get("depends_on") or []),
        {"work_order": orders[rng.randrange(index)]["id"], **gap},
    ]
    return True


@mutation
def deadlines_changed(rng: Random, problem: Document, plan: Document) -> bool:
    found = _pick_stop(rng, plan)
    if found is None:
        return False
    stop = found[1]
    late = {key: later(stop[time], rng.choice((-1, 0, -3600))) for key, time in zip(
        ("arrive_by", "start_by", "restore_by"), _TIMES, strict=True
    )}
    _order(problem, stop["work_order"])["deadlines"] = late
    return True


@mutation
def current_plan_changed(rng: Random, problem: Document, plan: Document) -> bool:
    """What is planned becomes what was planned, so that the next mutation is a change."""
    problem["current_plan"] = without_claims(plan)
    return True
