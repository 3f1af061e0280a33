"""Records that a parameter or a body names; what the path of a request names is another matter, and 404."""

from __future__ import annotations

from data.repositories import Record, Repository
from data.session import UnitOfWork
from dispatcher.errors import NamedRecord, NotFound, RecordKey, UnknownReference

_REQUEST = RecordKey("request", ())


def named(work: UnitOfWork, kind: str, name: str, field: str) -> Record:
    """The record of a kind that a request names in a parameter or a field.

    Raises:
        UnknownReference: if there is none.
    """
    try:
        return Repository(work, kind).get(name)
    except NotFound as error:
        raise UnknownReference([NamedRecord(_REQUEST, field, error.record)]) from None


def in_words_of_the_request(error: UnknownReference, field: str) -> UnknownReference:
    """What a use case could not find, told by the field that the request names it in."""
    return UnknownReference(NamedRecord(_REQUEST, field, item.target) for item in error.references)
