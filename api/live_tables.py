"""Answers about a running plan as tables for a terminal; they read what `api.live_answers` writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from api.render_text import counted, human_duration, plain

MOST_EFFECTS = 3
Json = Mapping[str, Any]


def candidate_tables(answer: Json) -> Iterator[RenderableType]:
    """What `muster candidates` prints."""
    table = _table(
        f"Candidates for {answer['work_order']}",
        "engineer",
        "cost",
        "arrival",
        "start",
        "driving",
        "late",
        "others feel",
    )
    for found in answer["candidates"]:
        name = found["engineer"] + (" (now)" if found["is_current"] else "")
        table.add_row(
            plain(name),
            f"{found['cost']:,.0f}",
            _clock(found["arrival"]),
            _clock(found["start"]),
            _signed(found["travel_seconds"]),
            human_duration(found["late_seconds"]) if found["late_seconds"] else "–",
            _effects(found["effects"]),
        )
    yield table
    if answer["candidates_left_out"]:
        yield Text(f"and {counted(answer['candidates_left_out'], 'candidate')} more; --limit shows them", style="dim")
    yield Text(f"Leaving it undone costs {answer['unserved_cost']:,.0f}.")
    yield from _others(answer["others"])


def slot_tables(answer: Json) -> Iterator[RenderableType]:
    """What `muster slots` prints."""
    table = _table(f"Windows for {answer['work_order']}", "from", "to", "cost", "engineer", "arrival", "could come")
    for slot in answer["slots"]:
        cost = "nobody" if slot["cost"] is None else f"{slot['cost']:,.0f}"
        arrival = "–" if slot["arrival"] is None else _clock(slot["arrival"])
        day = slot["start"][:10]
        table.add_row(
            f"{day} {_clock(slot['start'])}",
            _clock(slot["end"]),
            cost,
            plain(slot["engineer"] or "–"),
            arrival,
            str(slot["candidates"]),
        )
    yield table
    if answer["slots_left_out"]:
        yield Text(f"and {counted(answer['slots_left_out'], 'window')} more; --limit shows them", style="dim")


def explanation_tables(answer: Json) -> Iterator[RenderableType]:
    """What `muster explain` prints."""
    yield Text(plain(answer["work_order"]), style="bold")
    for said in (*answer["who"], *answer["when"]):
        yield Text(f"  {plain(said['message'])}")
    if answer["next_best"]:
        yield Text("Others who could:")
        for found in answer["next_best"]:
            times = f"there at {_clock(found['arrival'])}"
            yield Text(f"  {plain(found['engineer'])}: cost {found['cost']:,.0f}, {times}")
    yield from _others(answer["why_not"])
    if answer["it_would_take"]:
        yield Text("What it would take:")
        for fix in answer["it_would_take"]:
            yield Text(f"  {plain(fix['message'])}")


def difference_tables(answer: Json) -> Iterator[RenderableType]:
    """What `muster diff` and `muster repair` print."""
    before, after = answer["total_before"], answer["total_after"]
    if not answer["orders"]:
        yield Text("The two plans serve every order alike.")
    else:
        table = _table("What is different", "order", "level", "what", "by", "start", "why")
        for change in answer["orders"]:
            table.add_row(
                plain(change["work_order"]),
                change["level"],
                change["kind"],
                _arrow(", ".join(change["engineers_before"]), ", ".join(change["engineers_after"])),
                _arrow(_clock(change["start_before"]), _clock(change["start_after"])),
                plain("; ".join(why["message"] for why in change["why"])),
            )
        yield table
    if answer["engineers"]:
        table = _table("Whose day is different", "engineer", "gains", "loses", "driving", "overtime", "day ends")
        for change in answer["engineers"]:
            table.add_row(
                plain(change["engineer"]),
                plain(", ".join(change["gained"]) or "–"),
                plain(", ".join(change["lost"]) or "–"),
                _signed(change["travel_seconds"]),
                _signed(change["overtime_seconds"]),
                _arrow(_clock(change["end_before"]), _clock(change["end_after"])),
            )
        yield table
    if before is not None and after is not None:
        costs = ", ".join(f"{term['rule']} {term['cost']:+,.0f}" for term in answer["terms"] if term["cost"])
        yield Text(f"Total cost {before:,} → {after:,} ({after - before:+,}){': ' + costs if costs else ''}")


def _others(reasons: list[Json]) -> Iterator[RenderableType]:
    """One line per kind of reason: how many, and the words for the first."""
    counts = Counter(reason["code"] for reason in reasons)
    if counts:
        yield Text("Who cannot:")
    for code, count in counts.most_common():
        first = next(reason for reason in reasons if reason["code"] == code)
        yield Text(f"  {count} × {code}: {plain(first['message'])}")


def _effects(effects: list[Json]) -> str:
    ranked = sorted(effects, key=lambda effect: (-effect["cost"], -abs(effect["later_seconds"])))
    said = [
        f"{plain(effect['work_order'])} {_signed(effect['later_seconds'])}"
        + (f" (cost {effect['cost']:+,.0f})" if effect["cost"] else "")
        for effect in ranked[:MOST_EFFECTS]
    ]
    more = len(effects) - len(said)
    return ", ".join(said) + (f" and {more} more" if more else "") if said else "–"


def _signed(seconds: int) -> str:
    if not seconds:
        return "0"
    return ("+" if seconds > 0 else "−") + human_duration(abs(seconds))


def _clock(instant: str | None) -> str:
    return "–" if instant is None else instant[11:16]


def _arrow(before: str, after: str) -> str:
    before, after = plain(before or "–"), plain(after or "–")
    return before if before == after else f"{before} → {after}"


def _table(title: str, *heads: str) -> Table:
    table = Table(title=Text(plain(title)), title_justify="left")
    for head in heads:
        table.add_column(head, overflow="fold")
    return table
