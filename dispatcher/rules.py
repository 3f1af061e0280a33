"""The rule catalogue: every rule of the planning document, each with its measure in one place.

To add a rule: write its measure (`soft_rules`, `hard_rules` or `team_rules`), list it here, give a soft rule a weight
in `objective`, add its clause to the checker (`verify`), its row to `docs/rules.md` and a one-rule test. The
conformance suite fails until all of that is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher import hard_rules, soft_rules, team_rules


@dataclass(frozen=True, slots=True)
class HardRule:
    """Never broken by a returned plan. `breaches` yields a finding for each place where it is."""

    name: str
    meaning: str
    breaches: hard_rules.Breaches


@dataclass(frozen=True, slots=True)
class SoftRule:
    """Costs amount × weight; the weight key is the rule's name."""

    name: str
    unit: str
    meaning: str
    measure: soft_rules.Measure


HARD_RULES: tuple[HardRule, ...] = (
    HardRule("structure", "a route is a start, stops and breaks, an end; ids are known", hard_rules.structure),
    HardRule("assignment", "every order is served or unassigned, exactly once", hard_rules.assignment),
    HardRule("shift", "a route keeps its shift's places and bounds", hard_rules.shift),
    HardRule("now", "nothing happens before now", hard_rules.now),
    HardRule("travel", "legs take what the travel times say and follow the stop before", hard_rules.travel),
    HardRule("service", "a stop takes its service time, with factors and setup", hard_rules.service),
    HardRule("time_window", "service starts inside one of the order's windows", hard_rules.time_window),
    HardRule("break", "each break still due is taken once, inside its window", hard_rules.rest),
    HardRule("qualification", "members hold the skills at the levels required", hard_rules.qualification),
    HardRule("parts", "parts come out of the stock of the on-site members' shifts", hard_rules.parts),
    HardRule("team", "roles are filled, nobody holds two, together they know enough", team_rules.team),
    HardRule("arrival_mode", "members start together, staggered or after the lead", team_rules.arrival_mode),
    HardRule("standby", "standby members know enough, are on shift and can get there", team_rules.standby),
    HardRule("depends_on", "an order keeps its gap to the order it depends on", team_rules.depends_on),
    HardRule("pin", "a pinned order keeps its engineer and start; running work stays", team_rules.pin),
    HardRule("allowed_engineers", "allowed and excluded engineers are kept", hard_rules.allowed_engineers),
    HardRule("max_work_orders", "a shift has no more work stops than it may", hard_rules.max_work_orders),
)

SOFT_RULES: tuple[SoftRule, ...] = (
    SoftRule("unserved", "value", "value of each unassigned order", soft_rules.unserved),
    SoftRule(
        "late_arrival",
        "s",
        "the first on-site member arrives after arrive_by",
        soft_rules.lateness("late_arrival"),
    ),
    SoftRule("late_start", "s", "on-site members start after start_by, summed", soft_rules.lateness("late_start")),
    SoftRule(
        "late_restore",
        "s",
        "the last on-site member ends after restore_by",
        soft_rules.lateness("late_restore"),
    ),
    SoftRule("late_arrival_once", "orders", "orders that arrive late", soft_rules.lateness_once("late_arrival")),
    SoftRule("late_start_once", "orders", "orders that start late", soft_rules.lateness_once("late_start")),
    SoftRule(
        "late_restore_once",
        "orders",
        "orders that are restored late",
        soft_rules.lateness_once("late_restore"),
    ),
    SoftRule("travel", "s", "seconds travelled", soft_rules.travel),
    SoftRule("distance", "m", "metres travelled", soft_rules.distance),
    SoftRule("overtime", "s", "route end after the shift's end", soft_rules.overtime),
    SoftRule("substitution", "penalty", "penalties of substituted skills, over members", soft_rules.substitution),
    SoftRule("preference", "orders", "orders served outside their preferred engineers", soft_rules.preference),
    SoftRule("association", "pairs", "related orders with no engineer in common", soft_rules.association),
    SoftRule("change", "orders", "orders whose members differ from the current plan", soft_rules.change),
    SoftRule("change_shift", "s", "first start moved beyond 900 s from the current plan", soft_rules.change_shift),
    SoftRule("worst_lateness", "s", "the largest lateness of any kind", soft_rules.worst_lateness),
    SoftRule("fairness", "s", "mean absolute deviation of the engineers' busy time", soft_rules.fairness),
    SoftRule("engineers_used", "engineers", "engineers with a work stop", soft_rules.engineers_used),
    SoftRule("repeat_visit", "s", "expected service of visits that have to be repeated", soft_rules.repeat_visit),
)
