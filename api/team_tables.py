"""Ways to send a team as tables: who comes when, whom it moves, and why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from api.render_text import counted, human_duration, plain

GOALS: Mapping[str, str] = {
    "fastest": "fastest",
    "least_harm": "least harm",
    "best_chance": "best chance to fix it",
    "cheapest": "cheapest",
}
WHY_UNASSIGNED: Mapping[str, str] = {
    "PREDECESSOR_UNASSIGNED": "what it waits for is left out",
    "COSTS_MORE": "left out: any place for it costs more",
    "NO_ROOM": "left out: nobody who can do it has room",
}
MOST_REASONS = 20


def team_tables(answer: Mapping[str, Any], *, everything: bool = False) -> Iterator[RenderableType]:
    """The tables of an answer (`api.team_schemas.TeamOptions`)."""
    name, at = plain(answer["work_order"]), clock(answer["as_of"])
    options = answer["options"]
    if options:
        yield Text(f"{name}, as of {at}: {counted(len(options), 'way')} to send a team", style="bold")
    else:
        yield Text(f"{name}, as of {at}: nobody could make up a team", style="bold red")
    for number, option in enumerate(options, start=1):
        yield from _option(number, option)
    if answer["no_team"] is not None:
        yield from _no_team(answer["no_team"], everything)
    for number, option in enumerate(answer["not_allowed"], start=1):
        yield from _option(number, option)
    if answer["lost"]:
        yield Text(f"Cannot be kept whatever is chosen: {', '.join(map(plain, answer['lost']))}", style="yellow")


def clock(text: str) -> str:
    return f"{datetime.fromisoformat(text):%H:%M}"


def headline(number: int, option: Mapping[str, Any]) -> str:
    """What an option is good for, when it is there and over, and what it costs."""
    good = ", ".join(GOALS[goal] for goal in option["best_for"]) or "in between"
    if not option["allowed"]:
        good = "not allowed"
    times = f"begins {clock(option['start'])}, restored {clock(option['restored_at'])}"
    chance = "" if option["chance_to_fix"] == 1 else f", fixed at once {option['chance_to_fix']:.0%}"
    return f"{number}. {good}: {times}{chance}, total {option['total_change']:+,}"


def came(change: Mapping[str, Any]) -> tuple[str, str]:
    """Who serves an order now and instead of whom, and what becomes of its time."""
    before = ", ".join(map(plain, change["before"]["engineers"]))
    if change["after"] is None:
        return before, WHY_UNASSIGNED.get(change["why_unassigned"] or "", "left out")
    after = ", ".join(map(plain, change["after"]["engineers"]))
    seconds = change["arrival_shift_seconds"]
    moved = "same arrival" if not seconds else f"{human_duration(abs(seconds))} {'later' if seconds > 0 else 'sooner'}"
    late = sum(change["after"]["late_seconds"].values())
    if late:
        moved += f", late by {human_duration(max(change['after']['late_seconds'].values()))}"
    return before if after == before else f"{before} → {after}", moved


def _option(number: int, option: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield Text(f"\n{headline(number, option)}", style="bold")
    people = Table()
    for head in ("engineer", "role", "leaves", "there", "until", "instead of"):
        people.add_column(head, overflow="fold")
    for member in option["members"]:
        remote = member["presence"] == "remote"
        people.add_row(
            plain(member["engineer"]),
            plain(member["role"]) + (" (remote)" if remote else ""),
            "" if remote else clock(member["departure"]),
            clock(member["start"] if remote else member["arrival"]),
            clock(member["end"]),
            ", ".join(map(plain, member["called_from"])),
        )
    for item in option["standby"]:
        row = (plain(item["engineer"]), plain(item["role"]), "if called", clock(item["there_at"]), "", "")
        people.add_row(*row, style="dim")
    yield people
    for short in option["short_of"]:
        has = f"{plain(short['engineer'])} reaches level {short['has']} of {plain(short['skill'])}"
        yield Text(f"   {has}, {plain(short['role'])} needs {short['level']}", style="yellow")
    if option["changes"]:
        moves = Table(box=None, padding=(0, 2), show_header=False)
        for change in option["changes"]:
            who, when = came(change)
            style = "red" if change["broken"] else ""
            moves.add_row("", plain(change["work_order"]), change["level"], who, when, style=style)
        yield moves
    else:
        yield Text("   No other order moves.", style="dim")


def _no_team(found: Mapping[str, Any], everything: bool) -> Iterator[RenderableType]:
    reasons = found["reasons"] if everything else found["reasons"][:MOST_REASONS]
    table = Table(title="Why not", title_justify="left")
    table.add_column("engineer", overflow="fold")
    table.add_column("reason", overflow="fold")
    for reason in reasons:
        table.add_row(plain(reason["engineer"]), plain(reason["message"]))
    yield table
    hidden = len(found["reasons"]) - len(reasons) + found["reasons_left_out"]
    if hidden:
        yield Text(f"   and {counted(hidden, 'engineer')} more (--all shows them)", style="dim")
    fix = found["cheapest_fix"]
    if fix is not None:
        yield Text(f"What it would take: {plain(fix['message'])}")
