"""Public reference data: where it is, and the golden cases in it.

The data is not part of the repository. `MUSTER_REFERENCE_DATA` names its folder; without it a folder called
`shared` beside the checkout is used where it holds `golden/`. Tests that need the data skip without it.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "MUSTER_REFERENCE_DATA"
_CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """A small problem, a plan for it, and what every implementation must say about the pair.

    `problem` and `plan` are planning documents as parsed from JSON. `expected` holds `feasible` (bool),
    `total` (int), `terms` (a list of {rule, amount, cost}; amounts of 0 may be left out) and `findings`,
    whose wording binds nobody.
    """

    name: str
    problem: dict[str, Any]
    plan: dict[str, Any]
    expected: dict[str, Any]


def reference_folder() -> Path | None:
    """The folder of the reference data, or None where there is none.

    Raises pytest.UsageError if the environment names a folder without `golden/`: a mistyped path must not
    pass for data that is absent.
    """
    named = os.environ.get(VARIABLE)
    if named:
        folder = Path(named).expanduser().resolve()
        if not (folder / "golden").is_dir():
            raise pytest.UsageError(f"{VARIABLE} is {named!r}, but there is no golden/ in that folder")
        return folder
    folder = _CHECKOUT.parent / "shared"
    return folder if (folder / "golden").is_dir() else None


def require_reference() -> Path:
    """The folder of the reference data; skips the calling test where there is none."""
    folder = reference_folder()
    if folder is None:
        pytest.skip(f"no reference data: set {VARIABLE} to its folder")
    return folder


def golden_cases() -> list[GoldenCase]:
    """Every golden case in the order of their names; empty where there is no reference data.

    A test parametrized over an empty list is skipped by pytest, so this may be called during collection.
    """
    folder = reference_folder()
    if folder is None:
        return []
    return [_read_case(case) for case in sorted((folder / "golden").iterdir()) if case.is_dir()]


def _read_case(folder: Path) -> GoldenCase:
    return GoldenCase(
        name=folder.name,
        problem=_read_json(folder / "problem.json"),
        plan=_read_json(folder / "plan.json"),
        expected=_read_json(folder / "expected.json"),
    )


def _read_json(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document
