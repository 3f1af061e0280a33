"""Ways to break one hard rule of routes each, on days that are right without them."""

from tests.days import (
    Day,
    back,
    guided,
    move,
    open_ended,
    pair,
    pause,
    rested,
    route,
    start,
    team,
    two,
    underway,
    work,
)
from tests.rule_cases import breaks
from tests.small_days import at, order, rest, skill, window

# structure


@breaks("structure", "UNKNOWN_SHIFT")
def shift_nobody_has(day: Day) -> None:
    day.plan["routes"][0]["shift"] = "night"


@breaks("structure", "UNKNOWN_SHIFT")
def engineer_nobody_knows(day: Day) -> None:
    day.plan["routes"][0]["engineer"] = "X"


@breaks("structure", "ROUTE_TWICE", two)
def two_routes_of_one_shift(day: Day) -> None:
    first = route("E", start(), work("A", "p10", "08:10", "09:10"), back("09:20"))
    second = route("E", start("09:20"), work("B", "p20", "09:40", "10:40"), back("11:00"))
    day.plan["routes"] = [first, second]


@breaks("structure", "STOP_ORDER")
def no_end_stop(day: Day) -> None:
    del day.stops("E")[-1]


@breaks("structure", "STOP_ORDER", open_ended)
def end_stop_on_an_open_route(day: Day) -> None:
    day.plan["routes"] = [route("E", *day.stops("E"), back("09:20"))]


@breaks("structure", "STOP_ORDER")
def start_stop_twice(day: Day) -> None:
    day.stops("E").insert(1, start())


@breaks("structure", "EMPTY_ROUTE", two)
def route_without_work(day: Day) -> None:
    day.plan["routes"].append(route("F", start(), back("08:00")))


@breaks("structure", "TIME_MISSING")
def stop_without_an_arrival(day: Day) -> None:
    day.stops("E")[1]["arrival"] = None


@breaks("structure", "TIME_MISSING")
def route_that_never_sets_out(day: Day) -> None:
    day.stops("E")[0]["end"] = None


@breaks("structure", "TIME_MISSING", rested)
def break_without_an_end(day: Day) -> None:
    day.stops("E")[2]["end"] = None


@breaks("structure", "TIME_MISSING")
def route_that_never_comes_home(day: Day) -> None:
    day.stops("E")[2]["arrival"] = None


@breaks("structure", "UNKNOWN_LOCATION")
def work_at_no_place(day: Day) -> None:
    day.stops("E")[1]["location"] = "moon"


@breaks("structure", "UNKNOWN_WORK_ORDER", two)
def work_on_no_order(day: Day) -> None:
    day.stops("E")[1]["work_order"] = "X"
    day.plan["unassigned"] = [{"work_order": "A"}]


@breaks("structure", "UNKNOWN_WORK_ORDER")
def no_order_left_undone(day: Day) -> None:
    day.plan["unassigned"] = [{"work_order": "X"}]


@breaks("structure", "UNKNOWN_WORK_ORDER")
def team_of_no_order(day: Day) -> None:
    day.plan["teams"] = [team("X", "08:10", {"E": "lead"})]


@breaks("structure", "UNKNOWN_ENGINEER", pair)
def standby_nobody_knows(day: Day) -> None:
    day.plan["teams"][0]["standby"][0]["engineer"] = "X"


# assignment


@breaks("assignment", "ORDER_MISSING", two)
def order_forgotten(day: Day) -> None:
    day.problem["work_orders"].append(order("C"))


@breaks("assignment", "ORDER_TWICE")
def order_served_and_left_undone(day: Day) -> None:
    day.plan["unassigned"] = [{"work_order": "A"}]


@breaks("assignment", "ORDER_TWICE", two)
def order_left_undone_twice(day: Day) -> None:
    day.problem["work_orders"].append(order("C"))
    day.plan["unassigned"] = [{"work_order": "C"}, {"work_order": "C"}]


@breaks("assignment", "ORDER_TWICE", two)
def order_served_by_two(day: Day) -> None:
    day.plan["routes"].append(route("F", start(), work("A", "p10", "08:10", "09:10"), back("09:20")))


# shift


@breaks("shift", "START_LOCATION")
def setting_out_from_elsewhere(day: Day) -> None:
    day.stops("E")[0]["location"] = "p20"


@breaks("shift", "END_LOCATION")
def ending_elsewhere(day: Day) -> None:
    day.stops("E")[2]["location"] = "p20"


@breaks("shift", "BEFORE_SHIFT")
def setting_out_before_the_shift(day: Day) -> None:
    move(day.stops("E")[0], end="07:59:59")


@breaks("shift", "AFTER_LATEST_END")
def home_after_the_latest_end(day: Day) -> None:
    day.shift("E")["latest_end"] = at("16:30")
    move(day.stops("E")[2], arrival="16:30:01")


@breaks("shift", "AFTER_LATEST_END", open_ended)
def open_route_over_after_the_latest_end(day: Day) -> None:
    day.order("A")["service_seconds"] = 28201
    move(day.stops("E")[1], end="16:00:01")


# now


@breaks("now", "BEFORE_NOW")
def leaving_before_now(day: Day) -> None:
    day.problem["now"] = at("08:00:01")


@breaks("now", "BEFORE_NOW", rested)
def resting_before_now(day: Day) -> None:
    day.problem["now"] = at("09:11")
    day.order("A")["pin"] = {"engineer": "E", "start": at("08:10")}
    day.stops("E")[0] = start("08:10", "p10")
    day.stops("E")[1] |= {"travel_seconds": 0, "travel_meters": 0}


@breaks("now", "BEFORE_NOW", underway)
def leaving_running_work_before_now(day: Day) -> None:
    day.problem["now"] = at("08:30:01")


@breaks("now", "BEFORE_NOW", underway)
def coming_home_before_now(day: Day) -> None:
    """The work under way was the last of the route, and is over; the way home cannot lie in the past."""
    day.problem["now"] = at("08:31")
    day.problem["work_orders"].pop()
    day.plan["routes"] = [route("E", *day.stops("E")[:2], back("08:40"))]


# travel


@breaks("travel", "TRAVEL_SECONDS")
def travel_shorter_than_it_is(day: Day) -> None:
    day.stops("E")[2]["travel_seconds"] = 599


@breaks("travel", "TRAVEL_SECONDS")
def travel_that_forgets_the_traffic(day: Day) -> None:
    day.problem["travel"]["traffic"] = [{"from": "09:00", "to": "10:00", "factor": 1.5}]


@breaks("travel", "TRAVEL_METERS")
def meters_that_are_wrong(day: Day) -> None:
    day.stops("E")[1]["travel_meters"] = 9999


@breaks("travel", "DEPARTS_TOO_EARLY")
def leaving_during_work(day: Day) -> None:
    move(day.stops("E")[2], arrival="09:19:59")


@breaks("travel", "DEPARTS_TOO_EARLY", two)
def leaving_the_first_work_early(day: Day) -> None:
    move(day.stops("E")[2], arrival="09:19:59")


@breaks("travel", "START_BEFORE_ARRIVAL")
def starting_before_the_arrival(day: Day) -> None:
    move(day.stops("E")[1], arrival="08:10:01")


@breaks("travel", "WRONG_LOCATION")
def work_somewhere_else(day: Day) -> None:
    day.stops("E")[1]["location"] = "p20"


@breaks("travel", "REMOTE_TRAVELS", guided)
def remote_lead_who_travels(day: Day) -> None:
    day.stops("R")[1]["travel_seconds"] = 60


@breaks("travel", "REMOTE_TRAVELS", guided)
def remote_lead_who_drives_meters(day: Day) -> None:
    day.stops("R")[1]["travel_meters"] = 1


@breaks("travel", "REMOTE_TRAVELS", guided)
def remote_lead_at_another_place(day: Day) -> None:
    day.stops("R")[1]["location"] = "p30"


@breaks("travel", "REMOTE_TRAVELS", guided)
def remote_lead_who_arrives_later(day: Day) -> None:
    move(day.stops("R")[1], arrival="08:30")


# service


@breaks("service", "DURATION")
def service_too_long(day: Day) -> None:
    move(day.stops("E")[1], end="09:10:01")
    move(day.stops("E")[2], arrival="09:20:01")


@breaks("service", "DURATION")
def setup_forgotten(day: Day) -> None:
    day.order("A")["setup_seconds"] = 300


@breaks("service", "DURATION", two)
def setup_paid_twice_at_one_place(day: Day) -> None:
    for name in "AB":
        day.order(name).update(location="p10", setup_seconds=300, service_seconds=3300)
    stops = [start(), work("A", "p10", "08:10", "09:10"), work("B", "p10", "09:10", "10:10"), back("10:20")]
    day.plan["routes"] = [route("E", *stops)]


@breaks("service", "DURATION")
def slow_engineer_taken_for_a_fast_one(day: Day) -> None:
    day.order("A")["required_skills"] = [skill("a")]
    day.engineer("E").update(skills=[skill("a")], duration_factors={"a": 1.1})


@breaks("service", "DURATION", pair)
def smaller_team_taken_for_a_larger_one(day: Day) -> None:
    day.order("T")["team"]["service_seconds_by_size"] = {"1": 3599, "2": 3601, "3": 3600}


# time windows


@breaks("time_window", "OUTSIDE_WINDOW")
def start_after_the_window(day: Day) -> None:
    day.order("A")["time_windows"] = [window("08:00", "08:09:59")]


@breaks("time_window", "OUTSIDE_WINDOW")
def start_between_two_windows(day: Day) -> None:
    day.order("A")["time_windows"] = [window("08:00", "08:05"), window("08:11", "08:20")]


@breaks("time_window", "DIFFERENT_WINDOWS", pair)
def members_in_different_windows(day: Day) -> None:
    day.order("T").update(time_windows=[window("08:00", "08:30"), window("08:31", "09:00")])
    day.order("T")["team"]["arrival"] = {"mode": "staggered"}
    move(day.stops("F")[1], start="08:31", end="09:31")
    move(day.stops("F")[2], arrival="10:01")


# breaks


@breaks("break", "BREAK_MISSING")
def break_left_out(day: Day) -> None:
    day.shift("E")["breaks"] = [rest("09:00", "09:30")]


@breaks("break", "EXTRA_BREAK", rested)
def break_nobody_asked_for(day: Day) -> None:
    day.shift("E")["breaks"] = []


@breaks("break", "BREAK_OUTSIDE_WINDOW", rested)
def break_before_its_window(day: Day) -> None:
    day.shift("E")["breaks"] = [rest("09:11", "09:30")]


@breaks("break", "BREAK_OUTSIDE_WINDOW", rested)
def break_cut_short(day: Day) -> None:
    day.shift("E")["breaks"][0]["duration_seconds"] = 1801


@breaks("break", "BREAK_OUTSIDE_WINDOW", rested)
def two_breaks_at_the_time_of_one(day: Day) -> None:
    day.shift("E")["breaks"] = [rest("09:10", "09:10"), rest("09:00", "09:30")]
    stops = day.stops("E")
    day.plan["routes"] = [route("E", *stops[:3], stops[3], pause("10:50", "11:20"), back("11:40"))]


@breaks("break", "BREAK_TOO_EARLY", rested)
def break_during_work(day: Day) -> None:
    move(day.stops("E")[2], start="09:09", end="09:39")


# qualification, engineers, parts


@breaks("qualification", "SKILL_MISSING")
def skill_nobody_has(day: Day) -> None:
    day.order("A")["required_skills"] = [skill("a")]


@breaks("qualification", "SKILL_LEVEL")
def level_too_low(day: Day) -> None:
    day.order("A")["required_skills"] = [skill("a", 3)]
    day.engineer("E")["skills"] = [skill("a", 2)]


@breaks("qualification", "SKILL_LEVEL")
def level_lost_on_the_way(day: Day) -> None:
    day.order("A")["required_skills"] = [skill("a", 3)]
    day.engineer("E")["skills"] = [skill("b", 3)]
    relation = {"type": "implies", "from": "b", "to": "a", "level_loss": 1}
    day.problem["skill_graph"] = {"skills": [{"id": "a"}, {"id": "b"}], "relations": [relation]}


@breaks("qualification", "SKILL_EXPIRED")
def certificate_run_out(day: Day) -> None:
    day.order("A")["required_skills"] = [skill("a")]
    day.engineer("E")["skills"] = [skill("a", 1, until="08:09:59")]


@breaks("qualification", "SKILL_MISSING", guided)
def remote_lead_without_the_skill(day: Day) -> None:
    day.order("T")["team"]["roles"][1]["required_skills"] = [skill("a")]


@breaks("allowed_engineers", "ENGINEER_NOT_ALLOWED", two)
def engineer_not_among_the_allowed(day: Day) -> None:
    day.order("A")["allowed_engineers"] = ["F"]


@breaks("allowed_engineers", "ENGINEER_NOT_ALLOWED")
def engineer_excluded(day: Day) -> None:
    day.order("A")["excluded_engineers"] = ["E"]


@breaks("allowed_engineers", "ENGINEER_NOT_ALLOWED", pair)
def standby_excluded(day: Day) -> None:
    day.order("T")["excluded_engineers"] = ["S"]


@breaks("allowed_engineers", "ENGINEER_NOT_ALLOWED", guided)
def remote_lead_not_allowed(day: Day) -> None:
    day.order("T")["allowed_engineers"] = ["E"]


@breaks("allowed_engineers", "ENGINEER_NOT_ALLOWED", underway)
def running_work_of_an_excluded_engineer(day: Day) -> None:
    day.order("A")["excluded_engineers"] = ["E"]


@breaks("max_work_orders", "TOO_MANY_ORDERS", two)
def more_orders_than_the_shift_may_have(day: Day) -> None:
    day.shift("E")["max_work_orders"] = 1


@breaks("parts", "PARTS_MISSING")
def parts_nobody_carries(day: Day) -> None:
    day.order("A")["parts"] = {"p": 1}


@breaks("parts", "PARTS_MISSING", two)
def parts_used_up_by_the_order_before(day: Day) -> None:
    day.engineer("E")["parts"] = {"p": 3}
    day.order("A")["parts"] = {"p": 2}
    day.order("B")["parts"] = {"p": 2}


@breaks("parts", "PARTS_MISSING", guided)
def parts_of_somebody_far_away(day: Day) -> None:
    day.engineer("R")["parts"] = {"p": 1}
    day.order("T")["parts"] = {"p": 1}
