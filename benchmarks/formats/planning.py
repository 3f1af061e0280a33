"""Planning documents from files, plain or compressed, with every issue named where they have any."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from api.documents import check_problem
from dispatcher.errors import InvalidInput


def read_document(path: Path) -> dict[str, Any]:
    """The problem document of a `.json` or `.json.gz` file.

    Raises:
        InvalidInput: with every issue of the document.
        json.JSONDecodeError, OSError: for what is no JSON, or no file.
    """
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text(encoding="utf-8")
    document = json.loads(text)
    issues = check_problem(document)
    if issues:
        raise InvalidInput(issues)
    assert isinstance(document, dict)
    return document
