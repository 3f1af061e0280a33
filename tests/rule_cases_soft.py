"""Right days on which one soft rule is worked out by hand; an amount of 0 shows where the rule begins to count."""

import copy
from typing import Any

from tests.days import Day, back, guided, move, one, open_ended, pair, plan, route, start, two, underway, work
from tests.rule_cases import costs
from tests.small_days import Document, at, day, engineer, order, skill


def weigh(day: Day, **weights: object) -> Day:
    day.problem["objective"] = {"weights": weights}
    return day


def undone(**fields: Any) -> Day:
    """E serves A and leaves B undone."""
    done = one()
    done.problem["work_orders"].append(order("B", **fields))
    done.plan["unassigned"] = [{"work_order": "B"}]
    return done


def apart() -> Day:
    """E serves A, and F serves B."""
    both = two()
    first = route("E", start(), work("A", "p10", "08:10", "09:10"), back("09:20"))
    second = route("F", start(), work("B", "p20", "08:20", "09:20"), back("09:40"))
    return Day(both.problem, plan(first, second))


# unserved


@costs("unserved", 7200, 7200)
def an_order_left_undone_costs_the_value_of_its_level() -> Day:
    return undone()


@costs("unserved", 360000, 360000)
def the_highest_level_left_undone() -> Day:
    return undone(level="L1")


@costs("unserved", "2.5", "5")
def a_value_of_its_own_and_a_weight() -> Day:
    return weigh(undone(level="L1", value=2.5), unserved=2)


@costs("unserved", 0, 0)
def a_value_of_zero_is_a_real_zero() -> Day:
    return undone(level="L1", value=0)


# lateness


def promised(level: str, **deadlines: str) -> Day:
    """A with deadlines; E arrives and starts at 08:10 and ends at 09:10."""
    done = one()
    done.order("A").update(level=level, deadlines={kind: at(clock) for kind, clock in deadlines.items()})
    return done


@costs("late_arrival", 60, 600)
def a_minute_late_on_site_at_l1() -> Day:
    return promised("L1", arrive_by="08:09")


@costs("late_arrival_once", 1, 36000)
def late_on_site_at_l1() -> Day:
    return promised("L1", arrive_by="08:09:59")


@costs("late_arrival", 0, 0)
def on_site_in_the_second_promised() -> Day:
    return promised("L1", arrive_by="08:10")


@costs("late_arrival_once", 0, 0)
def on_site_in_the_second_promised_counts_for_nothing() -> Day:
    return promised("L1", arrive_by="08:10")


@costs("late_arrival", 120, 12)
def the_first_member_of_a_team_counts_for_its_arrival() -> Day:
    done = pair()
    done.order("T")["deadlines"] = {"arrive_by": at("08:28")}
    done.order("T")["team"]["arrival"] = {"mode": "staggered"}
    move(done.stops("F")[1], arrival="08:40", start="08:40", end="09:40")
    move(done.stops("F")[2], arrival="10:10")
    return done


@costs("late_arrival", 60, 6)
def a_remote_member_is_never_the_first_on_site() -> Day:
    done = guided()
    done.order("T")["deadlines"] = {"arrive_by": at("08:29")}
    return done


@costs("late_start", 120, 360)
def every_member_on_site_starts_late_by_itself() -> Day:
    done = pair()
    done.order("T").update(level="L2", deadlines={"start_by": at("08:29")})
    return done


@costs("late_start_once", 1, 10800)
def a_team_that_starts_late_is_one_order_late() -> Day:
    done = pair()
    done.order("T").update(level="L2", deadlines={"start_by": at("08:29")})
    return done


@costs("late_restore", 30, 15)
def half_a_minute_late_restored_at_l3() -> Day:
    return promised("L3", restore_by="09:09:30")


@costs("late_restore", 660, 66)
def the_last_member_of_a_team_counts_for_its_end() -> Day:
    done = pair()
    done.order("T")["deadlines"] = {"restore_by": at("09:29")}
    done.order("T")["team"]["arrival"] = {"mode": "staggered"}
    move(done.stops("F")[1], start="08:40", end="09:40")
    move(done.stops("F")[2], arrival="10:10")
    return done


@costs("late_restore_once", 1, 720)
def late_restored_at_l4() -> Day:
    return promised("L4", restore_by="09:09:59")


@costs("late_start", 60, 6)
def an_order_left_undone_starts_at_the_end_of_the_horizon() -> Day:
    return undone(deadlines={"start_by": at("23:58")})


@costs("late_restore_once", 1, 720)
def an_order_left_undone_is_late_once() -> Day:
    return undone(deadlines={"restore_by": at("23:58")})


@costs("late_start", 660, "80.88")
def levels_have_weights_of_their_own_in_thousandths() -> Day:
    """600 s at L1 by 0.125, which becomes 0.125, and 60 s at L4 by 0.0975, which becomes 0.098."""
    done = two()
    done.order("A").update(level="L1", deadlines={"start_by": at("08:00")})
    done.order("B").update(level="L4", deadlines={"start_by": at("09:19")})
    return weigh(done, late_start={"L1": 0.125, "L4": 0.0975})


# travel and time


@costs("travel", 1200, 1200)
def there_and_back() -> Day:
    return one()


@costs("travel", 600, 600)
def an_open_route_has_no_way_home() -> Day:
    return open_ended()


@costs("travel", 1800, 900)
def work_under_way_was_not_travelled_to() -> Day:
    return weigh(underway(), travel=0.5)


@costs("distance", 20000, 200)
def meters_there_and_back() -> Day:
    return weigh(one(), distance=0.01)


@costs("distance", 60000, 600)
def meters_the_plan_does_not_state() -> Day:
    done = weigh(guided(), distance=0.01)
    for stop in done.stops("E") + done.stops("R"):
        stop.pop("travel_meters", None)
    return done


@costs("overtime", 300, 600)
def home_five_minutes_after_the_end_of_the_shift() -> Day:
    done = one()
    done.shift("E").update(end=at("09:15"), latest_end=at("10:00"))
    return done


@costs("overtime", 0, 0)
def home_in_the_second_the_shift_ends() -> Day:
    done = one()
    done.shift("E").update(end=at("09:20"), latest_end=at("10:00"))
    return done


@costs("overtime", 600, 1200)
def an_open_route_is_over_with_its_last_stop() -> Day:
    done = open_ended()
    done.shift("E").update(end=at("09:00"), latest_end=at("10:00"))
    return done


# who does it


def substituting(done: Day) -> Day:
    relation = {"type": "substitutes", "from": "b", "to": "a", "penalty": 12.5}
    done.problem["skill_graph"] = {"skills": [{"id": "a"}, {"id": "b"}], "relations": [relation]}
    for item in done.problem["engineers"]:
        item["skills"] = [skill("b")]
    for item in done.problem["work_orders"]:
        item["required_skills"] = [skill("a")]
    return done


@costs("substitution", "12.5", "12.5")
def one_skill_for_another() -> Day:
    return substituting(one())


@costs("substitution", 25, 25)
def every_member_of_a_team_substitutes_but_not_the_standby() -> Day:
    return substituting(pair())


@costs("substitution", 25, 25)
def a_remote_member_substitutes_too() -> Day:
    return substituting(guided())


@costs("substitution", "12.5", "12.5")
def a_skill_held_by_itself_needs_no_substitute() -> Day:
    done = substituting(two())
    done.engineer("E")["skills"] = [skill("b"), skill("a", until="08:10")]
    return done


@costs("preference", 1, 600)
def served_by_somebody_not_preferred() -> Day:
    done = two()
    done.order("A")["preferred_engineers"] = ["F"]
    done.order("B")["preferred_engineers"] = ["E", "F"]
    return done


@costs("preference", 1, 600)
def one_member_not_preferred_is_enough_and_two_count_once() -> Day:
    done = pair()
    done.order("T")["preferred_engineers"] = ["S"]
    return done


@costs("preference", 0, 0)
def whoever_helps_from_afar_need_not_be_preferred() -> Day:
    done = guided()
    done.order("T")["preferred_engineers"] = ["E"]
    return done


@costs("association", 1, 900)
def related_orders_of_two_engineers_are_one_pair() -> Day:
    done = apart()
    done.order("A")["related_to"] = ["B"]
    done.order("B")["related_to"] = ["A"]
    return done


@costs("association", 0, 0)
def related_orders_of_one_engineer() -> Day:
    done = two()
    done.order("B")["related_to"] = ["A"]
    return done


@costs("association", 0, 0)
def related_to_an_order_left_undone() -> Day:
    return undone(related_to=["A"])


@costs("engineers_used", 2, 100)
def two_engineers_at_work() -> Day:
    return weigh(apart(), engineers_used=50)


@costs("engineers_used", 1, 50)
def two_shifts_of_one_engineer() -> Day:
    done = two()
    shifts = done.engineer("E")["shifts"]
    shifts.append(shifts[0] | {"id": "night", "start": at("16:00"), "end": at("20:00")})
    first = route("E", start(), work("A", "p10", "08:10", "09:10"), back("09:20"))
    second = route("E", start("16:00"), work("B", "p20", "16:20", "17:20"), back("17:40")) | {"shift": "night"}
    return weigh(Day(done.problem, plan(first, second)), engineers_used=50)


@costs("fairness", 2400, 2400)
def one_works_and_one_does_not() -> Day:
    done = weigh(one(), fairness=1)
    done.problem["engineers"] += [engineer("F"), engineer("X", shifts=[])]
    return done


@costs("fairness", 1, 1)
def half_a_second_from_the_mean_is_rounded_up() -> Day:
    problem = day([engineer("E"), engineer("F")], [order("A"), order("B") | {"service_seconds": 3601}])
    first = route("E", start(), work("A", "p10", "08:10", "09:10"), back("09:20"))
    second = route("F", start(), work("B", "p10", "08:10", "09:10:01"), back("09:20:01"))
    return weigh(Day(problem, plan(first, second)), fairness=1)


@costs("worst_lateness", 3000, 6000)
def the_largest_lateness_of_any_kind() -> Day:
    done = two()
    done.order("A")["deadlines"] = {"arrive_by": at("08:00"), "restore_by": at("08:20")}
    done.order("B")["deadlines"] = {"start_by": at("08:50")}
    return weigh(done, worst_lateness=2)


@costs("worst_lateness", 60, 60)
def the_worst_late_start_is_one_member_s() -> Day:
    done = pair()
    done.order("T")["deadlines"] = {"start_by": at("08:29")}
    return weigh(done, worst_lateness=1)


@costs("worst_lateness", 0, 0)
def an_order_left_undone_is_never_the_worst() -> Day:
    return weigh(undone(deadlines={"start_by": at("08:00")}), worst_lateness=1)


# changes


def planned_before(done: Day, before: Document) -> Day:
    done.problem["current_plan"] = before
    return done


def one_at(clock: str, name: str = "E") -> Document:
    """A plan in which A starts at a given time."""
    return plan(route(name, start(), work("A", "p10", clock, "12:00"), back("13:00")))


@costs("change", 1, 1800)
def another_engineer_than_before() -> Day:
    return planned_before(two(), one_at("08:10", "F"))


@costs("change", 0, 0)
def another_standby_is_no_change() -> Day:
    done = pair()
    before = copy.deepcopy(done.plan)
    before["teams"][0]["standby"][0]["engineer"] = "F"
    return planned_before(done, before)


@costs("change", 1, 1800)
def another_remote_member_is_a_change() -> Day:
    done = guided()
    before = copy.deepcopy(done.plan)
    before["routes"][1]["engineer"] = "X"
    return planned_before(done, before)


@costs("change_shift", 2100, 420)
def fifty_minutes_earlier_than_before() -> Day:
    return planned_before(one(), one_at("09:00"))


@costs("change_shift", 1, "0.2")
def a_second_more_than_a_quarter_of_an_hour() -> Day:
    return planned_before(one(), one_at("07:54:59"))


@costs("change_shift", 0, 0)
def a_quarter_of_an_hour_is_no_move() -> Day:
    return planned_before(one(), one_at("08:25"))


@costs("change_shift", 0, 0)
def before_it_was_helped_from_afar_only() -> Day:
    """Nobody was on site in the plan before: the order changed hands, but there is no start to have moved."""
    before = plan(route("R", start(), work("T", "p0", "12:00", "13:00", role="lead"), back("13:00")))
    return planned_before(guided(), before)


# repeat visits


def likely(done: Day, **chances: float) -> Day:
    """Everybody on the day holds the skill `a`, all work asks for it; engineers fix it with these probabilities."""
    for person in done.problem["engineers"]:
        person["skills"] = [skill("a")]
        person["fix_probability"] = {"a": chances.get(person["id"])}
    for item in done.problem["work_orders"]:
        item["required_skills"] = [skill("a")]
    return weigh(done, repeat_visit=0.25)


@costs("repeat_visit", 720, 180)
def one_visit_in_five_has_to_be_repeated() -> Day:
    """A takes an hour."""
    return likely(one(), E=0.8)


@costs("repeat_visit", 0, 0)
def without_a_probability_every_visit_fixes_it() -> Day:
    return likely(one())


@costs("repeat_visit", 0, 0)
def where_no_skill_is_required_nobody_fails() -> Day:
    done = likely(one(), E=0)
    done.order("A")["required_skills"] = []
    return done


@costs("repeat_visit", 2700, 675)
def of_several_required_skills_the_one_least_likely_counts() -> Day:
    done = likely(one(), E=0.8)
    done.order("A")["required_skills"].append(skill("b"))
    done.engineer("E")["skills"].append(skill("b"))
    done.engineer("E")["fix_probability"]["b"] = 0.25
    return done


@costs("repeat_visit", 1202, "300.5")
def seconds_are_whole_half_up_and_without_factors_and_setup() -> Day:
    """3600 × 0.33375 = 1201.5; the same order takes twice as long by a factor, and has half an hour of setup."""
    done = likely(one(), E=0.66625)
    done.engineer("E")["duration_factors"] = {"a": 2}
    done.order("A")["setup_seconds"] = 1800
    move(done.stops("E")[1], end="10:40")
    move(done.stops("E")[2], arrival="10:50")
    return done


@costs("repeat_visit", 360, 90)
def the_lead_answers_for_the_team() -> Day:
    return likely(pair(), E=0.9, F=1, S=1)


@costs("repeat_visit", 360, 90)
def a_lead_from_afar_answers_too() -> Day:
    return likely(guided(), E=0.2, R=0.9)


@costs("repeat_visit", 360, 90)
def without_a_lead_the_member_most_likely_to_fix_it_counts() -> Day:
    """Whoever stands by does not count."""
    done = likely(pair(), E=0.2, F=0.9, S=1)
    done.order("T")["team"]["roles"][0]["role"] = "chief"
    done.stops("E")[1]["role"] = "chief"
    done.plan["teams"][0]["members"][0]["role"] = "chief"
    return done


@costs("repeat_visit", 360, 90)
def skills_of_the_role_count_beside_those_of_the_order() -> Day:
    done = likely(pair(), E=0.95)
    done.order("T")["team"]["roles"][0]["required_skills"] = [skill("b")]
    done.engineer("E")["skills"].append(skill("b"))
    done.engineer("E")["fix_probability"]["b"] = 0.9
    return done
