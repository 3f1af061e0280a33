"""What all tests share: hypothesis profiles, databases, and lines that say what was found for the tests."""

from functools import cache

import typer.testing
from hypothesis import HealthCheck, settings

from tests.databases import (
    clock,
    database,
    database_url,
    empty_url,
    postgres_description,
    postgres_migrated,
    postgres_server,
    sqlite_template,
)
from tests.reference import VARIABLE, reference_folder

__all__ = [
    "clock",
    "database",
    "database_url",
    "empty_url",
    "postgres_migrated",
    "postgres_server",
    "sqlite_template",
]

# Derandomized, so that a red build is red again on the next machine; and never judged by the clock, because
# two busy cores under coverage are slow without anything being wrong.
settings.register_profile(
    "default",
    derandomize=True,
    database=None,
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.register_profile("full", settings.get_profile("default"), max_examples=1000)
settings.load_profile("default")

# Typer's runner reads the signatures of all commands anew whenever it runs one, which takes longer than most runs.
typer.testing._get_command = cache(typer.testing._get_command)  # type: ignore[attr-defined]


def pytest_report_header() -> list[str]:
    folder = reference_folder()
    return [
        f"reference data: {folder or f'none, tests that need it skip (set {VARIABLE} to its folder)'}",
        postgres_description(),
    ]
