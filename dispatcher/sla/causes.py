"""Why a promise came near its end or broke: a code with parameters, and the words for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

CAUSES: Mapping[str, str] = {
    "NOT_ANSWERED": "nobody has answered yet; opened {since}",
    "NOBODY_PLANNED": "nobody is planned for it yet; opened {since}",
    "NOT_ACCEPTED": "it is planned since {since}, and no engineer has accepted it",
    "NOT_LEFT": "an engineer accepted it {since} and has not left yet",
    "STILL_TRAVELLING": "the engineer is on the way since {since}",
    "ONLY_CONSULTED": "an expert advises since {since}, nobody is on the way",
    "NO_CONSULTATION": "no expert has been consulted; the order is {state} since {since}",
    "WORK_GOES_ON": "work on site goes on since {since}",
    "VISIT_FAILED": "the visit failed {since}: {note}",
    "WAITING": "the order waits ({state}) since {since}, which does not stop this clock",
    "REGRADED": "the order became {level} when so much time had passed already",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """A code of `CAUSES` with its parameters; instants among them are texts in the zone of the site."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        said = dict(self.params)
        if "since" in said:
            said["since"] = str(said["since"])[:16].replace("T", " ")
        if "state" in said:
            said["state"] = str(said["state"]).replace("_", " ")
        return CAUSES[self.code].format(**said)


_BY_STATE: Mapping[str, str] = {
    "opened": "NOBODY_PLANNED",
    "planned": "NOT_ACCEPTED",
    "accepted": "NOT_LEFT",
    "en_route": "STILL_TRAVELLING",
    "consulting": "ONLY_CONSULTED",
    "on_site": "WORK_GOES_ON",
    "failed": "VISIT_FAILED",
}


def cause_of(
    clock: str, state: str, since: datetime, note: str | None, regraded_to: str | None, zone: ZoneInfo
) -> Cause:
    """Why a clock got so far: the state of the order then, or the stricter level that it got (`regraded_to`)."""
    if regraded_to is not None:
        return Cause("REGRADED", {"level": regraded_to})
    told: dict[str, object] = {"since": since.astimezone(zone).replace(microsecond=0).isoformat()}
    if clock == "respond":
        return Cause("NOT_ANSWERED", told)
    if state == "failed":
        return Cause("VISIT_FAILED", {**told, "note": note or "no reason was given"})
    if clock == "consult":
        return Cause("NO_CONSULTATION", {**told, "state": state})
    code = _BY_STATE.get(state, "WAITING")
    return Cause(code, told if code != "WAITING" else {**told, "state": state})
