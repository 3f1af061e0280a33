"""The policy in force: that of the house, from its file, and what a contract changes of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from api.documents_shape import shape_issues
from api.sla_schemas import SlaChanges, SlaPolicy
from data.sla_policy import default_policy, public_holidays, read_policy_file
from dispatcher.errors import InvalidInput, Issue, Segment, path_text
from dispatcher.sla.policy import Policy, read_policy, with_contract

VARIABLE = "MUSTER_SLA_POLICY"
"""The environment variable that names the file of the house's policy; the one that comes with Muster without it."""


def house_policy() -> Mapping[str, Any]:
    """The document of the house's policy.

    Raises:
        InvalidInput: if the file cannot be read, or says what cannot be meant.
    """
    return _house(os.environ.get(VARIABLE) or None)


def policy_of(changes: Mapping[str, Any] | None) -> Policy:
    """The policy as a contract changes it; that of the house without changes.

    Raises:
        InvalidInput: if that makes no policy.
    """
    return checked_policy(with_contract(house_policy(), changes))


def policy_at(path: Path | None) -> Policy:
    """The policy in a file; that of the house without one.

    Raises:
        InvalidInput: if the file cannot be read, or says what cannot be meant.
    """
    return checked_policy(house_policy() if path is None else _house(str(path)))


def policy_document(path: Path, example: str) -> dict[str, Any]:
    """The document in the file of a policy, of promises or teams; `example` is one that can be read.

    Raises:
        InvalidInput: if the file cannot be read.
    """
    try:
        return read_policy_file(path)
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror or error}"
    except ValueError as error:
        reason = str(error)
    remedy = f"Name a YAML or JSON file in UTF-8 like {example}."
    raise InvalidInput([Issue(str(path), "UNREADABLE_FILE", reason, remedy)])


def checked_policy(document: object) -> Policy:
    """A document as a policy.

    Raises:
        InvalidInput: with everything wrong in it.
    """
    issues = shape_issues(SlaPolicy, document)
    if issues:
        raise InvalidInput(issues)
    assert isinstance(document, dict)
    return read_policy(document, public_holidays)


def issues_of_changes(changes: object) -> list[Issue]:
    """What a contract's changes say that cannot be meant; whatever is malformed is left to the check of shape."""
    if not isinstance(changes, dict) or not changes or shape_issues(SlaChanges, changes):
        return []
    try:
        policy_of(changes)
    except InvalidInput as error:
        return list(error.issues)
    return []


def placed(issue: Issue, path: tuple[Segment, ...]) -> Issue:
    """An issue of a part as one of the whole, in which the part lies at `path`."""
    return replace(issue, path=".".join(part for part in (path_text(path), issue.path) if part))


@lru_cache(maxsize=4)
def _house(name: str | None) -> Mapping[str, Any]:
    if name is None:
        return default_policy()
    document = policy_document(Path(name), "data/sla_policy.yaml")
    checked_policy(document)
    return document
