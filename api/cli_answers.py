"""What the commands of `muster` share: errors become answers and exit codes, files are written whole, Ctrl-C asks."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer

from api import cli_output as show
from api.cli_output import BAD_INPUT, GOOD, NO_RESULT
from dispatcher.errors import EngineRefuses, InvalidInput, Issue, NoResult, PlanRefused, Refusal, UnknownEngine


@contextmanager
def answers(as_json: bool, what: str) -> Iterator[None]:
    """Turn the product's errors into the answer and exit code they stand for."""
    try:
        yield
    except InvalidInput as error:
        if as_json:
            show.print_json({"valid": False, "errors": [show.issue_document(issue) for issue in error.issues]})
        else:
            show.show_issues(error.issues, what)
        raise typer.Exit(BAD_INPUT) from error
    except UnknownEngine as error:
        fail(as_json, "UNKNOWN_ENGINE", str(error), BAD_INPUT, error)
    except EngineRefuses as error:
        fail(as_json, "ENGINE_REFUSES", str(error), BAD_INPUT, error)
    except PlanRefused as error:
        fail(as_json, "PLAN_REFUSED", f"the plan failed its own check:\n{error}", NO_RESULT, error)
    except NoResult as error:
        fail(as_json, "NO_RESULT", str(error), NO_RESULT, error)
    except Refusal as error:
        fail(as_json, error.code, str(error), NO_RESULT, error)
    except BrokenPipeError:
        # Whoever reads has seen enough; without a standard output nothing is flushed into the pipe at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(GOOD) from None


def fail(as_json: bool, code: str, message: str, exit_code: int, error: Exception) -> NoReturn:
    if as_json:
        show.print_json({"errors": [{"code": code, "message": message}]})
    else:
        show.err.print(f"{code}: {message}", style="bold red", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(exit_code) from error


def write_document(document: object, path: Path) -> None:
    """Write a JSON document whole or not at all; into a device or a pipe as it is.

    Raises:
        InvalidInput: where the file cannot be written.
    """
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if _is_special(path):
            path.write_text(text, encoding="utf-8")
            return
        unfinished = _unfinished(path)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path.resolve())
    except OSError as error:
        raise unwritable(path, error) from error


def writable(path: Path, *others: Path | None) -> None:
    """Refuse a file that cannot or must not be written before any work is done for it.

    Args:
        others: files that the command reads, or writes something else into.

    Raises:
        InvalidInput: if it is one of them, or cannot be written.
    """
    try:
        if not _is_special(path) and path.resolve() in {other.resolve() for other in others if other is not None}:
            raise FileExistsError(f"{path} is what the command reads, or writes something else into")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder")
        if not _is_special(path):
            probe = _unfinished(path)
            probe.touch()
            probe.unlink()
    except OSError as error:
        raise unwritable(path, error) from error


def _is_special(path: Path) -> bool:
    """A device or a pipe: what is renamed to its name would take its place."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _unfinished(path: Path) -> Path:
    """Where a file is written before it gets its name, beside what a link leads to."""
    whole = path.resolve()
    return whole.with_name(f".{whole.name}.part")


def drawable(path: Path, *others: Path | None, option: str = "output") -> None:
    """`writable` for a picture.

    Raises:
        InvalidInput: as `writable`; also for a format that pictures do not have.
    """
    writable(path, *others)
    if path.suffix.lower() != ".png":
        message = f"{path.suffix or 'a name without an ending'} is no format for a picture"
        raise issue_error(option, "UNKNOWN_VALUE", message, "Use .png.")


def unwritable(path: Path, error: OSError) -> InvalidInput:
    reason = f"cannot be written: {error.strerror or error}"
    return issue_error(str(path), "UNWRITABLE_FILE", reason, "Name another file.")


def issue_error(path: str, code: str, message: str, remedy: str) -> InvalidInput:
    return InvalidInput([Issue(path, code, message, remedy)])


def bounded(metavar: str, least: float, most: float, text: str) -> Any:
    """An option with a finite number within bounds, which `--help` names, and the refusal too, in plain words."""

    def read(written: str) -> float:
        try:
            value = float(written)
        except ValueError:
            raise typer.BadParameter(f"{written!r} is not a number. Write one like 1.5.") from None
        if not math.isfinite(value):
            raise typer.BadParameter(f"{written} is not a finite number. Use {least:,g} to {most:,.0f}.")
        if not least <= value <= most:
            raise typer.BadParameter(f"{written} is out of bounds. Use {least:,g} to {most:,.0f}.")
        return value

    return typer.Option(metavar=metavar, min=least, max=most, parser=read, help=text)


@contextmanager
def interrupt() -> Iterator[Callable[[], bool]]:
    """Ctrl-C once asks the engine to end with the best so far; twice ends at once."""
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        asked = True
        # Also where the signal was ignored before, as it is for what a shell runs in the background.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
