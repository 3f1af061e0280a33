"""Mutations of a problem under its plan: what orders, teams and shifts ask for, and what time it is."""

from tests.mutations import SHIFTS_SECONDS, SKILLS, TIMES, Document, Draft, later, move, mutation, without_claims


@mutation
def pin_changed(draft: Draft) -> None:
    route, stop = draft.route_and_stop()
    order, moved = draft.order(stop["work_order"]), later(stop["start"], draft.rng.choice(SHIFTS_SECONDS))
    order["pin"] = draft.one_of(
        [
            None,
            {"engineer": draft.one_of(draft.people())},
            {"engineer": route["engineer"], "start": stop["start"]},
            {"engineer": route["engineer"], "start": moved},
        ]
    )


@mutation
def time_goes_on(draft: Draft) -> None:
    """Into the first stops of the plan, so that breaks are over and pinned work is running."""
    stop = draft.one_of(stop for route in draft.plan["routes"] for stop in route["stops"][:3])
    begin = stop.get("start") or stop.get("end") or stop["arrival"]
    draft.problem["now"] = later(begin, draft.rng.choice((-1, 0, 1, 600)))


@mutation
def work_underway(draft: Draft) -> None:
    """The first work of a route has begun: pinned at its start, with the start stop at its place; mostly rightly."""
    routes = [route for route in draft.plan["routes"] if len(route["stops"]) > 1]
    route = draft.one_of(route for route in routes if route["stops"][1]["kind"] == "work_order")
    first = route["stops"][1]
    draft.order(first["work_order"])["pin"] = {"engineer": route["engineer"], "start": first["start"]}
    for stops in (other["stops"] for other in routes):
        if stops[1].get("work_order") == first["work_order"] and draft.chance(0.9):
            stops[0] = {"kind": "start", "location": stops[1]["location"], "end": stops[1]["start"]}
            stops[1] |= {"travel_seconds": 0, "travel_meters": 0, "arrival": stops[1]["start"]}
    draft.problem["now"] = later(first["start"], draft.rng.choice((1, 1, 600)))


@mutation
def windows_changed(draft: Draft) -> None:
    stop, order = draft.order_of_a_stop()
    spans = draft.one_of(([(0, 0)], [(-600, 0)], [(1, 600)], [(-600, -1), (0, 0)], [(-600, -300), (300, 600)]))
    order["time_windows"] = [{"start": later(stop["start"], a), "end": later(stop["start"], b)} for a, b in spans]


@mutation
def engineer_list_changed(draft: Draft) -> None:
    people = draft.people()
    order = draft.one_of(draft.problem["work_orders"])
    key = draft.rng.choice(("allowed_engineers", "excluded_engineers", "preferred_engineers"))
    order[key] = draft.rng.sample(people, draft.rng.randrange(len(people) + 1))


@mutation
def more_skill_asked_for(draft: Draft) -> None:
    _, order = draft.order_of_a_stop()
    order["required_skills"] = [{"skill": draft.rng.choice(SKILLS), "level": draft.rng.choice((1, 3, 5))}]


@mutation
def more_parts_asked_for(draft: Draft) -> None:
    _, order = draft.order_of_a_stop()
    order["parts"] = {draft.rng.choice(("p", "q")): draft.rng.choice((1, 2, 4))}


@mutation
def fewer_orders_per_shift(draft: Draft) -> None:
    route = draft.route()
    count = sum(stop["kind"] == "work_order" for stop in route["stops"])
    draft.shift_of(route)["max_work_orders"] = max(1, count - draft.rng.choice((0, 1)))


@mutation
def shorter_shift(draft: Draft) -> None:
    """The shift ends with the route or a little before, which makes overtime or breaks the latest end."""
    route = draft.route()
    shift, last = draft.shift_of(route), route["stops"][-1]
    over = later(last.get("arrival") or last["end"], draft.rng.choice((-600, -1, 0)))
    shift["latest_end"] = draft.rng.choice((shift.get("latest_end") or shift["end"], over))
    shift["end"] = over


@mutation
def dependency_added(draft: Draft) -> None:
    orders = draft.problem["work_orders"]
    index = draft.one_of(range(1, len(orders)))
    least = draft.rng.choice((0, 600))
    waits = {
        "work_order": orders[draft.rng.randrange(index)]["id"],
        "min_gap_seconds": least,
        "max_gap_seconds": draft.rng.choice((None, least, least + 7200)),
    }
    orders[index]["depends_on"] = [*(orders[index].get("depends_on") or []), waits]


@mutation
def deadlines_changed(draft: Draft) -> None:
    stop, order = draft.order_of_a_stop()
    kinds = zip(("arrive_by", "start_by", "restore_by"), TIMES, strict=True)
    order["deadlines"] = {kind: later(stop[time], draft.rng.choice((-3600, -1, 0))) for kind, time in kinds}


@mutation
def planned_before(draft: Draft) -> None:
    """What is planned becomes what was planned before; with luck something of it changes afterwards."""
    before = without_claims(draft.plan)
    for route in before["routes"]:
        if draft.chance(0.3):
            route["engineer"] = draft.one_of(draft.people())
        for stop in route["stops"]:
            if draft.chance(0.3):
                move(stop, draft.seconds())
    draft.problem["current_plan"] = before


@mutation
def standby_asked_for(draft: Draft) -> None:
    """A team gets a standby role more and, mostly, somebody for it."""
    entry, team = draft.entry()
    name = f"spare{len(team['roles'])}"
    role: Document = {"role": name, "presence": "standby", "min": draft.rng.choice((0, 1)), "max": 2}
    if draft.chance(0.5):
        role["required_skills"] = [{"skill": draft.rng.choice(SKILLS), "level": draft.rng.choice((1, 3))}]
    team["roles"].append(role)
    people = draft.people()
    chosen = draft.rng.sample(people, min(len(people), draft.rng.choice((0, 1, 1, 2))))
    entry["standby"] += [{"engineer": engineer, "role": name} for engineer in chosen]


@mutation
def other_arrival(draft: Draft) -> None:
    arrival: Document = {"mode": draft.rng.choice(("together", "staggered", "lead_first"))}
    if draft.chance(0.6):
        arrival["max_gap_seconds"] = draft.rng.choice((0, 60, 7200))
    draft.a_team()["arrival"] = arrival


@mutation
def other_team_size(draft: Draft) -> None:
    role = draft.one_of(draft.a_team()["roles"])
    role["max"] = max(1, role.get("min", 1)) + draft.rng.choice((0, 1))
    role["min"] = draft.rng.choice((role.get("min", 1), role["max"]))


@mutation
def presence_changed(draft: Draft) -> None:
    draft.one_of(draft.a_team()["roles"])["presence"] = draft.rng.choice(("on_site", "remote", "standby"))


@mutation
def break_asked_for(draft: Draft) -> None:
    """A shift gets a break more; mostly it is taken, and mostly the rest of the route makes room for it."""
    route = draft.route()
    shift, stops = draft.shift_of(route), route["stops"]
    place = draft.rng.randrange(1, len(stops) + 1)
    begin = stops[place - 1].get("end") or stops[place - 1]["arrival"]
    width, length = draft.rng.choice((0, 600)), draft.rng.choice((1, 60, 900))
    rest = {"earliest_start": begin, "latest_start": later(begin, width), "duration_seconds": length}
    shift["breaks"] = [*(shift.get("breaks") or []), rest]
    if draft.chance(0.8):
        stops.insert(place, {"kind": "break", "start": begin, "end": later(begin, length)})
        for stop in stops[place + 1 :]:
            move(stop, length if draft.chance(0.9) else 0)
