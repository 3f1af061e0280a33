"""The watch of a server over the running day: what nobody asks for and has to happen all the same, as time passes.

Every `watch_seconds` the promises that came near their end or broke are told to the log, orders that are one fault
are linked, and the plans that something happened to are looked at (`api.self_repair`); after an L1, an L2 or an
illness at once. All of it may happen in several servers at a time and happens once. What goes wrong is logged and
tried again; the server goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Literal
from zoneinfo import ZoneInfo

import structlog

from api.bootstrap import Services
from api.fault_links import see_to_links
from api.live_days import LiveDays
from api.planning_state import LIVE_SHIFTS
from api.self_repair import SEARCH_SECONDS, Outcome, Overtaken, SelfRepair, live_policy
from api.sla_state import orders_to_watch, reached, record_crossings, untold, watched
from api.told_places import Named, named_in, territories_of
from api.warm import KernelWarmth
from data.event_log import EventLog, EventRecord
from data.repositories import Between, Plans, Repository, Scope
from data.session import UnitOfWork
from dispatcher.actor import Actor
from dispatcher.errors import Contention, InvalidInput, NoPlanInForce, Refusal, Unavailable
from dispatcher.self_repair import PRINCIPAL, changes_orders, concerns, is_pressing
from dispatcher.sla.clocks import Crossing

FOLLOW_SECONDS = 0.5
"""How often the log is read for what cannot wait."""
_PAGE = 1000
_ORDERS_AT_ONCE = 50
_LOG = structlog.stdlib.get_logger("muster.watch")


class Watch:
    """One per server, for its tenant. `start` it with the server and `stop` it before the database is closed."""

    def __init__(
        self,
        services: Services,
        kernel: KernelWarmth | None = None,
        *,
        search_seconds: float = SEARCH_SECONDS,
    ) -> None:
        self._services, self._database = services, services.database
        self._actor = Actor(services.settings.tenant, PRINCIPAL)
        self._repair = SelfRepair(
            services.database,
            services.settings,
            # Its own: the days of consoles are not pushed out by plans that nobody asks about, and nobody waits for it.
            LiveDays(live_policy(services.settings), size=1),
            search_seconds=search_seconds,
            can_search=lambda: kernel is None or kernel.is_ready(),
        )
        self._told: set[str] = set()
        self._read_to: int | None = None
        # Territories in which something happened since their plans were looked at, and those that cannot wait.
        self._waiting: set[str] = set()
        self._pressing: set[str] = set()
        # What ran where at the last look at all.
        self._running: dict[str, dict[date, str]] = {}
        # Territories with orders that may be the same fault as others, and those where linking them went wrong.
        self._unlinked: set[str] = set()
        self._not_linkable: set[str] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless the settings turn it off."""
        if self._services.settings.watch_seconds > 0:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End, after the plan that is being looked at."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def record_promises(self) -> list[tuple[str, Crossing]]:
        """Tell the log what promises came near their end or broke since; what is new, with the work orders.

        Raises:
            Contention, Unavailable
        """
        with self._database.read(self._actor) as work:
            found = reached(watched(work, orders_to_watch(work)))
            self._told &= found.keys()
            new = untold(work, found.keys() - self._told)
        self._told |= found.keys() - new
        if not new:
            return []
        names = sorted({found[client_id][0] for client_id in new})
        recorded: list[tuple[str, Crossing]] = []
        # Nobody else can write while this does: it looks at a few orders at a time, and at no others.
        for start in range(0, len(names), _ORDERS_AT_ONCE):
            if self._stop.is_set():
                return recorded
            some = names[start : start + _ORDERS_AT_ONCE]
            with self._database.write(self._actor) as work:
                EventLog(work).hold()
                orders = list(Repository(work, "work_order").iterate({"external_id": some}))
                recorded += record_crossings(work, watched(work, orders))
        self._told |= new
        return recorded

    def look(self, *, at_all: bool = True) -> list[Outcome]:
        """See to the plans that run now and that something happened to since the last look, `at_all` of them or only
        to those that cannot wait; what became of each.

        Raises:
            Contention, Unavailable
        """
        outcomes: list[Outcome] = []
        try:
            self._read_on()
        finally:
            # What cannot be read holds up nobody who waits already.
            self._link(at_all=at_all)
            if self._services.settings.on_change != "off":
                self._see_to_plans(outcomes, at_all=at_all)
        return outcomes

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        interval = self._services.settings.watch_seconds
        pause, next_round = FOLLOW_SECONDS, time.monotonic()
        while not self._stop.wait(pause):
            due = time.monotonic() >= next_round
            if due:
                next_round = time.monotonic() + interval
                self._tried("promises", self._record_and_say)
            went_well = self._tried("plans", partial(self.look, at_all=due))
            # What fails and fails again is not worth a line in the log twice a second.
            pause = FOLLOW_SECONDS if went_well else min(2 * pause, max(interval, FOLLOW_SECONDS))

    def _record_and_say(self) -> None:
        recorded = self.record_promises()
        if recorded:
            broken = sum(item.percent >= 100 for _, item in recorded)
            _LOG.info("promises_recorded", broken=broken, near=len(recorded) - broken)

    def _tried(self, what: str, action: Callable[[], object]) -> bool:
        """Do something, whatever happens; whether it went well."""
        try:
            action()
        except (Contention, Unavailable) as error:
            _LOG.warning("watch", part=what, code=error.code)
        except Exception:
            # Whatever it is, the server goes on, and so does the watch.
            _LOG.exception("watch_failed", part=what)
        else:
            return True
        return False

    def _link(self, *, at_all: bool) -> None:
        """Before anybody is sent: a second report of a fault is no second journey. What fails holds up no repair."""
        if self._services.settings.link_faults == "off":
            self._unlinked.clear()
            return
        if at_all:
            self._unlinked |= self._not_linkable
            self._not_linkable.clear()
        by_itself, links = self._services.settings.link_faults == "link", 0
        for name in sorted(self._unlinked):
            if self._stop.is_set():
                return
            try:
                links += len(see_to_links(self._database, self._actor, name, by_itself=by_itself))
            except (Contention, Unavailable) as error:
                _LOG.warning("watch", part="links", code=error.code)
                break
            except Exception:
                _LOG.exception("watch_failed", part="links", territory=name)
                self._not_linkable.add(name)
            self._unlinked.discard(name)
        if links:
            _LOG.info("links_found", links=links)

    # -- what happened -------------------------------------------------------------------------------------------

    def _read_on(self) -> None:
        """Read the log to its end; at first everything counts as changed, whatever was missed before."""
        with self._database.read(self._actor) as work:
            log = EventLog(work)
            if self._read_to is None:
                last = log.last()
                everywhere = {record.values["external_id"] for record in Repository(work, "territory").iterate()}
                self._waiting, self._unlinked = set(everywhere), everywhere
                self._read_to = last
                return
            while events := log.read(self._read_to, _PAGE):
                found = [concern for event in events if (concern := _concern(event)) is not None]
                pressing = [concern.named for concern in found if concern.is_pressing]
                orders = [concern.named for concern in found if concern.changes_orders]
                self._waiting |= territories_of(work, Named.union([concern.named for concern in found]))
                self._pressing |= territories_of(work, Named.union(pressing))
                self._unlinked |= territories_of(work, Named.union(orders))
                self._read_to = events[-1].sequence

    # -- what is done --------------------------------------------------------------------------------------------

    def _see_to_plans(self, outcomes: list[Outcome], *, at_all: bool) -> None:
        """Look at the plans of the territories that wait; nothing waits any more where all of them were seen to."""
        plans = self._plans(at_all=at_all)
        left = dict(plans)
        for plan_id, territories in plans.items():
            if self._stop.is_set():
                return
            found = self._looked(plan_id)
            if found == "again":
                continue
            if found == "later":
                self._pressing -= territories
                continue
            outcomes.append(found)
            if found == "repaired":
                # What room was there for is done; what else is wrong may be worth a proposal.
                self._waiting |= territories
                self._pressing |= territories
                continue
            del left[plan_id]
            seen_to = territories.difference(*left.values())
            self._waiting -= seen_to
            self._pressing -= seen_to

    def _plans(self, *, at_all: bool) -> dict[str, set[str]]:
        """The plans that run now in the territories that wait; those without one are forgotten until they have one."""
        if not at_all and not self._pressing:
            return {}
        with self._database.read(self._actor) as work:
            running = _running(work)
        if at_all:
            # Midnight is no event, and what was told of tomorrow had no plan to be looked at.
            names = running.keys() | self._running.keys()
            self._waiting |= {name for name in names if running.get(name) != self._running.get(name)}
            self._running = running
        self._waiting &= running.keys()
        self._pressing &= running.keys()
        wanted = self._waiting if at_all else self._pressing
        found: dict[str, set[str]] = {}
        # First who works past midnight: somebody is there sooner.
        plans = sorted((day, plan_id, name) for name in wanted for day, plan_id in running[name].items())
        for _, plan_id, name in plans:
            found.setdefault(plan_id, set()).add(name)
        return found

    def _looked(self, plan_id: str) -> Outcome | Literal["again", "later"]:
        """What became of a plan; "again" where something came in between, "later" where it could not be seen to."""
        try:
            outcome = self._repair.look(plan_id)
        except (Overtaken, NoPlanInForce, Contention):
            _LOG.info("repair_overtaken", plan_id=plan_id)
            return "again"
        except Unavailable:
            raise
        except Refusal as error:
            # Accepting it was refused, by what was changed without an event.
            _LOG.warning("repair_refused", plan_id=plan_id, code=error.code, because=str(error))
            return "later"
        except InvalidInput as error:
            # What is stored allows no plan; another look finds the same until something changes.
            _LOG.warning("repair_impossible", plan_id=plan_id, because=str(error))
            return "nothing"
        except Exception:
            # A defect of ours (`PlanRefused`), or whatever it is: other plans are seen to all the same.
            _LOG.exception("watch_failed", part="plans", plan_id=plan_id)
            return "later"
        if outcome in ("repaired", "proposed"):
            _LOG.info("plan_looked_at", plan_id=plan_id, outcome=outcome)
        return outcome


@dataclass(frozen=True, slots=True)
class _Concern:
    """An event that concerns plans: what it names, whether it cannot wait, and whether it tells orders as they are."""

    named: Named
    is_pressing: bool
    changes_orders: bool


def _concern(event: EventRecord) -> _Concern | None:
    """What an event means for plans, if anything."""
    kind, body = event.type, event.payload
    try:
        if not concerns(kind, body):
            return None
        return _Concern(named_in(event), is_pressing(kind, body), changes_orders(kind, body))
    except Exception:
        # One that nobody can read must not hide all that come after it.
        _LOG.exception("event_unreadable", sequence=event.sequence, type=kind)
        return None


def _running(work: UnitOfWork) -> dict[str, dict[date, str]]:
    """By territory the plans in force that run now by date: that of today, and of yesterday while shifts go on."""
    today = {
        record.values["external_id"]: work.now.astimezone(ZoneInfo(record.values["timezone"])).date()
        for record in Repository(work, "territory").iterate()
    }
    scopes = {Scope(name, day) for name, day in today.items()}
    for night in {day - timedelta(days=1) for day in today.values()}:
        running = {"local_date": night, "status": LIVE_SHIFTS, "latest_end": Between(low=work.now)}
        engineers = frozenset(record.values["engineer"] for record in Repository(work, "shift").iterate(running))
        names = territories_of(work, Named(engineers=engineers))
        scopes |= {Scope(name, night) for name in names if today[name] == night + timedelta(days=1)}
    found: dict[str, dict[date, str]] = {}
    for scope, plan_id in Plans(work).heads(scopes).items():
        found.setdefault(scope.territory, {})[scope.local_date] = plan_id
    return found
