"""Sections of a generated page: each writer renews its own, between two marks, and leaves the others alone."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

TITLE = "# Benchmarks\n"


def with_section(page: str, name: str, text: str) -> str:
    """A page with the section of that name replaced in its place, or added at the end.

    Raises:
        ValueError: for a section that begins and does not end.
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    section = f"{begin}\n{text.strip()}\n{end}\n"
    before, opened, rest = page.partition(begin)
    if not opened:
        return f"{(page or TITLE).rstrip()}\n\n{section}"
    _, closed, after = rest.partition(end)
    if not closed:
        raise ValueError(f"the section {name!r} has no end")
    return before + section + after.removeprefix("\n")


def write_section(path: Path, name: str, text: str) -> None:
    """Renew a section of a file; the file is created where there is none."""
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(with_section(page, name, text), encoding="utf-8")


def show_section(console: Console, path: Path, name: str, text: str, *, write: bool) -> None:
    """Print a section, and with `write` renew it in its file."""
    console.print(Markdown(text))
    if write:
        write_section(path, name, text)
        console.print(f"written to {path}", highlight=False, soft_wrap=True)
