"""Where the public reference data is: it is read in place and never part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "MUSTER_REFERENCE_DATA"
CHECKOUT = Path(__file__).resolve().parent.parent


class NoReferenceData(Exception):  # noqa: N818
    """There is no reference data where it was looked for; the message says what to do."""


def reference_data(named: str | None = None) -> Path:
    """The folder that holds the families of instances (`vrptw_solomon`, …).

    It is the one named, else the one of the environment, else `shared` beside the checkout; the families may lie in
    a folder `data` of it.

    Raises:
        NoReferenceData: where they are not.
    """
    given = named or os.environ.get(VARIABLE)
    folder = Path(given).expanduser().resolve() if given else CHECKOUT.parent / "shared"
    for candidate in (folder, folder / "data"):
        if (candidate / "vrptw_solomon").is_dir():
            return candidate
    raise NoReferenceData(
        f"no reference data in {folder}: name the folder that holds vrptw_solomon/ with --data or {VARIABLE}"
    )
