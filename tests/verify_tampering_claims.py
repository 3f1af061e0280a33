"""Ways to tamper with the day's teams, relations, claims and score, each with what the checker must say."""

import copy

from tests.verify_day import at, back, move, shift, start, work
from tests.verify_tampering import Day, breaks

# teams


@breaks("arrival_mode", "GAP_TOO_LARGE")
def late_member(day: Day) -> None:
    move(day.stops("E2")[2], start="09:45", end="10:15")


@breaks("arrival_mode", "GAP_TOO_LARGE")
def staggered_too_far(day: Day) -> None:
    day.order("W2")["team"]["arrival"] = {"mode": "staggered", "max_gap_seconds": 299}
    move(day.stops("E1")[2], start="09:35", end="10:05")


@breaks("arrival_mode", "GAP_TOO_SMALL")
def support_before_the_lead(day: Day) -> None:
    day.order("W2")["team"]["arrival"] = {"mode": "lead_first"}
    move(day.stops("E2")[2], start="09:39", end="10:09")


@breaks("arrival_mode", "GAP_TOO_LARGE")
def support_too_long_after_the_lead(day: Day) -> None:
    day.order("W2")["team"]["arrival"] = {"mode": "lead_first", "max_gap_seconds": 299}
    move(day.stops("E1")[2], start="09:35", end="10:05")


@breaks("arrival_mode", "GAP_TOO_LARGE")
def remote_member_late(day: Day) -> None:
    move(day.stops("E4")[1], start="08:11", end="08:31")


@breaks("team", "ROLE_COUNT")
def role_not_filled(day: Day) -> None:
    day.order("W2")["team"]["roles"][1]["min"] = 2


@breaks("team", "ROLE_COUNT")
def standby_not_named(day: Day) -> None:
    day.plan["teams"][0]["standby"] = []


@breaks("team", "ROLE_UNKNOWN")
def role_the_team_does_not_have(day: Day) -> None:
    day.stops("E2")[2]["role"] = "driver"


@breaks("team", "ROLE_UNKNOWN")
def standby_on_a_route(day: Day) -> None:
    day.stops("E2")[2]["role"] = "backup"


@breaks("team", "ROLE_WITHOUT_TEAM")
def role_without_a_team(day: Day) -> None:
    day.stops("E4")[2]["role"] = "lead"


@breaks("team", "ENGINEER_TWICE")
def one_engineer_in_two_roles(day: Day) -> None:
    day.stops("E2").insert(2, work("W2", "b", 300, "08:35", "09:40", "10:10", role="lead"))


@breaks("team", "COLLECTIVE_SKILL")
def nobody_holds_the_collective_skill(day: Day) -> None:
    day.order("W2")["team"]["collective_skills"] = [{"skill": "pump", "level": 5}]


@breaks("team", "ENTRY_MISSING")
def team_entry_missing(day: Day) -> None:
    del day.plan["teams"][1]


@breaks("team", "ENTRY_EXTRA")
def team_entry_of_an_order_without_team(day: Day) -> None:
    day.plan["teams"].append({"work_order": "W1", "start": at("08:10"), "members": [], "standby": []})


@breaks("team", "ENTRY_TWICE")
def team_entry_twice(day: Day) -> None:
    day.plan["teams"].append(copy.deepcopy(day.plan["teams"][0]))


@breaks("team", "TEAM_START")
def team_start_wrong(day: Day) -> None:
    day.plan["teams"][0]["start"] = at("09:39")


@breaks("team", "MEMBER_WITHOUT_STOP")
def team_names_a_wrong_member(day: Day) -> None:
    day.plan["teams"][1]["members"][0]["engineer"] = "E3"


@breaks("team", "STOP_WITHOUT_MEMBER")
def team_forgets_a_member(day: Day) -> None:
    del day.plan["teams"][1]["members"][0]


@breaks("team", "MEMBER_WITHOUT_STOP")
def team_names_a_wrong_role(day: Day) -> None:
    day.plan["teams"][1]["members"][0]["role"] = "lead"


# standby


@breaks("standby", "SKILL_MISSING")
def unqualified_standby(day: Day) -> None:
    day.engineer("E3")["skills"][0]["level"] = 2


@breaks("standby", "HOLDS_TWO_ROLES")
def standby_who_is_a_member(day: Day) -> None:
    day.plan["teams"][0]["standby"][0]["engineer"] = "E1"


@breaks("standby", "ROLE_UNKNOWN")
def standby_in_an_on_site_role(day: Day) -> None:
    day.plan["teams"][0]["standby"][0]["role"] = "support"


@breaks("standby", "NO_SHIFT")
def standby_off_shift(day: Day) -> None:
    day.engineer("E3")["shifts"] = [shift(start=at("09:41"))]


@breaks("standby", "TOO_FAR")
def standby_who_cannot_get_there(day: Day) -> None:
    # Only the way from the depot to the site: nobody else drives it.
    day.problem["travel"]["seconds"][0][2] = 1801


@breaks("standby", "TOO_FAR")
def standby_busy_elsewhere_too_long(day: Day) -> None:
    day.problem["work_orders"].append({"id": "W9", "location": "a", "service_seconds": 5400})
    trip = [start("08:00"), work("W9", "a", 600, "08:35:01", "08:35:01", "10:05:01"), back(600, "10:15:01")]
    day.plan["routes"].append({"engineer": "E3", "shift": "mon", "stops": trip})


# dependencies and pins


@breaks("depends_on", "GAP_TOO_SMALL")
def too_soon_after_the_other(day: Day) -> None:
    day.order("W3")["depends_on"][0]["min_gap_seconds"] = 1801


@breaks("depends_on", "GAP_TOO_LARGE")
def too_long_after_the_other(day: Day) -> None:
    day.order("W3")["depends_on"][0]["max_gap_seconds"] = 1799


@breaks("depends_on", "GAP_TOO_SMALL")
def too_soon_after_work_done_before(day: Day) -> None:
    day.order("W3")["depends_on"] = [{"completed_at": at("09:00"), "min_gap_seconds": 2701}]


@breaks("depends_on", "OTHER_NOT_SERVED")
def predecessor_unassigned(day: Day) -> None:
    day.order("W3")["depends_on"].append({"work_order": "W6"})


@breaks("pin", "PINNED_ENGINEER")
def pinned_to_somebody_else(day: Day) -> None:
    day.order("W8")["pin"]["engineer"] = "E3"


@breaks("pin", "PINNED_START")
def pinned_start_moved(day: Day) -> None:
    move(day.stops("E2")[3], start="14:01", end="14:11")


@breaks("pin", "RUNNING_NOT_FIRST")
def running_work_that_is_not_first(day: Day) -> None:
    day.problem["now"] = at("14:05")


# claims


@breaks("claim", "LATE_START_SECONDS")
def lateness_understated(day: Day) -> None:
    day.stops("E1")[1]["late_start_seconds"] = 0


@breaks("claim", "LATE_ARRIVAL_SECONDS")
def lateness_of_arrival_misstated(day: Day) -> None:
    day.stops("E1")[1]["late_arrival_seconds"] = 1


@breaks("claim", "LATE_RESTORE_SECONDS")
def lateness_of_restoring_misstated(day: Day) -> None:
    day.stops("E1")[1]["late_restore_seconds"] = 1


@breaks("claim", "PINNED")
def pin_denied(day: Day) -> None:
    day.stops("E2")[3]["pinned"] = False


@breaks("claim", "PINNED")
def pin_invented(day: Day) -> None:
    day.stops("E1")[1]["pinned"] = True


@breaks("claim", "PROBLEM_ID")
def plan_of_another_problem(day: Day) -> None:
    day.plan["problem_id"] = "night"


@breaks("claim", "PROBLEM_SHA256")
def hash_of_another_problem(day: Day) -> None:
    day.plan["receipt"] = {"problem_sha256": "0" * 64}


# score


@breaks("score", "TERM_AMOUNT")
def amount_misstated(day: Day) -> None:
    day.plan["score"]["terms"][3]["amount"] = 4199


@breaks("score", "TERM_COST")
def cost_misstated(day: Day) -> None:
    day.plan["score"]["terms"][3]["cost"] = 4200.5


@breaks("score", "TOTAL")
def total_misstated(day: Day) -> None:
    day.plan["score"]["total"] -= 1


@breaks("score", "TERM_MISSING")
def term_left_out(day: Day) -> None:
    del day.plan["score"]["terms"][7]


@breaks("score", "TERM_MISSING")
def repeat_visits_kept_quiet(day: Day) -> None:
    for engineer in day.problem["engineers"]:
        engineer["fix_probability"] = {held["skill"]: 0.5 for held in engineer["skills"]}


@breaks("score", "TERM_AMOUNT")
def repeat_visits_made_light_of(day: Day) -> None:
    repeat_visits_kept_quiet(day)
    day.plan["score"]["terms"].append({"rule": "repeat_visit", "amount": 1, "unit": "s", "cost": 0})


@breaks("score", "TERM_TWICE")
def term_stated_twice(day: Day) -> None:
    day.plan["score"]["terms"].append(day.plan["score"]["terms"][0])


@breaks("score", "UNKNOWN_RULE")
def term_of_no_rule(day: Day) -> None:
    day.plan["score"]["terms"].append({"rule": "elegance", "amount": 1, "cost": 0})


@breaks("score", "TERM_UNIT")
def unit_misstated(day: Day) -> None:
    day.plan["score"]["terms"][3]["unit"] = "m"
