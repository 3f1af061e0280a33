"""The two panels of a plan's picture that are about numbers: key figures, and the cost rule by rule."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from matplotlib.axes import Axes

from api.render_day import LEVELS, Day
from api.render_style import FAINT_INK, INK, LATE, flowed
from api.render_text import (
    amount_text,
    counted,
    grouped,
    human_distance,
    human_duration,
    plain,
    share_text,
    shortened,
)

_BAR = "#5b7a99"
_MOST_RULES = 10
_LINE_INCHES = 0.205


def draw_key_figures(axes: Axes, day: Day, height_inches: float, wrap: int = 52) -> None:
    """One line per figure; what calls for attention is red. `wrap`: characters in a line of ids."""
    axes.set_axis_off()
    axes.set_title("At a glance", loc="left", fontsize=11, fontweight="bold", pad=6)
    line = _LINE_INCHES / height_inches
    y = 1 - 0.5 * line
    for label, value, alarming in _figures(day):
        axes.text(0, y, label, transform=axes.transAxes, fontsize=8.5, color=FAINT_INK, va="center")
        axes.text(
            0.27,
            y,
            value,
            transform=axes.transAxes,
            fontsize=9,
            va="center",
            fontweight="bold",
            color=LATE if alarming else INK,
        )
        y -= line
    if day.unassigned:
        urgent = sorted(day.unassigned, key=lambda order: order.level)
        ids = [f"{plain(order.work_order)} ({order.level})" for order in urgent]
        room = max(1, int(y / line) + 1)
        for row, text in enumerate(flowed(ids, ", ", wrap, min(3, room))):
            if row == 0:
                axes.text(0, y, "not served", transform=axes.transAxes, fontsize=8.5, color=FAINT_INK, va="center")
            axes.text(0.27, y, text, transform=axes.transAxes, fontsize=8, va="center")
            y -= line


def draw_costs(axes: Axes, day: Day, height_inches: float) -> None:
    """Horizontal bars, the dearest rule first, with cost, share and amount; what is left out is counted."""
    total = "not stated" if day.score_total is None else grouped(day.score_total)
    axes.set_title(f"Cost by rule, total {total}", loc="left", fontsize=11, fontweight="bold", pad=6)
    costs = sorted(((Decimal(str(t.get("cost") or 0)), t) for t in day.terms), key=lambda pair: -pair[0])
    dear = [(cost, term) for cost, term in costs if cost > 0]
    if not dear:
        axes.set_axis_off()
        axes.set_title(axes.get_title(loc="left"), loc="left", fontsize=11, fontweight="bold", pad=6)
        words = "Every rule costs 0." if day.terms else "The plan states no score by rule."
        axes.text(0, 0.9, words, transform=axes.transAxes, fontsize=9, color=FAINT_INK, va="top")
        return
    shown = dear[:_MOST_RULES]
    whole = sum((cost for cost, _ in dear), Decimal(0))
    lengths = [float(cost) for cost, _ in shown]
    axes.barh(range(len(shown)), lengths, height=0.62, color=_BAR, zorder=2)
    axes.set_yticks(range(len(shown)), [shortened(plain(term["rule"]), 20) for _, term in shown])
    axes.set_ylim(max(len(shown) + 0.6, height_inches / 0.28) - 0.4, -0.6)
    axes.set_xlim(0, lengths[0] * 2.1)
    for index, (cost, term) in enumerate(shown):
        text = f" {grouped(_whole(cost))} · {share_text(cost, whole)}"
        amount = amount_text(term)
        axes.text(float(cost), index, text, va="center", fontsize=8.2, fontweight="bold")
        if amount:
            axes.text(
                1,
                index,
                amount,
                va="center",
                ha="right",
                fontsize=7.6,
                color=FAINT_INK,
                transform=axes.get_yaxis_transform(),
            )
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0, labelsize=8.5, labelcolor=INK)
    for side in axes.spines.values():
        side.set_visible(False)
    notes = []
    if len(dear) > len(shown):
        notes.append(f"{counted(len(dear) - len(shown), 'cheaper rule')} not drawn")
    if len(costs) > len(dear):
        notes.append(f"{counted(len(costs) - len(dear), 'rule')} at 0")
    notes.append("cost in points, smaller is better; right: the amount measured")
    axes.text(
        1,
        len(shown) - 0.25,
        "; ".join(notes),
        transform=axes.get_yaxis_transform(),
        ha="right",
        va="center",
        fontsize=7.4,
        color=FAINT_INK,
    )


def _figures(day: Day) -> list[tuple[str, str, bool]]:
    late = day.late_orders
    by_level = [(level, sum(1 for o in day.unassigned if o.level == level)) for level in LEVELS]
    levels = ", ".join(f"{count} {level}" for level, count in by_level if count)
    overtime = sum(row.overtime_seconds for row in day.rows)
    meters = [row.travel_meters for row in day.rows]
    travel = human_duration(sum(row.travel_seconds for row in day.rows))
    known = [m for m in meters if m is not None]
    if day.rows and len(known) == len(meters):
        travel += f", {human_distance(sum(known))}"
    teams = {activity.work_order for row in day.rows for activity in row.work if activity.in_team}
    return [
        ("served", f"{len(day.served)} of {counted(day.order_count, 'work order')}", False),
        ("unassigned", f"{len(day.unassigned)} ({levels})" if levels else "none", bool(day.unassigned)),
        (
            "late",
            f"{len(late)}, the worst by {human_duration(max(late.values()))}" if late else "none",
            bool(late),
        ),
        ("overtime", human_duration(overtime) if overtime else "none", overtime > 0),
        ("travel", travel, False),
        ("shifts used", f"{len(day.rows)} of {day.shift_count}", False),
        ("teams", str(len(teams)) if teams else "none", False),
    ]


def _whole(number: Decimal) -> Decimal:
    return number.quantize(Decimal(1), ROUND_HALF_UP)
