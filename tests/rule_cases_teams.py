"""Ways to break one hard rule of teams and relations each, on days that are right without them."""

from tests.days import (
    Day,
    back,
    guided,
    move,
    pair,
    route,
    start,
    team,
    two,
    underway,
    work,
)
from tests.rule_cases import breaks
from tests.small_days import at, order, role, shift, skill

# teams


@breaks("team", "TEAM_MISSING", guided)
def team_not_listed(day: Day) -> None:
    day.plan["teams"] = []


@breaks("team", "TEAM_TWICE", pair)
def team_listed_twice(day: Day) -> None:
    day.plan["teams"].append(day.plan["teams"][0])


@breaks("team", "TEAM_UNEXPECTED")
def team_of_an_order_for_one(day: Day) -> None:
    day.plan["teams"] = [team("A", "08:10", {})]


@breaks("team", "TEAM_UNEXPECTED", two)
def team_of_an_order_left_undone(day: Day) -> None:
    day.problem["work_orders"].append(order("T", team={"roles": [role("lead")]}))
    day.plan["unassigned"] = [{"work_order": "T"}]
    day.plan["teams"] = [team("T", "08:10", {"F": "lead"})]


@breaks("team", "MEMBERS_DIFFER", pair)
def member_not_listed(day: Day) -> None:
    day.plan["teams"][0]["members"].pop()


@breaks("team", "MEMBERS_DIFFER", pair)
def members_listed_in_the_wrong_roles(day: Day) -> None:
    day.plan["teams"][0]["members"] = team("T", "08:30", {"E": "support", "F": "lead"})["members"]


@breaks("team", "TEAM_START", pair)
def team_listed_with_a_wrong_start(day: Day) -> None:
    day.plan["teams"][0]["start"] = at("08:29")


@breaks("team", "ROLE_COUNT", pair)
def role_held_by_too_few(day: Day) -> None:
    day.order("T")["team"]["roles"][1]["min"] = 2


@breaks("team", "ROLE_COUNT", pair)
def role_held_by_too_many(day: Day) -> None:
    day.order("T")["team"]["roles"][0] |= {"min": 0, "max": 1}
    day.stops("E")[1]["role"] = "support"
    day.plan["teams"][0]["members"][0]["role"] = "support"


@breaks("team", "ROLE_COUNT", pair)
def nobody_stands_by(day: Day) -> None:
    day.plan["teams"][0]["standby"] = []


@breaks("team", "UNKNOWN_ROLE")
def role_in_an_order_without_team(day: Day) -> None:
    day.stops("E")[1]["role"] = "lead"


@breaks("team", "UNKNOWN_ROLE", pair)
def role_the_team_does_not_have(day: Day) -> None:
    day.order("T")["team"]["roles"][1] |= {"min": 0, "max": 1}
    day.stops("F")[1]["role"] = "cook"
    day.plan["teams"][0]["members"][1]["role"] = "cook"


@breaks("team", "UNKNOWN_ROLE", pair)
def standby_on_a_route(day: Day) -> None:
    day.order("T")["team"]["roles"][1] |= {"min": 0, "max": 1}
    day.stops("F")[1]["role"] = "backup"
    day.plan["teams"][0]["members"][1]["role"] = "backup"


@breaks("team", "TWO_ROLES", guided)
def lead_and_hand_in_one_person(day: Day) -> None:
    day.order("T")["team"].update(roles=[role("hand"), role("lead")], arrival={"mode": "staggered"})
    lead, hand = work("T", "p30", "08:30", "09:30", role="lead"), work("T", "p30", "09:30", "10:30", role="hand")
    day.plan["routes"] = [route("E", start(), lead, hand, back("11:00"))]
    day.plan["teams"][0]["members"] = [{"engineer": "E", "role": "hand"}, {"engineer": "E", "role": "lead"}]


@breaks("team", "COLLECTIVE_SKILL", pair)
def skill_none_of_the_members_holds(day: Day) -> None:
    day.engineer("S")["skills"] = [skill("a", 5)]
    day.engineer("E")["skills"] = [skill("a", 1)]
    day.order("T")["team"]["collective_skills"] = [skill("a", 2)]


@breaks("team", "NOBODY_ON_SITE", guided)
def nobody_at_the_site(day: Day) -> None:
    del day.plan["routes"][0]
    day.plan["teams"] = []


# arrival


@breaks("arrival_mode", "ARRIVAL", pair)
def members_who_do_not_start_together(day: Day) -> None:
    move(day.stops("F")[1], start="08:30:01", end="09:30:01")
    move(day.stops("F")[2], arrival="10:00:01")


@breaks("arrival_mode", "ARRIVAL", pair)
def members_too_far_apart(day: Day) -> None:
    day.order("T")["team"]["arrival"] = {"mode": "staggered", "max_gap_seconds": 600}
    move(day.stops("F")[1], start="08:40:01", end="09:40:01")
    move(day.stops("F")[2], arrival="10:10:01")


@breaks("arrival_mode", "ARRIVAL", pair)
def support_too_soon_after_the_lead(day: Day) -> None:
    day.order("T")["team"]["arrival"] = {"mode": "lead_first", "min_gap_seconds": 600}
    move(day.stops("F")[1], start="08:39:59", end="09:39:59")
    move(day.stops("F")[2], arrival="10:09:59")


@breaks("arrival_mode", "ARRIVAL", pair)
def support_too_late_after_the_lead(day: Day) -> None:
    day.order("T")["team"]["arrival"] = {"mode": "lead_first", "max_gap_seconds": 600}
    move(day.stops("F")[1], start="08:40:01", end="09:40:01")
    move(day.stops("F")[2], arrival="10:10:01")


@breaks("arrival_mode", "ARRIVAL", guided)
def remote_member_who_does_not_start_with_the_first(day: Day) -> None:
    move(day.stops("R")[1], start="08:29", end="09:29")


@breaks("arrival_mode", "ARRIVAL", guided)
def remote_lead_who_comes_second(day: Day) -> None:
    day.order("T")["team"]["arrival"] = {"mode": "lead_first"}
    move(day.stops("R")[1], start="08:30:01", end="09:30:01")
    move(day.stops("R")[2], arrival="09:30:01")


# standby


@breaks("standby", "STANDBY_SKILL", pair)
def standby_without_the_skill(day: Day) -> None:
    day.order("T")["team"]["roles"][2]["required_skills"] = [skill("a", 2)]
    day.engineer("S")["skills"] = [skill("a", 2, until="08:29")]


@breaks("standby", "STANDBY_SHIFT", pair)
def standby_off_duty_too_soon(day: Day) -> None:
    day.engineer("S")["shifts"] = [shift("08:00", "09:29")]


@breaks("standby", "STANDBY_TOO_FAR", pair)
def standby_who_would_come_too_late(day: Day) -> None:
    day.shift("S").update(start_location="p120")


@breaks("standby", "STANDBY_TOO_FAR", pair)
def standby_busy_until_too_late(day: Day) -> None:
    day.problem["work_orders"].append(order("A", "p0", 61))
    day.plan["routes"].append(route("S", start(), work("A", "p0", "08:00", "09:01"), back("09:01")))


@breaks("standby", "TWO_ROLES", pair)
def standby_who_is_a_member(day: Day) -> None:
    day.plan["teams"][0]["standby"][0]["engineer"] = "F"


@breaks("standby", "UNKNOWN_ROLE", pair)
def standby_in_the_role_of_a_member(day: Day) -> None:
    day.order("T")["team"]["roles"][2]["min"] = 0
    day.plan["teams"][0]["standby"][0]["role"] = "support"


# relations


@breaks("depends_on", "GAP", two)
def too_soon_after_the_other(day: Day) -> None:
    day.order("B")["depends_on"] = [{"work_order": "A", "min_gap_seconds": 601}]


@breaks("depends_on", "GAP", two)
def too_long_after_the_other(day: Day) -> None:
    day.order("B")["depends_on"] = [{"work_order": "A", "max_gap_seconds": 599}]


@breaks("depends_on", "GAP")
def too_soon_after_work_done_before(day: Day) -> None:
    day.order("A")["depends_on"] = [{"completed_at": at("08:00"), "min_gap_seconds": 601}]


@breaks("depends_on", "PREDECESSOR_UNASSIGNED", two)
def waiting_for_work_left_undone(day: Day) -> None:
    day.problem["work_orders"].append(order("C"))
    day.order("B")["depends_on"] = [{"work_order": "C"}]
    day.plan["unassigned"] = [{"work_order": "C"}]


@breaks("pin", "PINNED_ENGINEER", two)
def pinned_to_somebody_else(day: Day) -> None:
    day.order("A")["pin"] = {"engineer": "F"}


@breaks("pin", "PINNED_START")
def pinned_to_another_start(day: Day) -> None:
    day.order("A")["pin"] = {"engineer": "E", "start": at("08:10:01")}


@breaks("pin", "RUNNING_ELSEWHERE", underway)
def running_route_with_another_begin(day: Day) -> None:
    move(day.stops("E")[0], end="07:29")


@breaks("pin", "RUNNING_ELSEWHERE", underway)
def running_route_that_sets_out_from_the_depot(day: Day) -> None:
    day.plan["routes"] = [route("E", start("07:20"), *day.stops("E")[1:])]
