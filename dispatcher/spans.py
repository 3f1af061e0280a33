"""Spans of time that end just before an instant, and how several of them meet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Instants from `start` up to and without `end`, epoch seconds."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        return self.end - self.start


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same instants as few spans, in order and apart; empty ones fall away.

    Example:
        >>> merged([Span(5, 9), Span(0, 5), Span(12, 12)])
        (Span(start=0, end=9),)
    """
    found: list[Span] = []
    for span in sorted(spans, key=lambda item: item.start):
        if span.start >= span.end:
            continue
        if found and span.start <= found[-1].end:
            last = found.pop()
            span = Span(last.start, max(last.end, span.end))
        found.append(span)
    return tuple(found)


def common(spans: Sequence[Span], others: Sequence[Span]) -> tuple[Span, ...]:
    """The instants that lie in both lists, each in order and apart.

    Example:
        >>> common([Span(0, 4), Span(6, 9)], [Span(2, 7)])
        (Span(start=2, end=4), Span(start=6, end=7))
    """
    found = []
    place = other_place = 0
    while place < len(spans) and other_place < len(others):
        span, other = spans[place], others[other_place]
        start, end = max(span.start, other.start), min(span.end, other.end)
        if start < end:
            found.append(Span(start, end))
        if span.end <= other.end:
            place += 1
        else:
            other_place += 1
    return tuple(found)
