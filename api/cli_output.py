"""How the command line speaks: issues, findings and progress on a terminal, or one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from api.render_text import counted, plain

if TYPE_CHECKING:
    from data.importers.csv_report import RowError
    from dispatcher.errors import Issue
    from dispatcher.verify import Finding

GOOD, FAILED_CHECK, BAD_INPUT, NO_RESULT = 0, 1, 2, 3
"""Exit codes of every command."""

WIDTH_WITHOUT_TERMINAL = 120


class _Console(Console):
    """Where the reader of a pipe has gone, say so: rich would end the command as if a check had failed."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


out = _Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
err = _Console(stderr=True)


def print_json(value: object) -> None:
    """One JSON object on standard output, whatever the terminal."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")
    sys.stdout.flush()


def issue_document(issue: Issue) -> dict[str, Any]:
    return {
        "path": issue.path,
        "code": issue.code,
        "message": issue.message,
        "remedy": issue.remedy,
        "params": dict(issue.params),
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "code": finding.code,
        "path": finding.path,
        "message": finding.message,
        "params": dict(finding.params),
    }


def row_error_document(error: RowError) -> dict[str, Any]:
    return {field: getattr(error, field) for field in error.__dataclass_fields__}


def show_issues(issues: Sequence[Issue], title: str) -> None:
    """Every issue, each with where, what and what to do."""
    err.print(Text(f"{title}: {len(issues)} {'error' if len(issues) == 1 else 'errors'}", style="bold red"))
    for issue in issues:
        err.print(Text.assemble("  ", (plain(issue.path or "document"), "bold"), f"  {issue.code}"), soft_wrap=True)
        err.print(Text(f"    {plain(issue.message)}"), soft_wrap=True)
        err.print(Text(f"    → {plain(issue.remedy)}", style="dim"), soft_wrap=True)


def show_row_errors(errors: Sequence[RowError]) -> None:
    """Every error of an import, each with its file, line and column."""
    err.print(Text(f"{len(errors)} {'error' if len(errors) == 1 else 'errors'} in the CSV files", style="bold red"))
    for error in errors:
        err.print(Text(f"  {plain(str(error))}"), soft_wrap=True)


def show_findings(findings: Sequence[Finding]) -> None:
    """Every finding of the checker, by rule."""
    table = Table(title="What is wrong with the plan", title_justify="left", show_lines=False)
    for head in ("rule", "code", "where", "what"):
        table.add_column(head, overflow="fold")
    for finding in findings:
        table.add_row(*(Text(plain(text)) for text in (finding.rule, finding.code, finding.path, finding.message)))
    out.print(table)


@contextmanager
def progress_bar(title: str, *, quiet: bool) -> Iterator[Callable[[float, str], None]]:
    """A progress bar on standard error; nothing with `quiet`. Where there is no terminal only compiling is said, since
    that takes a minute whatever the time limit."""
    if quiet:
        yield lambda fraction, text: None
        return
    if not err.is_terminal:
        yield lambda fraction, text: err.print(f"{text} ...", highlight=False) if text.startswith("compiling") else None
        return
    columns = (
        TextColumn("{task.fields[title]}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=1.0, title=escape(title))
        yield lambda fraction, text: bar.update(task, completed=fraction, description=escape(text))


def score_line(plan: Mapping[str, Any]) -> str:
    """One line about a plan: what it serves and what it costs."""
    served = {stop["work_order"] for route in plan["routes"] for stop in route["stops"] if stop.get("work_order")}
    unassigned = len(plan.get("unassigned") or ())
    total = (plan.get("score") or {}).get("total")
    return (
        f"{counted(len(served), 'order')} served on {counted(len(plan['routes']), 'route')}, "
        f"{counted(len(plan.get('teams') or ()), 'team')}, {unassigned} unassigned, total cost {total:,}"
    )
