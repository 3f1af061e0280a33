"""What the kernel works on: a problem and a plan as flat arrays.

Rows are things (a visit, a shift, a label), columns are named by the constants below. Times are epoch seconds,
costs thousandths of the score, both int64. Everything in `Case` stays as it is during a search; everything in `Day`
belongs to one thread.

A *visit* is one work stop to be made: of an order without a team, or of one member of a team. A team that the search
composes has a visit for each *seat*, one for each person its roles may take; its first one, the *head*, is always
taken, and stands for the team in the bank. Seats of a role are alike and lie side by side. A team composed before the
search, which stays, has visits whose start is fixed. A *label* is a way to get so far along a route: there is one per
number of breaks taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.kernel.pointed import Pointed

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Bool = NDArray[np.bool_]
Float = NDArray[np.float64]

FAR_FUTURE = 1 << 52
FAR_PAST = -(1 << 52)
IMPOSSIBLE = 1 << 60
"""The cost of what cannot be done."""

# Columns of `Case.visits`.
(
    PLACE,
    SETUP,
    CLASS,
    SERVICE,
    FIXED_SECONDS,
    WINDOWS_FROM,
    WINDOWS_TO,
    NOT_BEFORE,
    NOT_AFTER,
    ARRIVE_BY,
    START_BY,
    RESTORE_BY,
    ARRIVAL_WEIGHT,
    ARRIVAL_ONCE,
    START_WEIGHT,
    START_ONCE,
    RESTORE_WEIGHT,
    RESTORE_ONCE,
    UNSERVED,
    ADMIT,
    PREFER,
    PREVIOUS_ENGINEER,
    PREVIOUS_START,
    RELATED_FROM,
    RELATED_TO,
    PARTS_FROM,
    PARTS_TO,
    BEFORE_FROM,
    BEFORE_TO,
    AFTER_FROM,
    AFTER_TO,
    GROUP,
    REMOTE,
    LOCKED,
    IS_RUNNING,
    MEMBER,
    SETUP_PAID,
    SCARCITY,
    TEAM,
    WORTH,
    VISIT_COLUMNS,
) = range(41)
NONE = -1
NOBODY = -1
"""`PREVIOUS_ENGINEER`: the order has no previous plan."""
SEVERAL = -2
"""`PREVIOUS_ENGINEER`: it was served by others than one engineer of today."""

# Columns of `Case.shifts`.
(
    ENGINEER,
    START_TIME,
    SHIFT_END,
    LATEST_END,
    START_PLACE,
    END_PLACE,
    BREAKS_FROM,
    BREAKS_TO,
    MAX_STOPS,
    SPEED,
    TWIN,
    DUTIES_FROM,
    DUTIES_TO,
    CLOSED,
    LOCKED_FIRST,
    ON_DUTY_FROM,
    SHIFT_COLUMNS,
) = range(17)

# Columns of `Case.teams`: teams the search composes.
(
    HEAD,
    SITE_PLACE,
    MODE,
    LEAST_GAP,
    MOST_GAP,
    ROLES_FROM,
    ROLES_TO,
    COLLECTIVE_FROM,
    COLLECTIVE_TO,
    SIZES_FROM,
    SIZES_TO,
    TEAM_WINDOWS_FROM,
    TEAM_WINDOWS_TO,
    TEAM_NOT_BEFORE,
    TEAM_NOT_AFTER,
    TEAM_ARRIVE_BY,
    TEAM_ARRIVAL_WEIGHT,
    TEAM_ARRIVAL_ONCE,
    TEAM_START_ONCE,
    TEAM_RESTORE_WEIGHT,
    TEAM_RESTORE_ONCE,
    TEAM_PREFER,
    TEAM_PREVIOUS_CREW,
    TEAM_PREVIOUS_SIZE,
    TEAM_PREVIOUS_START,
    TEAM_RELATED_FROM,
    TEAM_RELATED_TO,
    TEAM_COLUMNS,
) = range(28)
TOGETHER, STAGGERED, LEAD_FIRST = range(3)

# Columns of `Case.roles`: seats SEAT .. SEAT + MOST - 1.
SEAT, LEAST, MOST, PRESENCE, IS_LEAD, OWN_SECONDS, ROLE_COLUMNS = range(7)
AT_SITE, REMOTELY, STANDING_BY = range(3)

# Columns of `Case.breaks` and `Case.duties`.
EARLIEST, LATEST, SECONDS = range(3)
INSTANT, SITE, SERVICE_END = range(3)

# Columns of `Case.options`: a qualification until an instant, as factor and penalty.
UNTIL, NUMERATOR, DENOMINATOR, PENALTY = range(4)

# Places of `Case.numbers`: scalars of the problem.
(
    NOW,
    TRAVEL_WEIGHT,
    DISTANCE_WEIGHT,
    OVERTIME_WEIGHT,
    PREFERENCE_WEIGHT,
    CHANGE_WEIGHT,
    MOVED_WEIGHT,
    ASSOCIATION_WEIGHT,
    WORST_WEIGHT,
    FAIRNESS_WEIGHT,
    USED_WEIGHT,
    LABELS,
    HAS_TRAFFIC,
    HAS_MATRIX,
    HAS_METERS,
    TRAFFIC_COMMON,
    NEEDS_TIMES,
    HAS_DEPENDENCIES,
    HAS_MOVED,
    ENGINEERS,
    IS_SCANNED_WHOLE,
    IS_SYMMETRIC,
    HORIZON_END,
    DEAR_PER_MILLE,
    SWAPS_PER_MILLE,
    NUMBERS,
) = range(26)

MOVED_TOLERANCE_SECONDS = 900
"""`change_shift` counts what lies beyond this (planning document, section 9)."""

# Columns of a label row of `Day.labels`: about the position, then five for each number of breaks taken.
# LATEST_FREE: who arrives between AT_ARRIVAL and then changes nothing of what the rest of the route costs.
# ONWARD: cost of the leg to the next row on free roads. ROOM: seconds between being free and having to be at the next
# row, beside breaks taken between; FAR_FUTURE where that is not known. LATEST_ARRIVAL: who arrives after it, with so
# many breaks taken, breaks a rule; SAVED: so much later at most if the setup has been paid before.
LATEST_FREE, AT_ARRIVAL, AT_PLACE, PAID_PLACE, ONWARD, ROOM, SAVED, FIRST_LABEL = range(8)
FREE, COST, START, TAKEN, LATEST_ARRIVAL, LABEL_COLUMNS = range(6)

# Columns of `Day.routes`.
# STANDS: so many visits at its head have the labels they had when it was last driven.
# STAY_FOR: the seat for whose standby nobody who is free between STAY_FROM and STAY_UNTIL leaves before this is over;
# without one STAY_FROM is FAR_FUTURE. From CALLS on: the seats whose standby this shift is, CALLED of them.
MOST_CALLS = 8
# MOST_ROOM: no visit that takes longer fits in anywhere, whatever setup that saves.
LENGTH, ROUTE_COST, SINGLE_FROM, STANDS, MOST_ROOM, WORST, BUSY, STAY_FROM, STAY_UNTIL, STAY_FOR, CALLED, CALLS = range(
    12
)
ROUTE_COLUMNS = CALLS + MOST_CALLS

# Columns of `Day.standing`: where each visit stands. Of seats: the earliest and latest start a member is held to, the
# service seconds of a team of this size, and whether the member pays the setup (NONE: whoever comes finds out).
# For who stands by, HELD is the shift. LEFT is the departure to the visit, once its route is traced.
(
    ROUTE,
    POSITION,
    ARRIVAL,
    BEGIN,
    FINISH,
    BANK_PLACE,
    FLOOR,
    CEILING,
    END_FLOOR,
    END_CEILING,
    HELD,
    HELD_UNTIL,
    BASE,
    PAYS,
    LEFT,
    STANDING_COLUMNS,
) = range(16)

# Columns of `Day.teams`: first on-site start, last on-site end, seconds the first member arrives late, what the team as
# a whole costs, and the start it had before it was last taken apart.
TEAM_START, TEAM_END, TEAM_LATE, TEAM_COST, TEAM_BEFORE, TEAM_STATE_COLUMNS = range(6)

MOST_ROLES, MOST_SEATS = 8, 12
"""Teams with more stay as they are composed."""
MOST_OFFERS = 12
"""Members considered for one role at one start."""
MOST_STARTS = 24
MOST_BARRED = 8
"""Routes tried in vain for a visit of a first plan before it is left undone."""
OFFER_DELTA, OFFER_SHIFT, OFFER_POSITION, OFFER_START, OFFER_COLUMNS = range(5)


@dataclass(frozen=True)
class Case(Pointed):
    """A problem, compiled. Shapes: V visits, R shifts, E engineers, L places, S speeds, P parts."""

    numbers: Int64  # [NUMBERS]
    visits: Int64  # [V, VISIT_COLUMNS]
    windows: Int64  # [*, 2], sorted by start per visit
    options: Int64  # [*, 4], the last of each run until FAR_FUTURE; numerator 0: not qualified
    option_of: Int64  # [classes, E], first row of `options`, or -1
    able: Int64  # [*] shifts, none of them closed, of those who meet a class of requirements at some time
    able_from: Int64  # [classes + 1] first of `able`
    admits: Bool  # [*, E]
    prefers: Bool  # [*, E]
    related: Int64  # [*] groups
    members: Int64  # [groups + 1] first of `member_visits`
    member_visits: Int64
    part_of: Int64  # [*] which part
    part_count: Int64  # [*] pieces
    gaps: Int64  # [*, 3] group of visits, least gap, greatest gap: as a follower, then as a predecessor
    shifts: Int64  # [R, SHIFT_COLUMNS]
    breaks: Int64  # [*, 3]
    break_index: Int64  # [*] position in the shift's list
    duties: Int64  # [*, 3]
    stock: Int64  # [R, P]
    seconds: Int32  # [S, L, L]; [1, 1, 1] where there is traffic or no matrix
    base: Int32  # [L, L] metres of geodesic travel, seconds of a matrix; [1, 1] without traffic or matrix
    meters: Int32  # [L, L] where distance has a weight
    speeds: Int64  # [S, 2] numerator, denominator of seconds per base unit
    least_rates: Float  # [S] seconds per base unit at no less than which every leg is driven
    traffic_from: Int64  # [T]
    traffic_rate: Int64  # [T]
    sphere: Float  # [L, 4] point on the unit sphere; metres per radian
    near: Int64  # [V, K] nearest other visits by travel
    near_shifts: Int64  # [V, KR] shifts that may serve the visit, the nearest first
    late_teams: Int64  # [*, 5] group, arrive_by, weight, once, herald: fixed teams that start after they should arrive
    teams: Int64  # [T, TEAM_COLUMNS]
    roles: Int64  # [*, ROLE_COLUMNS]
    collective: Int64  # [*] classes of `option_of`
    sizes: Int64  # [*, 2] members on site at least, service seconds
    sort_keys: Float  # [modes, V] what recreate sorts by, the smallest first
    sort_chances: Float  # [modes + 1] cumulative; the last is a random order


@dataclass(frozen=True)
class Day(Pointed):
    """A plan under construction, and what one thread needs to change it and to take changes back."""

    sequence: Int64  # [R, M]
    labels: Int64  # [R, M + 2, columns]
    routes: Int64  # [R, ROUTE_COLUMNS]
    standing: Int64  # [V, STANDING_COLUMNS]
    stock: Int64  # [R, P]
    bank: Int64  # [V] unserved visits
    counts: Int64  # [COUNTS] see below
    dice: Int64  # [2] state of the random numbers
    work: Int64  # [8, labels + 1] scratch
    saved_sequence: Int64  # [slots, M]
    saved_labels: Int64  # [slots, M + 2, columns]
    saved_routes: Int64  # [slots, ROUTE_COLUMNS]
    saved_stock: Int64  # [slots, P]
    touched: Int64  # [R] slot of a touched route, or -1
    touched_list: Int64  # [slots]
    queue: Int64  # [R] routes to be driven again
    removed: Int64  # [V]
    inserted: Int64  # [V]
    order: Int64  # [V] scratch
    first_order: Int64  # [V] in which order a first plan takes visits
    keys: Float  # [V] scratch
    ranks: Int64  # [V] scratch
    looked: Int64  # [R] scratch: routes to look at
    barred: Int64  # [MOST_BARRED] scratch: routes not to look at
    stamps: Int64  # [R + V + twins] scratch
    marks: Int64  # [V] scratch
    best_sequence: Int64  # [R, M]
    best_lengths: Int64  # [R]
    dirty: Bool  # [R] differs from the best
    busy: Int64  # [E] seconds of work and travel, where fairness counts
    teams: Int64  # [T, TEAM_STATE_COLUMNS]
    saved_teams: Int64  # [T, TEAM_STATE_COLUMNS]
    saved_seats: Int64  # [V, 4] HELD .. PAYS of changed teams
    changed: Bool  # [T] teams changed in this iteration
    changed_list: Int64  # [T]
    best_held: Int64  # [V] starts of members, shifts of who stands by
    best_stays: Int64  # [R, 3] STAY_FROM .. STAY_FOR
    offers: (
        Int64  # [MOST_ROLES, MOST_OFFERS, OFFER_COLUMNS] scratch of a composition: who could take a seat, at a start
    )
    likely: Int64  # [MOST_ROLES, MOST_OFFERS, OFFER_COLUMNS] scratch: the same at any start
    amounts: Int64  # [6, MOST_ROLES] scratch: numbers by role
    instants: Int64  # [MOST_STARTS, 3] scratch: cost, start, window of starts worth trying
    crew: Int64  # [MOST_SEATS, 5] scratch: seat, shift, position, earliest and latest start of members
    functions: Int64  # [FUNCTIONS] where functions lie that are called by address


# Places of `Day.counts`.
# BESIDE is what is paid beside routes and bank: related orders apart, and teams as a whole.
(
    BANKED,
    TOUCHED,
    REMOVED,
    INSERTED,
    STAMP,
    TOTAL,
    BEST_TOTAL,
    UNTIL_BLINK,
    BESIDE,
    BROKEN,
    CHANGED,
    TEAMS_STAY,
    BARRED,
    FOR_OTHERS,
    ROOM_AT,
    COUNTS,
) = range(16)
COMPOSE_AT, SETTLE_AT, FUNCTIONS = range(3)
"""Places of `Day.functions`."""
ROOM_IS_MADE = 2
"""`TEAMS_STAY`: 1 where an iteration leaves teams together, this where it makes room for its seed."""
