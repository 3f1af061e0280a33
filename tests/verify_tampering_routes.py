"""Ways to tamper with the routes of the day, each under the rule and code the checker must find it by."""

from tests.verify_day import at, back, move, rest, start, work
from tests.verify_tampering import Day, breaks

# structure


@breaks("structure", "START_STOP_MISPLACED")
def second_start_stop(day: Day) -> None:
    day.stops("E1").insert(2, start("09:15", "a"))


@breaks("structure", "END_STOP_MISPLACED")
def work_after_the_end_stop(day: Day) -> None:
    route_of_e1 = day.stops("E1")
    route_of_e1[-1], route_of_e1[-2] = route_of_e1[-2], route_of_e1[-1]


@breaks("structure", "NO_START_STOP")
def no_start_stop(day: Day) -> None:
    del day.stops("E1")[0]


@breaks("structure", "NO_END_STOP")
def no_end_stop(day: Day) -> None:
    del day.stops("E1")[-1]


@breaks("structure", "END_STOP_ON_OPEN_ROUTE")
def open_route_with_an_end_stop(day: Day) -> None:
    day.stops("E4").append(back(600, "10:30"))


@breaks("structure", "EMPTY_ROUTE")
def route_without_work(day: Day) -> None:
    day.plan["routes"].append({"engineer": "E3", "shift": "mon", "stops": [start("08:00"), back(0, "08:00")]})


@breaks("structure", "SHIFT_TWICE")
def two_routes_of_one_shift(day: Day) -> None:
    stops_of_e4 = day.stops("E4")
    day.plan["routes"].append({"engineer": "E4", "shift": "mon", "stops": [start("08:30"), stops_of_e4.pop()]})


@breaks("structure", "UNKNOWN_ENGINEER")
def unknown_engineer(day: Day) -> None:
    day.route("E4")["engineer"] = "E99"


@breaks("structure", "UNKNOWN_SHIFT")
def unknown_shift(day: Day) -> None:
    day.route("E4")["shift"] = "tue"


@breaks("structure", "UNKNOWN_WORK_ORDER")
def unknown_order(day: Day) -> None:
    day.stops("E4")[2]["work_order"] = "W99"


@breaks("structure", "UNKNOWN_LOCATION")
def unknown_location(day: Day) -> None:
    day.stops("E4")[2]["location"] = "moon"


@breaks("structure", "UNKNOWN_ENGINEER")
def reason_names_an_unknown_engineer(day: Day) -> None:
    day.plan["unassigned"][0]["reasons"][0]["engineer"] = "E99"


@breaks("structure", "WRONG_VALUE")
def instant_without_an_offset(day: Day) -> None:
    day.stops("E4")[2]["arrival"] = "2026-11-23T08:40:00"


@breaks("structure", "WRONG_VALUE")
def creation_at_no_instant(day: Day) -> None:
    day.plan["created_at"] = "yesterday"


@breaks("structure", "MISSING")
def arrival_left_out(day: Day) -> None:
    del day.stops("E4")[2]["arrival"]


@breaks("structure", "UNKNOWN_FIELD")
def misspelled_field(day: Day) -> None:
    day.stops("E4")[2]["late_arival_seconds"] = 0


@breaks("structure", "WRONG_VALUE")
def receipt_with_words_for_numbers(day: Day) -> None:
    day.plan["receipt"] = {"iterations": "many"}


# assignment


@breaks("assignment", "SERVED_TWICE")
def order_twice(day: Day) -> None:
    day.stops("E4").append(work("W3", "a", 0, "10:20", "10:20", "10:50"))


@breaks("assignment", "SERVED_AND_UNASSIGNED")
def order_served_and_unassigned(day: Day) -> None:
    day.plan["unassigned"].append({"work_order": "W3"})


@breaks("assignment", "ORDER_MISSING")
def order_missing(day: Day) -> None:
    del day.plan["unassigned"][1]


@breaks("assignment", "UNASSIGNED_TWICE")
def order_unassigned_twice(day: Day) -> None:
    day.plan["unassigned"].append({"work_order": "W6"})


# shift, now


@breaks("shift", "START_LOCATION")
def start_elsewhere(day: Day) -> None:
    day.stops("E1")[0]["location"] = "b"


@breaks("shift", "END_LOCATION")
def end_elsewhere(day: Day) -> None:
    day.stops("E1")[-1] = back(300, "11:35", "a")


@breaks("shift", "BEFORE_SHIFT_START")
def start_before_the_shift(day: Day) -> None:
    move(day.stops("E1")[0], end="07:50")


@breaks("shift", "AFTER_LATEST_END")
def back_after_latest_end(day: Day) -> None:
    move(day.stops("E2")[-1], arrival="17:01")


@breaks("shift", "AFTER_LATEST_END")
def open_route_that_ends_too_late(day: Day) -> None:
    move(day.stops("E4")[2], start="16:26", end="17:01")


@breaks("now", "BEFORE_NOW")
def leaving_before_now(day: Day) -> None:
    day.problem["now"] = at("08:01")


@breaks("now", "BEFORE_NOW")
def break_before_now(day: Day) -> None:
    day.problem["now"] = at("11:10")


# travel


@breaks("travel", "TRAVEL_SECONDS")
def travel_too_short(day: Day) -> None:
    day.stops("E2")[-1]["travel_seconds"] = 840


@breaks("travel", "TRAVEL_METERS")
def meters_wrong(day: Day) -> None:
    day.stops("E2")[-1]["travel_meters"] = 9001


@breaks("travel", "LEAVES_TOO_EARLY")
def leaving_during_the_stop_before(day: Day) -> None:
    move(day.stops("E2")[-1], arrival="14:24")


@breaks("travel", "STARTS_BEFORE_ARRIVAL")
def stop_earlier_than_arrival(day: Day) -> None:
    move(day.stops("E1")[1], start="08:05", end="09:10")


@breaks("travel", "TRAVEL_SECONDS")
def travel_of_another_departure_under_traffic(day: Day) -> None:
    day.problem["travel"]["traffic"] = [{"from": "14:10", "to": "15:00", "factor": 2}]


@breaks("travel", "WRONG_LOCATION")
def work_elsewhere(day: Day) -> None:
    day.stops("E4")[2]["location"] = "b"


@breaks("travel", "REMOTE_LOCATION")
def remote_work_elsewhere(day: Day) -> None:
    day.stops("E4")[1]["location"] = "a"


@breaks("travel", "REMOTE_TRAVEL")
def remote_work_with_travel(day: Day) -> None:
    day.stops("E4")[1]["travel_seconds"] = 60


@breaks("travel", "REMOTE_ARRIVAL")
def remote_work_that_arrives_later(day: Day) -> None:
    move(day.stops("E4")[1], arrival="08:05")


# service


@breaks("service", "SERVICE_DURATION")
def service_too_short(day: Day) -> None:
    move(day.stops("E4")[2], end="10:19")


@breaks("service", "SERVICE_DURATION")
def setup_not_paid(day: Day) -> None:
    move(day.stops("E1")[1], end="09:10")


@breaks("service", "SERVICE_DURATION")
def setup_paid_twice_at_one_place(day: Day) -> None:
    move(day.stops("E2")[3], end="14:12")


@breaks("service", "SERVICE_DURATION")
def duration_of_another_team_size(day: Day) -> None:
    day.order("W2")["team"]["service_seconds_by_size"]["2"] = 1801


@breaks("service", "SERVICE_DURATION")
def factor_of_the_engineer_forgotten(day: Day) -> None:
    day.engineer("E1")["duration_factors"] = {"electrics": 0.9}


# time windows and breaks


@breaks("time_window", "OUTSIDE_WINDOWS")
def start_outside_the_windows(day: Day) -> None:
    day.order("W1")["time_windows"][0]["end"] = at("08:09")


@breaks("time_window", "DIFFERENT_WINDOWS")
def members_in_different_windows(day: Day) -> None:
    day.order("W2")["team"]["arrival"] = {"mode": "staggered"}
    move(day.stops("E2")[2], start="09:41", end="10:11")


@breaks("break", "BREAK_MISSING")
def break_missing(day: Day) -> None:
    del day.stops("E1")[3]
    move(day.stops("E1")[-1], arrival="10:25")


@breaks("break", "BREAK_NOT_DUE")
def break_taken_twice(day: Day) -> None:
    day.stops("E1").insert(4, rest("11:30", "12:00"))
    move(day.stops("E1")[-1], arrival="12:15")


@breaks("break", "BREAK_MISSING")
def break_cut_short(day: Day) -> None:
    move(day.stops("E1")[3], end="11:29")


@breaks("break", "BREAK_MISSING")
def break_outside_its_window(day: Day) -> None:
    move(day.stops("E1")[3], start="10:59", end="11:29")


@breaks("break", "BREAK_TOO_EARLY")
def break_during_work(day: Day) -> None:
    day.engineer("E1")["shifts"][0]["breaks"][0]["earliest_start"] = at("10:00")
    move(day.stops("E1")[3], start="10:09", end="10:39")


@breaks("break", "BREAK_NOT_DUE")
def break_that_is_over(day: Day) -> None:
    day.problem["now"] = at("12:31")


# qualification, engineers, parts


@breaks("qualification", "SKILL_MISSING")
def certificate_run_out(day: Day) -> None:
    day.engineer("E1")["skills"][1]["valid_until"] = at("08:09:59")


@breaks("qualification", "SKILL_MISSING")
def level_lost_by_substitution(day: Day) -> None:
    day.engineer("E2")["skills"][0]["level"] = 2


@breaks("qualification", "SKILL_MISSING")
def remote_member_unqualified(day: Day) -> None:
    day.engineer("E4")["skills"][0]["level"] = 4


@breaks("allowed_engineers", "EXCLUDED")
def excluded_engineer(day: Day) -> None:
    day.order("W3")["excluded_engineers"] = ["E4"]


@breaks("allowed_engineers", "NOT_ALLOWED")
def engineer_not_allowed(day: Day) -> None:
    day.order("W3")["allowed_engineers"] = ["E1"]


@breaks("allowed_engineers", "EXCLUDED")
def excluded_standby(day: Day) -> None:
    day.order("W2")["excluded_engineers"] = ["E3"]


@breaks("max_work_orders", "TOO_MANY_WORK_ORDERS")
def too_many_work_orders(day: Day) -> None:
    day.engineer("E1")["shifts"][0]["max_work_orders"] = 1


@breaks("max_work_orders", "TOO_MANY_WORK_ORDERS")
def remote_work_counts_as_a_work_order(day: Day) -> None:
    day.engineer("E4")["shifts"][0]["max_work_orders"] = 1


@breaks("parts", "STOCK_EXCEEDED")
def pooled_stock_exceeded(day: Day) -> None:
    day.order("W2")["parts"]["P"] = 3


@breaks("parts", "STOCK_EXCEEDED")
def remote_members_bring_no_parts(day: Day) -> None:
    day.engineer("E4")["parts"] = {"Q": 5}
    day.order("W5")["parts"] = {"Q": 1}
