"""The commands of the service: `serve` and `worker` run it, `import` and `plan` ask one that runs."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich import box
from rich.table import Table

from api import cli_output as show
from api.cli_answers import answers, bounded, fail, writable, write_document
from api.cli_output import BAD_INPUT, NO_RESULT
from dispatcher.errors import InvalidInput, Issue, NoResult
from dispatcher.validate import LIMITS

if TYPE_CHECKING:
    from api.client import Document, Service
    from api.settings import Settings

Server = Annotated[str, typer.Option(metavar="URL", envvar="MUSTER_SERVER", help="The address of a Muster server.")]
Token = Annotated[
    str | None, typer.Option(metavar="TEXT", envvar="MUSTER_TOKEN", help="The server's token, where it asks for one.")
]
Database = Annotated[
    str | None, typer.Option(metavar="URL", help="Like sqlite:///var/muster.db or postgresql://user@host/muster.")
]
DEFAULT_SERVER = "http://127.0.0.1:8000"


def register(app: typer.Typer) -> None:
    """Add the commands to `muster`."""
    app.command()(serve)
    app.command()(worker)
    app.command("import")(import_document)
    app.command()(plan)


def serve(
    host: Annotated[str | None, typer.Option(metavar="NAME", help="The address to listen at.")] = None,
    port: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=65535, help="The port; 0 is any free one.")
    ] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", min=0, max=64, help="Workers started with it.")] = None,
    database: Database = None,
    demo: Annotated[bool, typer.Option("--demo", help="Plan a demo day where nothing is stored yet.")] = False,
) -> None:
    """Run the service until Ctrl-C: the interface under /v1, and a worker that makes the plans."""
    with answers(False, "the settings"):
        given = {"host": host, "port": port, "workers": workers, "database_url": database}
        if demo and "MUSTER_LOG_FORMAT" not in os.environ:
            given["log_format"] = "console"
        settings = _settings(given)
        from api import server
        from api.app import create_app
        from api.bootstrap import build_services
        from api.http.logs import configure_logs
        from api.warm import KernelWarmth

        try:
            listener = server.listen(settings.host, settings.port, or_next=demo)
        except OSError as error:
            reason = f"cannot listen at {settings.host}, port {settings.port}: {error.strerror or error}"
            fail(False, "CANNOT_LISTEN", f"{reason}. Name another with --host or --port.", BAD_INPUT, error)
        address = server.address_of(listener)
        configure_logs(settings.log_format)
        if demo:
            # Until the demo day is there, only what it says itself; then every request has its line.
            logging.getLogger().setLevel(logging.WARNING)
        services = build_services(settings)
        kernel = KernelWarmth()
        try:
            kernel.start()
            app = create_app(services, kernel)
            reached = server.run(app, listener, lambda: _announce(settings, address, demo))
        finally:
            kernel.stop()
            services.close()
        if not reached:
            raise NoResult("the server did not start; the lines above say why")
        _say("Stopped.")


def worker(
    database: Database = None,
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the worker is called in runs and logs.")
    ] = None,
) -> None:
    """Make the plans that wait in a database, until Ctrl-C. Any number of workers may run, on several machines."""
    with answers(False, "the settings"):
        settings = _settings({"database_url": database})
        from api.http.logs import configure_logs
        from api.warm import KernelWarmth
        from api.worker import run_worker, stop_on_signals, worker_name
        from data.session import upgrade

        configure_logs(settings.log_format)
        upgrade(settings.database_url)
        stop = stop_on_signals()
        called = name or worker_name()
        _say(f"Worker          {called}")
        _say(f"Database        {_shown(settings)}")
        _say("Ctrl-C stops it.")
        kernel = KernelWarmth()
        try:
            kernel.start()
            while not stop.is_set() and not kernel.wait(0.2):
                pass
        finally:
            kernel.stop()
        run_worker(settings, name=called, stop=stop)
        _say("Stopped.")


def import_document(
    source: Annotated[
        Path,
        typer.Argument(readable=False, metavar="FILE", help="A problem document (JSON), or a folder of CSV files."),
    ],
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Store what a planning document holds on a server: engineers, shifts, work orders, and all they name."""
    with _talking(str(source)):
        from api.client import Service
        from api.import_state import fleet_records

        fleet = fleet_records(_document(source))
        total = sum(len(collection.records) for collection in fleet.collections)
        table = Table("stored", "records", "new", "changed", "as before", box=box.SIMPLE_HEAD)
        for column in table.columns[1:]:
            column.justify = "right"
        began, done = time.monotonic(), 0
        with Service(server, token) as service, show.progress_bar("Importing", quiet=False) as progress:
            for collection in fleet.collections:
                name = collection.name.replace("-", " ")

                def told(records: int, name: str = name) -> None:
                    nonlocal done
                    done += records
                    progress(done / total, name)

                counts = service.store(collection, told)
                cells = (counts.total(), counts["created"], counts["updated"], counts["unchanged"])
                table.add_row(name, *(f"{cell:,}" for cell in cells))
        show.out.print(table)
        seconds = time.monotonic() - began
        show.out.print(f"{total:,} records stored on {service.address} in {seconds:.1f} s", highlight=False)
        for notice in fleet.notices:
            show.err.print(notice, style="yellow", highlight=False, markup=False, soft_wrap=True)


def plan(
    territory: Annotated[list[str], typer.Option(metavar="T", help="A territory; may be given several times.")],
    date: Annotated[list[str], typer.Option(metavar="D", help="A local date, YYYY-MM-DD; may be given several times.")],
    server: Server = DEFAULT_SERVER,
    token: Token = None,
    time_limit: Annotated[
        float | None,
        bounded("S", 0.001, LIMITS.time_limit_seconds, "Seconds of search."),
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=LIMITS.iterations, help="Stop after this many steps.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, max=LIMITS.seed, help="Seed of the search.")] = None,
    engine: Annotated[str | None, typer.Option(metavar="NAME", help="The engine, by name.")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Put the plan in force.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PLAN", help="Where to write the plan document.")
    ] = None,
) -> None:
    """Ask a server for a plan of what it stores. Ctrl-C cancels and takes the best so far; a second one leaves."""
    with _talking("the request"):
        from api.client import Service

        if output is not None:
            writable(output)
        options = {"time_limit_seconds": time_limit, "iteration_limit": iterations, "seed": seed, "engine": engine}
        request = {
            "territories": territory,
            "dates": date,
            "options": {name: value for name, value in options.items() if value is not None},
        }
        with Service(server, token) as service:
            run = _followed(service, service.ask_for_plan(request), "Planning")
            found = run.get("plan_id")
            if found is None:
                _without_plan(run)
            document = service.get(f"/v1/plans/{found}")
            if output is not None:
                write_document(document, output)
            show.out.print(show.score_line(document), highlight=False)
            if output is not None:
                show.out.print(f"Plan written to {output}", highlight=False, markup=False, soft_wrap=True)
            if accept:
                service.accept(found)
            show.out.print(f"Plan {found} is {'in force' if accept else 'published'}", highlight=False, soft_wrap=True)


# -- parts of commands -------------------------------------------------------------------------------------------


def _document(source: Path) -> Document:
    """A valid problem document from a file or a folder of CSV files."""
    from api.documents import load_problem_document

    try:
        is_folder = source.is_dir()
    except OSError:
        # It lies in a folder that may not be entered; reading it tells so.
        is_folder = False
    if not is_folder:
        return load_problem_document(source)
    from data.importers.csv_import import import_csv

    result = import_csv(source)
    if result.document is None:
        show.show_row_errors(result.errors)
        raise typer.Exit(BAD_INPUT)
    return result.document


def _followed(service: Service, run: Document, title: str) -> Document:
    """The run once it has ended; Ctrl-C asks it to end with the best so far, and again leaves it alone."""
    cancelled = False
    with show.progress_bar(title, quiet=False) as progress:
        while True:
            try:
                for state in service.follow(run["id"]):
                    run = state
                    waits = run["state"] == "queued"
                    progress(run["progress"], "waiting for a worker" if waits else run["progress_text"])
                return run
            except KeyboardInterrupt:
                if cancelled:
                    raise
                cancelled = True
                service.cancel(run["id"])


def _without_plan(run: Document) -> NoReturn:
    """Say why a run ended without a plan."""
    from api.client import issues_of

    error = run.get("error") or {}
    issues = (error.get("params") or {}).get("issues")
    if issues:
        show.show_issues(issues_of(issues), "what is stored")
        raise typer.Exit(BAD_INPUT)
    if run["state"] == "cancelled":
        raise NoResult(f"run {run['id']} was cancelled before there was a plan")
    raise NoResult(f"run {run['id']} failed: {error.get('code')}: {error.get('message')}")


@contextmanager
def _talking(what: str) -> Iterator[None]:
    """As `answers`, and what a server says instead of an answer."""
    with answers(False, what):
        from api.client import Refused, Unreachable

        try:
            yield
        except Unreachable as error:
            fail(False, "UNREACHABLE", str(error), NO_RESULT, error)
        except Refused as error:
            if error.issues:
                raise InvalidInput(error.issues) from error
            fail(False, error.code, str(error), BAD_INPUT if error.status < 500 else NO_RESULT, error)


def _announce(settings: Settings, address: str, demo: bool) -> None:
    """Say that the server can be reached, and how; the demo day goes on beside it."""
    wished = settings.port
    if not address.endswith(f":{wished}") and wished:
        _say(f"Port {wished} is in use: this is the next free one.")
    _say(f"Muster is at    {address}")
    _say(f"Try it at       {address}/docs")
    _say(f"Database        {_shown(settings)}")
    _say("Ctrl-C stops it.")
    if demo:
        threading.Thread(target=_demo, args=(settings, address), daemon=True).start()


def _demo(settings: Settings, address: str) -> None:
    from api.client import Service, ServiceError
    from api.demo_day import show_demo_day

    logging.getLogger("httpx").setLevel(logging.WARNING)
    token = settings.token.get_secret_value() if settings.token else None
    try:
        with Service(address, token) as service:
            show_demo_day(service, guarded=token is not None)
    except ServiceError as error:
        _say(f"The demo day could not be planned: {error}")
    finally:
        logging.getLogger().setLevel(logging.INFO)


def _shown(settings: Settings) -> str:
    """The URL of the database without its password."""
    from sqlalchemy import make_url

    return make_url(settings.database_url).render_as_string()


def _say(line: str) -> None:
    show.out.print(line, highlight=False, markup=False, soft_wrap=True)


def _settings(given: Mapping[str, Any]) -> Settings:
    """The settings of the environment, with what the command line says instead."""
    from pydantic import ValidationError

    from api.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise InvalidInput(
            Issue(
                ".".join(str(part) for part in found["loc"]) or "host",
                "OUT_OF_RANGE",
                found["msg"].removeprefix("Value error, "),
                "See muster serve --help and docs/operations.md.",
            )
            for found in error.errors(include_url=False, include_input=False)
        ) from error
