"""Mutations of a plan: its times, places, sequences, breaks, teams and what it leaves undone."""

import copy

from tests.mutations import TIMES, Document, Draft, later, move, mutation, unreadable

# Times


@mutation
def one_time_moved(draft: Draft) -> None:
    stop = draft.stop()
    key = draft.one_of(key for key in TIMES if key in stop)
    stop[key] = later(stop[key], draft.seconds())


@mutation
def one_stop_moved(draft: Draft) -> None:
    move(draft.stop(), draft.seconds())


@mutation
def rest_of_the_route_moved(draft: Draft) -> None:
    stops, seconds = draft.route()["stops"], draft.seconds()
    for stop in stops[draft.rng.randrange(len(stops)) :]:
        move(stop, seconds)


@mutation
def everything_moved(draft: Draft) -> None:
    seconds = draft.seconds()
    for stop in draft.stops():
        move(stop, seconds)
    for team in draft.plan["teams"]:
        team["start"] = later(team["start"], seconds)


@mutation
def way_home_later(draft: Draft) -> None:
    """Leaving later than one could is allowed."""
    move(draft.stop("end"), abs(draft.seconds()))


@mutation
def arrival_later(draft: Draft) -> None:
    """Leaving later and waiting less: traffic and lateness follow the departure."""
    stop = draft.one_of(
        stop for stop in draft.stops() if stop["kind"] == "work_order" and stop["arrival"] < stop["start"]
    )
    stop["arrival"] = stop["start"] if draft.chance(0.5) else later(stop["arrival"], 1)


@mutation
def start_stop_earlier(draft: Draft) -> None:
    stop = draft.stop("start")
    stop["end"] = later(stop["end"], -draft.rng.choice((1, 600)))


@mutation
def service_stretched(draft: Draft) -> None:
    stop = draft.stop("work_order")
    stop["end"] = later(stop["end"], draft.rng.choice((-60, -1, 1, 60)))


# Places and legs


@mutation
def travel_misstated(draft: Draft) -> None:
    leg = draft.one_of(stop for stop in draft.stops() if "travel_seconds" in stop)
    leg["travel_seconds"] = max(0, leg["travel_seconds"] + draft.rng.choice((-60, -1, 1, 60)))


@mutation
def meters_misstated(draft: Draft) -> None:
    leg = draft.one_of(stop for stop in draft.stops() if "travel_meters" in stop)
    leg["travel_meters"] += draft.rng.choice((1, 500))


@mutation
def meters_left_out(draft: Draft) -> None:
    for stop in draft.stops():
        if draft.chance(0.5):
            stop.pop("travel_meters", None)


@mutation
def other_place(draft: Draft) -> None:
    stop = draft.one_of(stop for stop in draft.stops() if "location" in stop)
    stop["location"] = draft.one_of(draft.problem["locations"])


@mutation
def shift_begins_elsewhere(draft: Draft) -> None:
    draft.shift_of(draft.route())["start_location"] = draft.one_of(draft.problem["locations"])


@mutation
def shift_ends_elsewhere(draft: Draft) -> None:
    draft.shift_of(draft.route())["end_location"] = draft.one_of([None, *draft.problem["locations"]])


# The sequence of stops and who makes them


@mutation
def stops_swapped(draft: Draft) -> None:
    stops = draft.one_of(route["stops"] for route in draft.plan["routes"] if len(route["stops"]) > 1)
    place = draft.rng.randrange(len(stops) - 1)
    stops[place], stops[place + 1] = stops[place + 1], stops[place]


@mutation
def stop_on_another_route(draft: Draft) -> None:
    route, stop = draft.route_and_stop()
    other = draft.one_of(each for each in draft.plan["routes"] if each is not route)
    route["stops"].remove(stop)
    other["stops"].insert(draft.rng.randrange(1, len(other["stops"]) + 1), stop)


@mutation
def stop_twice(draft: Draft) -> None:
    stop, stops = draft.stop("work_order"), draft.route()["stops"]
    stops.insert(draft.rng.randrange(1, len(stops) + 1), copy.deepcopy(stop))


@mutation
def route_of_another_shift(draft: Draft) -> None:
    """Another engineer does it all, and mostly the team's entries say so too."""
    route, old = draft.route(), draft.route()["engineer"]
    keys = [(each["id"], shift["id"]) for each in draft.problem["engineers"] for shift in each["shifts"]]
    route["engineer"], route["shift"] = draft.one_of(keys)
    for entry in draft.plan["teams"]:
        for member in entry["members"]:
            if member["engineer"] == old and draft.chance(0.8):
                member["engineer"] = route["engineer"]


@mutation
def end_stop_dropped(draft: Draft) -> None:
    route, stop = draft.route_and_stop("end")
    route["stops"].remove(stop)
    if draft.chance(0.7):
        draft.shift_of(route)["end_location"] = None


@mutation
def empty_route(draft: Draft) -> None:
    taken = {(route["engineer"], route["shift"]) for route in draft.plan["routes"]}
    name, shift = draft.one_of(
        (engineer["id"], shift)
        for engineer in draft.problem["engineers"]
        for shift in engineer["shifts"]
        if (engineer["id"], shift["id"]) not in taken
    )
    place = shift["start_location"]
    stops: list[Document] = [{"kind": "start", "location": place, "end": shift["start"]}]
    if draft.chance(0.5):
        stops.append({"kind": "end", "location": place, "travel_seconds": 0, "arrival": shift["start"]})
    draft.plan["routes"].append({"engineer": name, "shift": shift["id"], "stops": stops})


@unreadable
def unknown_shift(draft: Draft) -> None:
    draft.route()[draft.rng.choice(("engineer", "shift"))] = "nobody"


@unreadable
def unknown_order(draft: Draft) -> None:
    stops = [stop for stop in draft.stops() if stop["kind"] == "work_order"]
    draft.one_of([*stops, *draft.plan["teams"], *draft.plan["unassigned"]])["work_order"] = "nothing"


@unreadable
def unknown_place(draft: Draft) -> None:
    draft.one_of(stop for stop in draft.stops() if "location" in stop)["location"] = "nowhere"


@unreadable
def time_missing(draft: Draft) -> None:
    stop = draft.stop()
    stop[draft.one_of(key for key in TIMES if key in stop)] = None


# What is left undone


@mutation
def work_dropped(draft: Draft) -> None:
    route, stop = draft.route_and_stop()
    route["stops"].remove(stop)
    if not any(each["kind"] == "work_order" for each in route["stops"]) and draft.chance(0.8):
        draft.plan["routes"].remove(route)
    if draft.chance(0.7):
        draft.plan["unassigned"].append({"work_order": stop["work_order"]})


@mutation
def route_left_undone(draft: Draft) -> None:
    """All the work of a route, which is right where it holds no member of a team and nobody waits for it."""
    route = draft.route()
    draft.plan["routes"].remove(route)
    undone = [stop["work_order"] for stop in route["stops"] if stop["kind"] == "work_order"]
    draft.plan["unassigned"] += [{"work_order": name} for name in undone]


@mutation
def listed_as_unassigned(draft: Draft) -> None:
    draft.plan["unassigned"].append({"work_order": draft.one_of(draft.problem["work_orders"])["id"]})


@mutation
def not_listed_as_unassigned(draft: Draft) -> None:
    draft.plan["unassigned"].remove(draft.one_of(draft.plan["unassigned"]))


# Breaks


@mutation
def break_dropped(draft: Draft) -> None:
    route, stop = draft.route_and_stop("break")
    route["stops"].remove(stop)


@mutation
def break_elsewhere(draft: Draft) -> None:
    route, stop = draft.route_and_stop("break")
    route["stops"].remove(stop)
    route["stops"].insert(draft.rng.randrange(1, len(route["stops"]) + 1), stop)


@mutation
def break_added(draft: Draft) -> None:
    stops = draft.route()["stops"]
    place = draft.rng.randrange(1, len(stops) + 1)
    begin = later(stops[place - 1].get("end") or stops[place - 1]["arrival"], draft.rng.choice((-60, 0, 0, 300)))
    stops.insert(place, {"kind": "break", "start": begin, "end": later(begin, draft.rng.choice((60, 900)))})


# Teams


@mutation
def other_role(draft: Draft) -> None:
    route, stop = draft.route_and_stop()
    roles = [role["role"] for role in (draft.order(stop["work_order"]).get("team") or {"roles": []})["roles"]]
    stop["role"] = draft.one_of([None, "stranger", *roles])
    for entry in draft.plan["teams"]:
        for member in entry["members"]:
            if (entry["work_order"], member["engineer"]) == (stop["work_order"], route["engineer"]):
                member["role"] = stop["role"] or "stranger"


@mutation
def members_misnamed(draft: Draft) -> None:
    entry = draft.one_of(draft.plan["teams"])
    choice = draft.rng.randrange(4)
    if choice == 0:
        entry["members"].remove(draft.one_of(entry["members"]))
    elif choice == 1:
        entry["members"].append({"engineer": draft.one_of([*draft.people(), "nobody"]), "role": "lead"})
    elif choice == 2:
        entry["members"].reverse()
    else:
        entry["start"] = later(entry["start"], draft.rng.choice((-60, 1)))


@mutation
def standby_changed(draft: Draft) -> None:
    entry, team = draft.entry()
    roles = [role["role"] for role in team["roles"]]
    standby = {"engineer": draft.one_of([*draft.people(), "nobody"]), "role": draft.one_of(["backup", *roles])}
    choice = draft.rng.randrange(4)
    if choice == 0:
        entry["standby"].remove(draft.one_of(entry["standby"]))
    elif choice == 1:
        entry["standby"].append(standby)
    elif choice == 2:
        draft.one_of(entry["standby"])["engineer"] = standby["engineer"]
    else:
        entry["standby"] = [standby]


@mutation
def team_entry_changed(draft: Draft) -> None:
    if draft.chance(0.4):
        name = draft.one_of(draft.problem["work_orders"])["id"]
        entry = {"work_order": name, "start": draft.problem["horizon"]["start"], "members": [], "standby": []}
        draft.plan["teams"].append(entry)
    elif draft.chance(0.5):
        draft.plan["teams"].remove(draft.one_of(draft.plan["teams"]))
    else:
        draft.plan["teams"].append(copy.deepcopy(draft.one_of(draft.plan["teams"])))


@mutation
def member_moved(draft: Draft) -> None:
    move(draft.one_of(stop for stop in draft.stops() if stop.get("role")), draft.seconds())
