"""Where the parts of the service are put together, once per process."""

from __future__ import annotations

from dataclasses import dataclass

from api.http.actors import Authoriser, everybody_may
from api.settings import Settings
from api.sla_policy import house_policy
from data.clock import SortableIds, SystemClock
from data.session import Database, upgrade


@dataclass(frozen=True, slots=True)
class Services:
    """What routers and workers need. `close` it at the end of the process."""

    settings: Settings
    database: Database
    authorise: Authoriser

    def close(self) -> None:
        self.database.close()


def build_services(settings: Settings) -> Services:
    """Services on the machine's clock, with the database's schema brought up to date.

    Raises:
        Unavailable: if the database does not answer.
        InvalidInput: if the file of the house's policy of promises cannot be meant.
    """
    house_policy()
    upgrade(settings.database_url)
    clock = SystemClock()
    database = Database(settings.database_url, clock=clock, ids=SortableIds(clock))
    return Services(settings=settings, database=database, authorise=everybody_may)
