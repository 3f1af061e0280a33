"""Planning documents from files, plain or compressed, with every issue named where they have any."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

from api.documents import check_problem, load_problem_document, read_json
from dispatcher.errors import InvalidInput, Issue


def read_document(path: Path) -> dict[str, Any]:
    """The problem document of a `.json` or `.json.gz` file.

    Raises:
        InvalidInput: with every issue; also where there is no such file, or it cannot be read.
    """
    if path.suffix != ".gz":
        return load_problem_document(path)
    try:
        raw = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        message, remedy = f"{path.name} cannot be read: {reason}", "Check its name, and that it was written whole."
        raise InvalidInput([Issue("", "UNREADABLE_FILE", message, remedy)]) from None
    return read_json(raw, _without_issue, name=path.name)


def _without_issue(document: Any) -> dict[str, Any]:
    issues = check_problem(document)
    if issues:
        raise InvalidInput(issues)
    assert isinstance(document, dict)
    return document
