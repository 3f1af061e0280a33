"""Questions about the running plan and their answers, as the service takes and shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.run_schemas import Plan
from api.schemas_values import Document, Id, absent
from dispatcher.model import Level

MOST_MOVES = 100
MOST_ASKED = 200
WHAT_IF_EXAMPLE: dict[str, Any] = {"moves": [{"move": "assign", "work_order": "W2", "engineer": "E2"}]}
REPAIR_EXAMPLE: dict[str, Any] = {"mode": "repair", "work_orders": ["W9"], "change_budget": 3}


class Effect(BaseModel):
    """What another order would feel."""

    work_order: str
    level: Level
    later_seconds: int = Field(description="By how much it would start later; negative: earlier.")
    late_before_seconds: int
    late_after_seconds: int
    cost: float = Field(description="What its lateness would cost more.")


class LiveCandidate(BaseModel):
    """An engineer who could do the order, at the best place of the shift."""

    engineer: str
    shift: str
    position: int = Field(description="How many stops come before it.")
    cost: float = Field(description="What the plan would cost more, beside leaving the order undone.")
    travel_seconds: int
    overtime_seconds: int
    arrival: str
    start: str
    end: str
    late_seconds: int
    is_current: bool = Field(description="Whether the engineer has it now.")
    effects: list[Effect]


class NotACandidate(BaseModel):
    """Why an engineer could not."""

    engineer: str
    code: str
    params: dict[str, Any]
    message: str


class LiveAnswer(BaseModel):
    """Which running plan an answer is about."""

    plan_id: str
    plan_version: int
    now: str = Field(description="The instant that the answer is about; up to a minute ago.")


class LiveCandidates(LiveAnswer):
    """Everybody for one order, the cheapest first."""

    work_order: str
    unserved_cost: float = Field(description="What leaving the order undone costs.")
    candidates: list[LiveCandidate]
    candidates_left_out: int = Field(description="Candidates beyond `limit`.")
    others: list[NotACandidate]


class LiveSlot(BaseModel):
    """A window that could be offered."""

    start: str
    end: str
    cost: float | None = Field(description="What the plan would cost more; null where nobody can come.")
    engineer: str | None
    shift: str | None
    arrival: str | None
    candidates: int = Field(description="How many engineers could come.")


class LiveSlots(LiveAnswer):
    """Windows, the cheapest first."""

    work_order: str
    slots: list[LiveSlot]
    slots_left_out: int = Field(description="Windows beyond `limit`: none of them is cheaper.")


class Sentence(BaseModel):
    """One thing that is said: a stable code, its facts, and the words."""

    code: str
    params: dict[str, Any]
    message: str


class LiveFix(Sentence):
    """A change that would let somebody else do it."""

    engineer: str
    amount_seconds: int


class LiveExplanation(LiveAnswer):
    """Why an order is where it is."""

    work_order: str
    who: list[Sentence]
    when: list[Sentence]
    why_not: list[NotACandidate]
    it_would_take: list[LiveFix] = Field(description="The smallest changes by which somebody else could do it.")
    next_best: list[LiveCandidate]


class OrderChance(BaseModel):
    """What to expect of one order where work and driving take longer or shorter than planned."""

    work_order: str
    on_time: float | None = Field(description="Probability that all its promises are kept; null without a promise.")
    arrival_early: str = Field(description="One day of ten the first engineer is there by then,")
    arrival_median: str = Field(description="five of ten by then,")
    arrival_late: str = Field(description="and nine of ten by then.")
    end_late: str = Field(description="Nine days of ten the work is over by then.")
    buffer_seconds: int = Field(description="How much later that is than planned.")


class OnTime(LiveAnswer):
    """Every served order, the most doubtful first."""

    orders: list[OrderChance]


class LiveMove(Document):
    """One move of a what-if question."""

    move: Literal["assign", "remove", "swap"]
    work_order: Id
    engineer: Id | None = absent("Who should do it; for `assign`.")
    shift: Id | None = absent("In which shift; needed where the engineer has several.")
    position: Annotated[int, Field(ge=0, le=10_000)] | None = absent(
        "How many stops before it; the best place without."
    )
    other: Id | None = absent("The order to `swap` with.")


class WhatIf(Document):
    """Moves to try on the running plan; nothing is stored."""

    moves: list[LiveMove] = Field(min_length=1, max_length=MOST_MOVES)


class BrokenRule(BaseModel):
    """A rule that the plan would break."""

    rule: str
    code: str
    path: str
    message: str


class ChangedOrder(BaseModel):
    """An order that is served otherwise."""

    work_order: str
    level: Level
    kind: Literal["placed", "dropped", "reassigned", "retimed", "added", "removed"]
    engineers_before: list[str]
    engineers_after: list[str]
    start_before: str | None
    start_after: str | None
    moved_seconds: int | None
    late_before_seconds: int
    late_after_seconds: int
    why: list[Sentence]


class ChangedEngineer(BaseModel):
    """An engineer whose day is different."""

    engineer: str
    gained: list[str]
    lost: list[str]
    travel_seconds: int
    overtime_seconds: int
    end_before: str | None
    end_after: str | None


class ChangedTerm(BaseModel):
    """A rule that costs more or less."""

    rule: str
    amount_before: float
    amount_after: float
    cost: float


class PlanDifference(BaseModel):
    """Who changed, by how much, and why."""

    total_before: int | None
    total_after: int | None
    reassigned: int = Field(description="Orders served in both plans, by others.")
    orders: list[ChangedOrder]
    engineers: list[ChangedEngineer]
    terms: list[ChangedTerm]


class WhatIfAnswer(LiveAnswer):
    """What the moves would do."""

    feasible: bool
    broken_rules: list[BrokenRule]
    difference: PlanDifference


class RepairQuestion(Document):
    """How to repair the running plan."""

    mode: Literal["instant", "repair", "background"] = Field(
        default="repair",
        description="`instant` only places orders, `repair` also searches around them, `background` improves the rest.",
    )
    work_orders: list[Id] = Field(
        default_factory=list,
        max_length=MOST_ASKED,
        description="Orders to place or to find a better place for; what is undone is tried in any case, and in a "
        "search what is in danger.",
    )
    seconds: Annotated[float, Field(ge=0, le=60)] | None = absent(
        "How long it may search, at most the service's `MUSTER_MAX_REQUEST_SOLVE_SECONDS`; 0.5, in the background 5, or"
        " that limit where it is less. `instant` does not search."
    )
    freeze_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = absent(
        "What starts within this time stays, but for L1 and L2 orders that will be late; `MUSTER_FREEZE_SECONDS`."
    )
    breaks_in: list[Level] | None = absent("Levels that may come before what is frozen; L1.")
    diverts: bool | None = absent(
        "Whether those may also come before work that somebody is on the way to; `MUSTER_DIVERTS`."
    )
    change_budget: Annotated[int, Field(ge=0, le=100_000)] | None = absent(
        "At most so many orders get others, unless an L1 or L2 order would suffer; `MUSTER_CHANGE_BUDGET`."
    )


class RepairAnswer(LiveAnswer):
    """A plan to accept, or none where nothing better was found."""

    proposal: Plan | None = Field(description="Stored and not in force; null where the running plan stays the best.")
    reassigned: int = Field(description="Planned orders that get others, or nobody any more.")
    over_budget: bool = Field(description="Whether the change budget was exceeded for an L1 or L2 order.")
    difference: PlanDifference
