"""Figures for Prometheus: requests by route, runs and plans by state."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from data.session import Database
from data.statistics import planning_counts
from dispatcher.errors import Unavailable

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# From the phone's route, milliseconds, to a solve in the request, seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The figures of one application; each has a registry of its own."""

    def __init__(self, database: Database) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "muster_http_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "muster_http_request_duration_seconds",
            "Time from the request to the end of its answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(_Planning(database))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        # A client may call its method anything, and each label is kept for ever.
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)


class _Planning(Collector):
    """Counts what is stored at the moment it is asked: other processes plan, and this one may have just begun."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        answers = GaugeMetricFamily("muster_database_up", "Whether the database answers.")
        try:
            counts = planning_counts(self._database)
        except Unavailable:
            answers.add_metric((), 0)
            yield answers
            return
        answers.add_metric((), 1)
        yield answers
        runs = GaugeMetricFamily("muster_runs", "Planning runs by state.", labels=("state",))
        for state, count in counts.runs.items():
            runs.add_metric((state,), count)
        yield runs
        plans = GaugeMetricFamily("muster_plans", "Published plans by state.", labels=("state",))
        for state, count in counts.plans.items():
            plans.add_metric((state,), count)
        yield plans
        lost = GaugeMetricFamily("muster_runs_lease_expired", "Running, but not heard of since the lease ran out.")
        lost.add_metric((), counts.expired_leases)
        yield lost
        tries = GaugeMetricFamily("muster_runs_retried", "Runs that needed more than one attempt.")
        tries.add_metric((), counts.retried)
        yield tries
