"""What relations between skills must not say of one another, as issues of a document."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from dispatcher.validate_values import IssueList, JsonObject, Path, number, text, whole
from skills.consistency import contradictions
from skills.graph import Relation, RelationKind

_KINDS: dict[object, RelationKind] = {"implies": "implies", "substitutes": "substitutes"}


def relation_issues(given: Iterable[tuple[Path, JsonObject]], issues: IssueList) -> None:
    """Reports circles and contradictions among relations, each at one of them; malformed relations are skipped."""
    relations: list[Relation] = []
    paths: list[Path] = []
    for path, item in given:
        relation = _relation(item)
        if relation is not None:
            relations.append(relation)
            paths.append(path)
    for found in contradictions(relations):
        issues.report(paths[found.position], found.code, found.message, found.remedy, skills=list(found.skills))


def _relation(item: JsonObject) -> Relation | None:
    kind, source, target = _KINDS.get(text(item.get("type"))), text(item.get("from")), text(item.get("to"))
    if kind is None or source is None or target is None:
        return None
    loss = whole(item.get("level_loss"))
    price = {name: number(item.get(name)) for name in ("duration_factor", "penalty")} if kind == "substitutes" else {}
    exact = {name: Fraction(repr(value)) for name, value in price.items() if value is not None}
    try:
        return Relation(kind, source, target, 0 if loss is None else loss, **exact)
    except ValueError:
        return None
