"""The map of a plan's picture: routes, stops by level, depots and what is left unassigned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import atan2, cos, degrees, floor, hypot, log10, radians

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from api.render_day import LEVELS, Day, Row, RowKey
from api.render_style import FAINT_INK, GRID, INK, LATE, LEVEL_COLOURS, PANEL, RouteStyle, text_width_inches
from api.render_text import plain, shortened

_KM_PER_DEGREE = 6371.009 * 3.141592653589793 / 180
_SMALLEST_SPAN_KM = 1.0
_ARROW_LEAST_INCHES = 0.28
_LABEL_POINTS = 7.0
_MOST_LABELS = 90

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _View:
    """The south-western corner shown, and inches per degree: a kilometre is as long both ways."""

    west: float
    south: float
    lon_inches: float
    lat_inches: float
    width_inches: float
    height_inches: float

    def inches(self, point: Point) -> Point:
        return ((point[0] - self.west) * self.lon_inches, (point[1] - self.south) * self.lat_inches)


@dataclass(slots=True)
class _Labels:
    """Places labels where nothing is yet; counts those for which there was no room."""

    view: _View
    taken: list[Box] = field(default_factory=list)
    wanted: int = 0
    left_out: int = 0

    def block(self, point: Point, radius: float) -> None:
        x, y = self.view.inches(point)
        self.taken.append((x - radius, y - radius, x + radius, y + radius))

    def place(self, axes: Axes, point: Point, text: str, colour: str, weight: str) -> None:
        self.wanted += 1
        width, height = text_width_inches(text, _LABEL_POINTS), _LABEL_POINTS * 1.15 / 72
        x, y = self.view.inches(point)
        gap = 0.075
        corners = (
            (x + gap, y - height / 2),
            (x - gap - width, y - height / 2),
            (x - width / 2, y + gap),
            (x - width / 2, y - gap - height),
            (x + gap * 0.8, y + gap * 0.6),
            (x + gap * 0.8, y - gap * 0.6 - height),
            (x - gap * 0.8 - width, y + gap * 0.6),
            (x - gap * 0.8 - width, y - gap * 0.6 - height),
        )
        for left, bottom in corners:
            box = (left, bottom, left + width, bottom + height)
            if self._inside(box) and not any(_overlap(box, other) for other in self.taken):
                self.taken.append(box)
                axes.annotate(
                    text,
                    point,
                    xytext=((left - x) * 72, (bottom - y) * 72),
                    textcoords="offset points",
                    fontsize=_LABEL_POINTS,
                    color=colour,
                    fontweight=weight,
                    ha="left",
                    va="bottom",
                    zorder=7,
                    bbox={"facecolor": PANEL, "alpha": 0.72, "lw": 0, "pad": 0.4},
                )
                return
        self.left_out += 1

    def _inside(self, box: Box) -> bool:
        view = self.view
        return box[0] > 0.03 and box[1] > 0.03 and box[2] < view.width_inches - 0.03 and box[3] < view.height_inches


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def draw_map(axes: Axes, day: Day, rows: Sequence[Row], styles: Mapping[RowKey, RouteStyle]) -> list[Artist]:
    """Draw into `axes` (x, y: degrees of longitude, latitude); return legend entries for what was drawn.

    Labels that find no room, and places without coordinates, are counted in a line above the map.
    """
    places = _unwrapped(day.coordinates)
    shown = _places_used(day, rows, places)
    view = _frame(axes, [places[name] for name in shown])
    stops = _stops_by_point(day, places)
    labels = _Labels(view)
    labels.block((view.west, view.south), 0.45)
    for point in stops:
        labels.block(point, 0.06)
    for row in rows:
        _draw_route(axes, view, [places[name] for name in row.places if name in places], styles[row.key], len(rows))
    _draw_stops(axes, day, stops)
    depots = _draw_depots(axes, labels, rows, places)
    for point, orders in _by_urgency(stops):
        if labels.wanted < _MOST_LABELS:
            text = shortened(" ".join(plain(order) for order in orders), 22)
            labels.place(axes, point, text, INK, "normal")
        else:
            labels.wanted, labels.left_out = labels.wanted + 1, labels.left_out + 1
    _scale_bar(axes, view)
    _note(axes, day, rows, places, labels)
    return _legend_entries(day, rows, stops, depots)


def _unwrapped(coordinates: Mapping[str, Point]) -> dict[str, Point]:
    """(lon, lat) by location; on both sides of the date line, the western side is moved east by a turn."""
    longitudes = [lon for _, lon in coordinates.values()]
    crosses = max(longitudes) - min(longitudes) > 180
    return {name: (lon + 360 if crosses and lon < 0 else lon, lat) for name, (lat, lon) in coordinates.items()}


def _places_used(day: Day, rows: Sequence[Row], places: Mapping[str, Point]) -> list[str]:
    used = {name for row in rows for name in row.places}
    used |= {order.location for order in (*day.unassigned, *day.served.values())}
    return [name for name in places if name in used] or list(places)


def _frame(axes: Axes, points: Sequence[Point]) -> _View:
    figure = axes.get_figure(root=True)
    assert figure is not None
    box = axes.get_position()
    width, height = box.width * figure.get_figwidth(), box.height * figure.get_figheight()
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    middle = ((west + east) / 2, (south + north) / 2)
    lon_km = _KM_PER_DEGREE * max(0.02, cos(radians(middle[1])))
    span_km = max(
        (east - west) * lon_km / (width - 0.9),
        (north - south) * _KM_PER_DEGREE / (height - 0.7),
        _SMALLEST_SPAN_KM / min(width, height),
    )
    lon_inches, lat_inches = lon_km / span_km, _KM_PER_DEGREE / span_km
    west, south = middle[0] - width / 2 / lon_inches, middle[1] - height / 2 / lat_inches
    axes.set_xlim(west, west + width / lon_inches)
    axes.set_ylim(south, south + height / lat_inches)
    axes.set_facecolor(PANEL)
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=7.5, length=2.5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{(value + 180) % 360 - 180:.6g}")
    axes.set_xlabel("Longitude (° east)", fontsize=8.5)
    axes.set_ylabel("Latitude (° north)", fontsize=8.5)
    return _View(west, south, lon_inches, lat_inches, width, height)


def _draw_route(axes: Axes, view: _View, points: Sequence[Point], style: RouteStyle, routes: int) -> None:
    many = routes > 25
    axes.plot(
        [x for x, _ in points],
        [y for _, y in points],
        color=style.colour,
        ls=style.dashes,
        lw=0.9 if many else 1.6,
        alpha=0.75 if many else 0.9,
        zorder=2,
    )
    for here, there in pairwise(points):
        (x0, y0), (x1, y1) = view.inches(here), view.inches(there)
        if hypot(x1 - x0, y1 - y0) >= _ARROW_LEAST_INCHES:
            # Beyond the middle, so that the arrows of a way out and back do not lie on each other.
            axes.plot(
                [here[0] * 0.42 + there[0] * 0.58],
                [here[1] * 0.42 + there[1] * 0.58],
                color=style.colour,
                ls="none",
                marker=(3, 0, degrees(atan2(y1 - y0, x1 - x0)) - 90),
                ms=4.5 if many else 7,
                mew=0,
                zorder=2.5,
            )


@dataclass(slots=True)
class _Stops:
    """The work orders at one point, and the most urgent of their levels."""

    level: str = "L4"
    served: list[str] = field(default_factory=list)
    unassigned: list[str] = field(default_factory=list)
    unassigned_level: str = "L4"


def _stops_by_point(day: Day, places: Mapping[str, Point]) -> dict[Point, _Stops]:
    stops: dict[Point, _Stops] = {}
    for order in day.served.values():
        if order.location in places:
            found = stops.setdefault(places[order.location], _Stops())
            found.served.append(order.work_order)
            found.level = min(found.level, order.level)
    for order in day.unassigned:
        if order.location in places:
            found = stops.setdefault(places[order.location], _Stops())
            found.unassigned.append(order.work_order)
            found.unassigned_level = min(found.unassigned_level, order.level)
    return stops


def _draw_stops(axes: Axes, day: Day, stops: Mapping[Point, _Stops]) -> None:
    late = day.late_orders
    size = 8.0 if len(stops) <= 60 else 6.5 if len(stops) <= 150 else 4.8
    for (x, y), found in stops.items():
        # The most urgent lie on top where places nearly coincide.
        above = 4 + 0.1 * (4 - LEVELS.index(found.level))
        if found.served:
            axes.plot([x], [y], "o", ms=size, mfc=LEVEL_COLOURS[found.level], mec=INK, mew=size / 10, zorder=above)
        if any(order in late for order in found.served):
            axes.plot([x], [y], "o", ms=size * 1.45, mfc="none", mec=LATE, mew=size / 5.5, zorder=above)
        if found.unassigned:
            axes.plot(
                [x],
                [y],
                "X",
                ms=size * 1.25,
                mfc="none",
                mec=LEVEL_COLOURS[found.unassigned_level],
                mew=size / 5,
                zorder=5,
            )


def _draw_depots(axes: Axes, labels: _Labels, rows: Sequence[Row], places: Mapping[str, Point]) -> bool:
    """Squares where routes start and end; the engineers who start there are named beside."""
    starts: dict[Point, list[str]] = {}
    for row in rows:
        for name in row.places[:1] if row.open_ended else (row.places[:1] + row.places[-1:]):
            if name in places:
                starts.setdefault(places[name], [])
        if row.places and row.places[0] in places and row.engineer not in starts[places[row.places[0]]]:
            starts[places[row.places[0]]].append(row.engineer)
    for point in starts:
        axes.plot([point[0]], [point[1]], "s", ms=7.5, mfc="#ffffff", mec=INK, mew=1.4, zorder=3.5)
        labels.block(point, 0.06)
    for point, engineers in starts.items():
        if engineers:
            named = " ".join(plain(engineer) for engineer in engineers[:4])
            more = f" +{len(engineers) - 4}" if len(engineers) > 4 else ""
            labels.place(axes, point, shortened(named, 28) + more, FAINT_INK, "bold")
    return bool(starts)


def _by_urgency(stops: Mapping[Point, _Stops]) -> Iterable[tuple[Point, list[str]]]:
    ordered = sorted(stops.items(), key=lambda item: min(item[1].level, item[1].unassigned_level))
    return [(point, found.served + found.unassigned) for point, found in ordered]


def _scale_bar(axes: Axes, view: _View) -> None:
    km_inches = view.lat_inches / _KM_PER_DEGREE
    most = 1.5 / km_inches
    power = 10.0 ** floor(log10(most))
    length_km = max(step * power for step in (1, 2, 5) if step * power <= most)
    width = length_km * km_inches
    left, bottom = 0.15 / view.width_inches, 0.13 / view.height_inches
    axes.add_patch(
        Rectangle(
            (left, bottom),
            width / view.width_inches,
            0.045 / view.height_inches,
            transform=axes.transAxes,
            facecolor=INK,
            lw=0,
            zorder=8,
        )
    )
    axes.text(
        left,
        bottom + 0.07 / view.height_inches,
        f"{length_km:g} km",
        transform=axes.transAxes,
        fontsize=8,
        zorder=8,
        bbox={"facecolor": PANEL, "alpha": 0.8, "lw": 0, "pad": 0.8},
    )


def _note(axes: Axes, day: Day, rows: Sequence[Row], places: Mapping[str, Point], labels: _Labels) -> None:
    wanted = {name for row in rows for name in row.places} | {order.location for order in day.unassigned}
    missing = len(wanted - set(places) - {""})
    notes = []
    if missing:
        notes.append(f"{missing} of {len(wanted)} places have no coordinates and are not drawn")
    if labels.left_out:
        notes.append(f"{labels.wanted - labels.left_out} of {labels.wanted} labels fit")
    if notes:
        axes.text(
            1,
            1.008,
            "; ".join(notes),
            transform=axes.transAxes,
            ha="right",
            va="bottom",
            fontsize=7.2,
            color=FAINT_INK,
        )


def _legend_entries(day: Day, rows: Sequence[Row], stops: Mapping[Point, _Stops], depots: bool) -> list[Artist]:
    served = {found.level for found in stops.values() if found.served}
    left = {found.unassigned_level for found in stops.values() if found.unassigned}
    late = day.late_orders
    entries: list[Artist] = [
        Line2D([], [], ls="none", marker="o", ms=7.5, mfc=LEVEL_COLOURS[level], mec=INK, label=f"{level} served")
        for level in LEVELS
        if level in served
    ]
    entries += [
        Line2D(
            [],
            [],
            ls="none",
            marker="X",
            ms=9,
            mfc="none",
            mec=LEVEL_COLOURS[level],
            mew=1.7,
            label=f"{level} unassigned",
        )
        for level in LEVELS
        if level in left
    ]
    if any(order in late for found in stops.values() for order in found.served):
        entries.append(Line2D([], [], ls="none", marker="o", ms=10, mfc="none", mec=LATE, mew=1.5, label="late"))
    if depots:
        entries.append(
            Line2D(
                [],
                [],
                ls="none",
                marker="s",
                ms=7,
                mfc="#ffffff",
                mec=INK,
                mew=1.4,
                label="route start or end",
            )
        )
    if rows:
        entries.append(
            Line2D(
                [],
                [],
                color=FAINT_INK,
                lw=1.6,
                marker=(3, 0, -90),
                ms=6,
                label="route (colour: mark at its row)",
            )
        )
    return entries
