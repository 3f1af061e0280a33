"""Refusals: one tree, one catalogue of codes, the same on the page of errors; whole after a trip between processes."""

import json
import pickle
import re
from pathlib import Path

import pytest

from dispatcher.errors import (
    ISSUE_CODES,
    REFUSAL_CODES,
    BadCursor,
    Contention,
    IdempotencyConflict,
    InUse,
    LeaseLost,
    MusterError,
    NamedRecord,
    NoPlanInForce,
    NotFound,
    OptionGone,
    RecordKey,
    Refusal,
    ScopeConflict,
    Stale,
    StaleRecord,
    Unavailable,
    UnknownReference,
    WrongState,
)

ERRORS_PAGE = Path(__file__).parent.parent / "docs" / "errors.md"
SITE, ASSET, SHIFT = RecordKey("site", ("S1",)), RecordKey("asset", ("A1",)), RecordKey("shift", ("E1", "mon"))
REFUSALS = [
    (NotFound(SITE), "there is no site S1"),
    (UnknownReference([NamedRecord(ASSET, "site", SITE)]), "asset A1: site names no site S1"),
    (InUse(SITE, [ASSET, SHIFT], more=True), "site S1 is used by asset A1, shift E1/mon and others"),
    (Stale([StaleRecord(SITE, 1, 3)]), "site S1 is at version 3, not 1"),
    (WrongState(RecordKey("run", ("R",)), "failed", "stop"), "run R is failed: it is not possible to stop"),
    (NoPlanInForce("east", "2026-11-23"), "no plan is in force for east on 2026-11-23: accept one first"),
    (OptionGone("W1", "T1", "E2 is off sick"), "option T1 for W1 is gone: E2 is off sick"),
    (
        ScopeConflict("P", [("east", "2026-11-23")]),
        "another plan was accepted after plan P was begun, for east on 2026-11-23",
    ),
    (IdempotencyConflict("k"), "the key 'k' was used for another command"),
    (LeaseLost("R"), "run R is no longer held by this worker"),
    (BadCursor(), "the cursor belongs to no list here"),
    (Contention(), "somebody else changed the same at the same time: send it again"),
    (Unavailable(), "the database does not answer now: try again later"),
]
each_refusal = pytest.mark.parametrize(("refusal", "message"), REFUSALS, ids=lambda value: getattr(value, "code", ""))


def test_every_refusal_has_a_code_of_its_own_in_the_catalogue() -> None:
    kinds = {type(refusal) for refusal, _ in REFUSALS}
    pending = [Refusal]
    while pending:
        kind = pending.pop()
        assert kind is Refusal or kind in kinds
        pending += kind.__subclasses__()
    assert sorted(kind.code for kind in kinds) == sorted(REFUSAL_CODES)


def test_the_page_of_errors_lists_every_refusal() -> None:
    page = ERRORS_PAGE.read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([A-Za-z]+)` \| `([A-Z_]+)` \|", page, flags=re.MULTILINE)
    assert dict(listed) == {type(refusal).__name__: refusal.code for refusal, _ in REFUSALS}
    assert not REFUSAL_CODES.keys() - {"NOT_FOUND"} & ISSUE_CODES.keys()


@each_refusal
def test_a_refusal_says_what_was_refused_and_carries_it_as_json(refusal: Refusal, message: str) -> None:
    assert isinstance(refusal, MusterError)
    assert str(refusal) == message
    json.dumps(refusal.params)


@each_refusal
def test_a_refusal_is_the_same_after_a_trip_between_processes(refusal: Refusal, message: str) -> None:
    arrived = pickle.loads(pickle.dumps(refusal))
    assert type(arrived) is type(refusal)
    assert (str(arrived), arrived.params) == (message, refusal.params)


def test_an_unknown_reference_is_something_not_found() -> None:
    error = UnknownReference([NamedRecord(ASSET, "site", SITE)])
    assert isinstance(error, NotFound)
    assert error.record == SITE
