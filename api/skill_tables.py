"""Answers to questions about skills as tables for a terminal; ids are shown literally, times are local."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from api.render_clock import day_label, span_label
from api.render_text import counted, grouped, plain
from api.tables import filled
from dispatcher.coverage import Cell, Coverage, Row
from dispatcher.demand import Ask
from dispatcher.model import Engineer
from dispatcher.problem import Problem
from dispatcher.skill_gaps import Gaps, Nearly, Shortage
from dispatcher.who import Answer
from skills.history import History
from skills.qualification import Gap, Match, Qualification, RequiredSkill
from skills.training import Training

MOST_PEOPLE = 25
MOST_ORDERS = 6
_HELD = "≥"
_WIDEST_TITLE = 100


def who_tables(problem: Problem, subject: str, at: int, answers: Sequence[tuple[Ask, Sequence[Answer]]]) -> list[Table]:
    """For each role: who qualifies and by which path, and who is one step short."""
    clock = _Clock(problem.timezone, at, at)
    tables = []
    for ask, found in answers:
        able = [answer for answer in found if answer.able]
        near = [answer for answer in found if answer.admitted and answer.standing.one_step is not None]
        wanted = ", ".join(map(_skill, ask.required)) or "no skill"
        role = "" if ask.role is None else f", {ask.count} × {plain(ask.role)}"
        title = f"{subject}{role}: {wanted}, on {clock.moment(at)}"
        tables.append(_who_can(problem, title, able, len(found)))
        if near:
            tables.append(_who_nearly(problem, near))
        refused = [answer.engineer.id for answer in found if not answer.admitted and answer.standing.qualified]
        if refused:
            _add(tables[-1], f"Qualified, but not let by the order: {_listed(refused)}.")
    return tables


def coverage_tables(found: Coverage, by_territory: Sequence[Coverage]) -> list[Table]:
    """The rows of a coverage, with the hours that are thin; and how thin each territory would be alone."""
    tables = [_rows_table(found)]
    if len(by_territory) > 1:
        rows = [
            (
                plain(item.territory),
                str(len(item.engineers)),
                str(len(item.rows)),
                _span([cell.on_shift for row in item.rows for cell in row.cells if cell.needed]),
                str(item.short_cells),
                str(item.single_points),
            )
            for item in by_territory
        ]
        heads = (
            "territory",
            "engineers",
            "skills\nasked for",
            "on shift\nwhen needed",
            "hours\ntoo few",
            "single\npoints",
        )
        table = _titled("Each territory by itself", heads, rows, right=range(1, 6))
        _add(table, "An hour counts once for each skill and level.")
        tables.append(table)
    return tables


def gaps_tables(problem: Problem, found: Coverage, gaps: Gaps) -> list[Table]:
    """Single points, hours that nobody covers, orders with nobody to spare, and the trainings that help most."""
    clock = _Clock.of(found)
    single = [
        (
            f"{plain(point.skill)} {_HELD} {point.level}",
            clock.hours(found, point.hours),
            str(len(point.hours)),
            ", ".join(_name(problem.engineer_by_id[who]) for who in point.engineers),
            _listed(point.orders),
        )
        for point in gaps.single_points
    ]
    tables = [
        _titled(
            f"Single points: {counted(found.single_points, 'hour')} with one person only{clock.context}",
            ("skill", "when", "hours", "only", "open orders that ask for it"),
            single,
            right=[2],
        )
    ]
    if not single:
        _add(tables[0], "There is none.")
    if gaps.uncovered:
        uncovered = [
            (f"{plain(i.skill)} {_HELD} {i.level}", clock.hours(found, i.hours), str(len(i.hours)), _listed(i.orders))
            for i in gaps.uncovered
        ]
        heads = ("skill", "when", "hours", "open orders that ask for it")
        tables.append(_titled("Needed, and nobody there", heads, uncovered, right=[2]))
    if gaps.shortages:
        tables.append(_shortages_table(problem, gaps.shortages))
    if gaps.trainings:
        tables.append(_trainings_table(problem, found, gaps))
    return tables


def history_table(found: History) -> Table:
    """Every engineer at every skill with a resolved order: each figure, and between which bounds it lies with 90 %."""
    rows = []
    for skill, group in found.groups.items():
        own = [item for item in found.experiences.values() if item.skill == skill]
        for item in (*own, group):
            factor, fix = item.duration_factor, item.fix_probability
            rows.append(
                (
                    plain(skill),
                    plain(item.engineer) if item.engineer else "anybody else",
                    "" if factor is None else f"× {factor.value:.2f}",
                    "" if factor is None else f"{factor.low:.2f}–{factor.high:.2f}",
                    "" if factor is None or not item.engineer else f"{factor.orders:.1f}",
                    "" if fix is None else f"{100 * fix.value:.0f} %",
                    "" if fix is None else f"{100 * fix.low:.0f}–{100 * fix.high:.0f} %",
                    "" if fix is None or not item.engineer else f"{fix.orders:.1f}",
                )
            )
    heads = (
        "skill",
        "engineer",
        "time",
        "between",
        "orders\nof today",
        "fixed at\nfirst visit",
        "between",
        "orders\nof today",
    )
    table = _titled("What resolved orders say", heads, rows, right=range(2, 8))
    _add(table, "Orders count less with age. Figures lie between the bounds with a probability of 90 %.")
    return table


class _Clock:
    """Local times, with the day where there are several."""

    def __init__(self, zone: ZoneInfo, start: int, end: int) -> None:
        self._zone = zone
        self.context = f", {span_label(start, end, zone)}"
        self._one_day = self._local(start).date() == self._local(end).date()

    @classmethod
    def of(cls, found: Coverage) -> _Clock:
        if not found.hours:
            return cls(found.zone, 0, 0)
        return cls(found.zone, found.hours[0].start, found.hours[-1].end - 1)

    def hours(self, found: Coverage, hours: Sequence[int]) -> str:
        """`08:00–12:00` of consecutive hours."""
        start = self._local(found.hours[hours[0]].start)
        # The last second, so that midnight is the end of a day and not the beginning of another.
        last = self._local(found.hours[hours[-1]].end - 1)
        end = self._local(found.hours[hours[-1]].end)
        clock = f"{end:%H:%M}" if end.date() == last.date() else "24:00"
        if self._one_day:
            return f"{start:%H:%M}–{clock}"
        until = clock if start.date() == last.date() else f"{day_label(last.date())} {clock}"
        return f"{day_label(start.date())} {start:%H:%M}–{until}"

    def moment(self, instant: int) -> str:
        local = self._local(instant)
        return f"{day_label(local.date())} {local:%H:%M}"

    def _local(self, instant: int) -> datetime:
        return datetime.fromtimestamp(instant, self._zone)


def _who_can(problem: Problem, title: str, able: Sequence[Answer], asked: int) -> Table:
    rows = [
        (
            _name(answer.engineer),
            "on shift" if answer.on_shift else "",
            "\n".join(_path(match) for match in answer.standing.qualification.matches) or "asks for no skill",
            _valid_until(problem, answer.standing.qualification),
            _times(answer.standing.qualification),
            _penalty(answer.standing.qualification),
        )
        for answer in able[:MOST_PEOPLE]
    ]
    heads = ("engineer", "", "by (level held … level reached)", "valid until", "time", "penalty")
    table = _titled(title, heads, rows, right=[4, 5])
    if not able:
        _add(table, f"Nobody of {counted(asked, 'engineer')} qualifies.")
    elif len(able) > MOST_PEOPLE:
        _add(table, f"{MOST_PEOPLE} of {len(able)} shown, the best first; --json has all.")
    else:
        _add(table, f"{len(able)} of {counted(asked, 'engineer')} qualify, the best first.")
    return table


def _who_nearly(problem: Problem, near: Sequence[Answer]) -> Table:
    clock = _Clock(problem.timezone, problem.now, problem.now)
    rows = []
    for answer in near[:MOST_PEOPLE]:
        gap = answer.standing.one_step
        assert gap is not None
        rows.append((_name(answer.engineer), "on shift" if answer.on_shift else "", _gap(gap, clock.moment)))
    table = _titled("One step short", ("engineer", "", "what is missing"), rows)
    if len(near) > MOST_PEOPLE:
        _add(table, f"{MOST_PEOPLE} of {len(near)} shown; --json has all.")
    return table


def _rows_table(found: Coverage) -> Table:
    clock = _Clock.of(found)
    rows = []
    for row in found.rows:
        needed = [cell for cell in row.cells if cell.needed]
        rows.append(
            (
                f"{plain(row.skill)} {_HELD} {row.level}",
                str(len(row.orders)),
                _span([cell.on_shift for cell in needed]),
                _span([cell.needed for cell in needed]),
                _when(found, clock, row, lambda cell: cell.is_short),
                _when(found, clock, row, lambda cell: cell.is_single_point),
            )
        )
    title = f"Coverage: {counted(len(found.engineers), 'engineer')} on shift{clock.context if found.hours else ''}"
    heads = ("skill", "open\norders", "on shift\nwhen needed", "needed", "too few", "one person only")
    table = _titled(title, heads, rows, right=[1, 2, 3])
    _add(table, "People count in every row they fit." if rows else "No open order asks for a skill.")
    return table


def _shortages_table(problem: Problem, shortages: Sequence[Shortage]) -> Table:
    rows = [
        (
            ", ".join(map(_skill, item.required)) or "no skill",
            str(item.people),
            _listed([_name(problem.engineer_by_id[who]) for who in item.able]) or "nobody",
            "\n".join(_near(problem, near) for near in item.nearly[:MOST_ORDERS])
            + (f"\nand {len(item.nearly) - MOST_ORDERS} more" if len(item.nearly) > MOST_ORDERS else ""),
            _listed(item.orders),
        )
        for item in shortages[:MOST_PEOPLE]
    ]
    heads = ("asked for", "people", "who can", "one step short", "open orders")
    table = _titled("Open orders with nobody to spare", heads, rows, right=[1])
    if len(shortages) > MOST_PEOPLE:
        _add(table, f"{MOST_PEOPLE} of {len(shortages)} shown; --json has all.")
    return table


def _trainings_table(problem: Problem, found: Coverage, gaps: Gaps) -> Table:
    rows = [
        (
            _name(problem.engineer_by_id[item.person]),
            plain(item.skill),
            f"{item.from_level} → {item.to_level}" if item.from_level < item.to_level else f"renew {item.to_level}",
            str(len(item.ends)),
            str(item.left),
            "\n".join(_why(found, gaps, item)),
        )
        for item in gaps.trainings
    ]
    heads = ("train", "in", "level", "ends", "left", "why: the second one for")
    table = _titled("Which training ends most single points", heads, rows, right=[3, 4])
    _add(table, "Each row beside those above it; most single points for each level climbed come first.")
    return table


def _why(found: Coverage, gaps: Gaps, training: Training) -> Iterable[str]:
    """What the trained engineer would be the second one for, and beside whom."""
    rows = {(row.skill, row.level): row for row in found.rows}
    ended: dict[tuple[str, int], list[int]] = {}
    for position in training.ends:
        skill, level, hour = gaps.cells[position]
        ended.setdefault((skill, level), []).append(hour)
    for (skill, level), hours in ended.items():
        beside = sorted({who for hour in hours for who in rows[skill, level].cells[hour].alone})
        yield f"{plain(skill)} {_HELD} {level}, {counted(len(hours), 'hour')} beside {_listed(beside)}"


def _when(found: Coverage, clock: _Clock, row: Row, holds: Callable[[Cell], bool]) -> str:
    """The hours for which something holds, as spans."""
    spans: list[list[int]] = []
    for place, cell in enumerate(row.cells):
        if holds(cell):
            if spans and spans[-1][-1] == place - 1:
                spans[-1].append(place)
            else:
                spans.append([place])
    return "\n".join(clock.hours(found, hours) for hours in spans)


def _name(engineer: Engineer) -> str:
    return plain(f"{engineer.id} {engineer.name or ''}".rstrip())


def _skill(item: RequiredSkill) -> str:
    return f"{plain(item.skill)} {_HELD} {item.level}"


def _path(match: Match) -> str:
    """`pneumatics 4 → hydraulics → hydraulics.pump 2`."""
    skills = [plain(skill) for skill in match.path.skills]
    if len(skills) == 1:
        return f"{skills[0]} {match.held.level}"
    skills[0] += f" {match.held.level}"
    skills[-1] += f" {match.held.level - match.path.level_loss}"
    return " → ".join(skills)


def _valid_until(problem: Problem, answer: Qualification) -> str:
    """When the first of the certificates used runs out."""
    ends = [match.held.valid_until for match in answer.matches if match.held.valid_until is not None]
    if not ends:
        return ""
    local = datetime.fromtimestamp(min(ends), problem.timezone)
    return f"{day_label(local.date())} {local.year} {local:%H:%M}"


def _times(answer: Qualification) -> str:
    return "" if answer.duration_factor == 1 else f"× {float(answer.duration_factor):.4g}"


def _penalty(answer: Qualification) -> str:
    return "" if not answer.penalty else grouped(float(answer.penalty))


def _gap(gap: Gap, moment: Callable[[int], str]) -> str:
    skill = plain(gap.required.skill)
    if gap.expired is not None and gap.expired.valid_until is not None:
        ended = moment(gap.expired.valid_until)
        return f"certificate of {plain(gap.expired.skill)} {gap.expired.level} ran out {ended} ({_skill(gap.required)})"
    return f"{skill} {gap.best_level}, {gap.required.level} is needed"


def _near(problem: Problem, near: Nearly) -> str:
    missing = (
        f"certificate of {plain(near.expired)}"
        if near.expired is not None
        else f"{plain(near.required.skill)} {near.reached}"
    )
    return f"{_name(problem.engineer_by_id[near.engineer])}: {missing}"


def _span(numbers: Sequence[int]) -> str:
    """`2` or `2–6`."""
    if not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low}–{high}"


def _listed(names: Sequence[str]) -> str:
    """The first few of a list, and how many more there are."""
    shown = ", ".join(plain(name) for name in names[:MOST_ORDERS])
    return shown if len(names) <= MOST_ORDERS else f"{shown} and {len(names) - MOST_ORDERS} more"


def _titled(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> Table:
    """A table at least as wide as its title, up to a point."""
    table = filled(title, heads, rows, right)
    table.min_width = min(_WIDEST_TITLE, len(title) + 2)
    return table


def _add(table: Table, sentence: str) -> None:
    table.caption = Text(f"{table.caption or ''} {sentence}".strip())
