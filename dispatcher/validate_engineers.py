"""What engineers and their shifts have to satisfy beyond their shape."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.validate_values import IssueList, JsonObject, Path, instant, objects, shown, text


@dataclass(frozen=True, slots=True)
class Horizon:
    """The horizon as epoch seconds and as written; None where a bound cannot be read."""

    start: int | None
    end: int | None
    written_start: object = None
    written_end: object = None

    def check(self, path: Path, value: object, issues: IssueList) -> bool:
        """Reports an instant outside the horizon; True where it did."""
        at = instant(value)
        if at is None:
            return False
        early = self.start is not None and at < self.start
        late = self.end is not None and at > self.end
        if not (early or late):
            return False
        side, bound = ("before", self.written_start) if early else ("after", self.written_end)
        issues.report(
            path,
            "OUTSIDE_HORIZON",
            f"{shown(value)} lies {side} the {'start' if early else 'end'} of the horizon, {shown(bound)}",
            "Widen the horizon or change this time.",
            value=value,
            bound=bound,
        )
        return True


def engineer_issues(document: JsonObject, horizon: Horizon, issues: IssueList) -> set[str]:
    """Checks ids, shifts and breaks; returns the ids of all engineers."""
    engineers = list(objects(document.get("engineers"), ("engineers",)))
    known = issues.duplicates(
        (((*path, "id"), name) for path, engineer in engineers if (name := text(engineer.get("id")))),
        "engineer",
    )
    for path, engineer in engineers:
        shifts = list(objects(engineer.get("shifts"), (*path, "shifts")))
        issues.duplicates(
            (((*place, "id"), name) for place, shift in shifts if (name := text(shift.get("id")))), "shift"
        )
        for place, shift in shifts:
            _shift_issues(place, shift, horizon, issues)
        _overlap_issues(shifts, issues)
    return known


def _shift_issues(path: Path, shift: JsonObject, horizon: Horizon, issues: IssueList) -> None:
    start, end, latest = (instant(shift.get(key)) for key in ("start", "end", "latest_end"))
    if start is not None and end is not None and start >= end:
        issues.report(
            (*path, "end"),
            "ORDER",
            f"`end` {shown(shift['end'])} is not after `start` {shown(shift['start'])}",
            "Let the shift end after it starts.",
            earlier="start",
            later="end",
            values=[shift["start"], shift["end"]],
        )
    if end is not None and latest is not None and latest < end:
        issues.order((*path, "latest_end"), "end", "latest_end", (shift["end"], shift["latest_end"]))
    for key in ("start", "end", "latest_end"):
        horizon.check((*path, key), shift.get(key), issues)
    for place, rest in objects(shift.get("breaks"), (*path, "breaks")):
        earliest, last = instant(rest.get("earliest_start")), instant(rest.get("latest_start"))
        if earliest is not None and last is not None and earliest > last:
            written = (rest["earliest_start"], rest["latest_start"])
            issues.order((*place, "latest_start"), "earliest_start", "latest_start", written)


def _overlap_issues(shifts: list[tuple[Path, JsonObject]], issues: IssueList) -> None:
    spans: list[tuple[int, int, Path, JsonObject]] = []
    for path, shift in shifts:
        start, end, latest = (instant(shift.get(key)) for key in ("start", "end", "latest_end"))
        if start is not None and end is not None and start < end:
            spans.append((start, end if latest is None else max(end, latest), path, shift))
    spans.sort(key=lambda span: span[:2])
    busy_until, holder = -1, ""
    for start, end, path, shift in spans:
        name = shown(shift.get("id"))
        if start < busy_until:
            issues.report(
                path,
                "OVERLAP",
                f"shift {name} starts before shift {holder} of the same engineer is over",
                "Let it start at or after the `latest_end` (where absent, the `end`) of the other one.",
                shift=shift.get("id"),
                other=holder,
            )
        if end > busy_until:
            busy_until, holder = end, name
