"""What a synthetic day is made of: the size of the fleet and the features of the document it uses."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_LEVEL_MIX: Mapping[str, float] = {"L1": 0.02, "L2": 0.13, "L3": 0.45, "L4": 0.40}


@dataclass(frozen=True)
class FleetSpec:
    """A synthetic day of field service. Switches are off by default, and none changes what others draw.

    Attributes:
        orders, engineers: how many.
        seed: the only source of chance; the same specification gives the same document everywhere.
        date, timezone: the planned day and its IANA zone.
        latitude, longitude: the centre of the city, degrees WGS 84.
        clusters: districts the work gathers in.
        tightness: work required (service, setup and twenty minutes' drive of all members) over capacity
            (shifts without breaks); None leaves the services as drawn. Services stay between 20 minutes and 4
            hours, which bounds what can be reached.
        level_mix: shares of L1 to L4, rounded to whole orders.
        team_share: share of orders that need 1+N teams. Every L1 order is one of them unless it is 0; an
            order that the fleet cannot staff stays a plain one.
        skill_graph: implied and substitute skills; without it skills are flat tags.
        certificates: some skills run out before, during or after the day.
        deadlines: promises by level; otherwise L1 and L2 orders have short time windows instead.
        several_windows, breaks, overtime, parts, setup, traffic: as in the planning document.
        matrix: travel as an asymmetric matrix with metres instead of geodesic.
        duration_factors, speed_factors: engineers differ in pace at work and on the road.
        engineer_lists: some orders have allowed, excluded or preferred engineers.
        associations, dependencies, pins: `related_to`, `depends_on` (also `completed_at`) and `pin`.
        running: `now` is in mid-morning and some engineers are at work.
        remote_members, standby, arrival_modes: what teams may ask for beyond an on-site `together`.
        open_routes, several_shifts, max_work_orders: some shifts end after the last stop, some engineers have
            two, some shifts have a limit.
        current_plan: a simple plan of the morning is part of the problem.
        profile, weights: the objective.
    """

    orders: int
    engineers: int
    seed: int = 1
    date: datetime.date = datetime.date(2026, 11, 23)
    timezone: str = "Asia/Shanghai"
    latitude: float = 31.22
    longitude: float = 121.47
    clusters: int = 6
    tightness: float | None = None
    level_mix: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_LEVEL_MIX))
    team_share: float = 0.0
    skill_graph: bool = False
    certificates: bool = False
    deadlines: bool = False
    several_windows: bool = False
    breaks: bool = False
    overtime: bool = False
    parts: bool = False
    setup: bool = False
    traffic: bool = False
    matrix: bool = False
    duration_factors: bool = False
    speed_factors: bool = False
    engineer_lists: bool = False
    associations: bool = False
    dependencies: bool = False
    pins: bool = False
    running: bool = False
    remote_members: bool = False
    standby: bool = False
    arrival_modes: bool = False
    open_routes: bool = False
    several_shifts: bool = False
    max_work_orders: bool = False
    current_plan: bool = False
    profile: str = "balanced"
    weights: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.orders < 0 or self.engineers < 0:
            raise ValueError(f"orders ({self.orders}) and engineers ({self.engineers}) cannot be negative")
        if self.clusters < 1:
            raise ValueError(f"a city has at least one cluster, not {self.clusters}")


DEMO = FleetSpec(
    orders=120,
    engineers=20,
    seed=1,
    tightness=0.95,
    team_share=0.04,
    skill_graph=True,
    deadlines=True,
    several_windows=True,
    breaks=True,
    overtime=True,
    parts=True,
    setup=True,
    traffic=True,
    duration_factors=True,
    standby=True,
    associations=True,
)
"""A day a dispatcher would recognise: scarce but workable, with a few 1+N teams."""

EVERYTHING = FleetSpec(
    orders=60,
    engineers=16,
    seed=11,
    tightness=0.7,
    team_share=0.12,
    skill_graph=True,
    certificates=True,
    deadlines=True,
    several_windows=True,
    breaks=True,
    overtime=True,
    parts=True,
    setup=True,
    traffic=True,
    matrix=True,
    duration_factors=True,
    speed_factors=True,
    engineer_lists=True,
    associations=True,
    dependencies=True,
    pins=True,
    running=True,
    remote_members=True,
    standby=True,
    arrival_modes=True,
    open_routes=True,
    several_shifts=True,
    max_work_orders=True,
    current_plan=True,
    profile="sla_first",
    weights={"distance": 0.01, "worst_lateness": 1, "fairness": 0.1, "late_restore": {"L3": 1.5}},
)
"""Every feature of the planning document at once."""

HARD_WINDOWS = FleetSpec(orders=100, engineers=15, seed=3, tightness=1.1)
"""Hard time windows and flat skills only, more work than capacity: what any other optimizer can model."""
