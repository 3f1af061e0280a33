"""The watch of a server over the running day: what nobody asks for and has to happen all the same, as time passes.

Every `watch_seconds` the promises that came near their end or broke are told to the log, orders that are one fault
are linked, and the plans that something happened to are looked at (`api.self_repair`); after an L1, an L2 or an
illness at once. All of it may happen in several servers at a time and happens once. What goes wrong is logged and
tried again; the server goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import structlog

from api.bootstrap import Services
from api.fault_links import see_to_links
from api.live_days import LiveDays
from api.running_day import plan_in_force
from api.self_repair import SEARCH_SECONDS, Outcome, Overtaken, SelfRepair
from api.sla_state import orders_to_watch, reached, record_crossings, untold, watched
from api.warm import KernelWarmth
from data.event_log import EventLog, EventRecord
from data.repositories import Repository
from data.session import UnitOfWork
from dispatcher.actor import Actor
from dispatcher.errors import Contention, MusterError, NoPlanInForce, NotFound, Unavailable
from dispatcher.self_repair import changes_orders, concerns, is_pressing
from dispatcher.sla.clocks import Crossing

FOLLOW_SECONDS = 0.5
"""How often the log is read for what cannot wait."""
PRINCIPAL = "muster"
_PAGE = 1000
_ORDERS_AT_ONCE = 50
_LOG = structlog.stdlib.get_logger("muster.watch")


class Watch:
    """One per server, for its tenant. `start` it with the server and `stop` it before the database is closed."""

    def __init__(
        self,
        services: Services,
        days: LiveDays,
        kernel: KernelWarmth | None = None,
        *,
        search_seconds: float = SEARCH_SECONDS,
    ) -> None:
        self._services, self._database = services, services.database
        self._actor = Actor(services.settings.tenant, PRINCIPAL)
        self._repair = SelfRepair(
            services.database,
            services.settings,
            days,
            search_seconds=search_seconds,
            can_search=lambda: kernel is None or kernel.is_ready(),
        )
        self._told: set[str] = set()
        self._read_to: int | None = None
        # Territories in which something happened since their plans were looked at, and those that cannot wait.
        self._waiting: set[str] = set()
        self._pressing: set[str] = set()
        # And those with orders that may be the same fault as others.
        self._unlinked: set[str] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless the settings turn it off."""
        if self._services.settings.watch_seconds > 0:
            self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
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
        recorded = []
        # Nobody else can write while this does: it looks at a few orders at a time, and at no others.
        for start in range(0, len(names), _ORDERS_AT_ONCE):
            some = names[start : start + _ORDERS_AT_ONCE]
            with self._database.write(self._actor) as work:
                EventLog(work).hold()
                orders = list(Repository(work, "work_order").iterate({"external_id": some}))
                recorded += record_crossings(work, watched(work, orders))
        self._told |= new
        return recorded

    def look(self, *, at_all: bool = True) -> list[Outcome]:
        """See to the plans in force today that something happened to since the last look, `at_all` of them or only
        to those that cannot wait; what became of each.

        Raises:
            Contention, Unavailable
        """
        self._read_on()
        self._link()
        if self._services.settings.on_change == "off":
            return []
        outcomes: list[Outcome] = []
        for plan_id, territories in self._plans(self._waiting if at_all else self._pressing).items():
            outcome = self._looked(plan_id)
            if outcome is None:
                # Something happened meanwhile: once more, in a moment.
                self._pressing |= territories & self._waiting
                continue
            self._waiting -= territories
            self._pressing -= territories
            outcomes.append(outcome)
            if outcome == "repaired":
                # What room was there for is done; what else is wrong may be worth a proposal.
                self._waiting |= territories
                self._pressing |= territories
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
            went_well = self._tried("plans", lambda due=due: self.look(at_all=due))  # type: ignore[misc]
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

    def _link(self) -> None:
        """Before anybody is sent: a second report of a fault is no second journey."""
        if self._unlinked and self._services.settings.link_faults != "off":
            by_itself = self._services.settings.link_faults == "link"
            found = see_to_links(self._database, self._actor, self._unlinked, by_itself=by_itself)
            if found:
                _LOG.info("links_found", links=len(found))
        self._unlinked.clear()

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
                concerning = [event for event in events if concerns(event.type, event.payload)]
                self._waiting |= _territories(work, concerning)
                pressing = [event for event in concerning if is_pressing(event.type, event.payload)]
                self._pressing |= _territories(work, pressing)
                orders = [event for event in concerning if changes_orders(event.type, event.payload)]
                self._unlinked |= _territories(work, orders)
                self._read_to = events[-1].sequence

    def _plans(self, territories: set[str]) -> dict[str, set[str]]:
        """The plans in force today for territories; those without one are forgotten."""
        found: dict[str, set[str]] = {}
        if not territories:
            return found
        with self._database.read(self._actor) as work:
            for name in sorted(territories):
                try:
                    found.setdefault(plan_in_force(work, territory=name), set()).add(name)
                except (NoPlanInForce, NotFound):
                    self._waiting.discard(name)
                    self._pressing.discard(name)
        return found

    def _looked(self, plan_id: str) -> Outcome | None:
        """What became of a plan; None where something came in between."""
        try:
            outcome = self._repair.look(plan_id)
        except (Overtaken, NoPlanInForce):
            _LOG.info("repair_overtaken", plan_id=plan_id)
            return None
        except (Contention, Unavailable):
            raise
        except MusterError as error:
            # What is stored allows no plan; another look finds the same until something changes.
            _LOG.warning("repair_impossible", plan_id=plan_id, error=type(error).__name__, because=str(error))
            return "nothing"
        if outcome in ("repaired", "proposed"):
            _LOG.info("plan_looked_at", plan_id=plan_id, outcome=outcome)
        return outcome


def _territories(work: UnitOfWork, events: Iterable[EventRecord]) -> set[str]:
    """Where what happened belongs: the territories of orders (or their sites) and of engineers."""
    orders: set[str] = set()
    engineers: set[str] = set()
    found: set[str] = set()
    for event in events:
        body = event.payload
        told = [body, *(body.get("written") or ())]
        kind = body.get("kind")
        orders |= {item["work_order"] for item in told if "work_order" in item}
        engineers |= {item["engineer"] for item in told if "engineer" in item}
        found |= {body["territory"]} if "territory" in body else set()
        found |= {scope["territory"] for scope in body.get("scopes") or ()}
        if "order" in body:
            orders.add(body["order"]["id"])
        if kind == "work_order":
            orders |= {item["id"] for item in body.get("written") or ()}
        if kind == "territory":
            found |= {item["id"] for item in body.get("written") or ()}
        if kind == "shift":
            engineers |= {key[0] for key in body.get("deleted") or ()}
    sites: set[str] = set()
    for values in _named(work, "work_order", orders):
        if values["territory"] is None:
            sites.add(values["site"])
        else:
            found.add(values["territory"])
    homes = (*_named(work, "site", sites), *_named(work, "engineer", engineers))
    return found | {values["territory"] for values in homes if values["territory"] is not None}


def _named(work: UnitOfWork, kind: str, names: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for some in _pages(sorted(names)):
        for record in Repository(work, kind).iterate({"external_id": some}):
            yield record.values


def _pages(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), _PAGE):
        yield names[start : start + _PAGE]
