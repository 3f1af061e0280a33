"""What engineers can do and what work asks for: the skill graph, qualification, and what became of it.

This is the leaf of the product: it imports nothing of ours. :class:`SkillGraph` knows which skill stands in
for which, and :func:`qualify` says whether a set of held skills covers a set of required ones, at what price,
along which path, or what is missing. :func:`learn` makes figures of engineers from resolved orders. Files of skill
graphs are in :mod:`skills.exchange`.
"""

from skills.consistency import Contradiction, contradictions
from skills.graph import Relation, RelationKind, SkillGraph, SkillPath
from skills.history import Estimate, Experience, History, ResolvedOrder, engineer_fields, learn
from skills.qualification import (
    Gap,
    GapCode,
    HeldSkill,
    Match,
    Qualification,
    RequiredSkill,
    breakpoints,
    qualify,
)

__all__ = [
    "Contradiction",
    "Estimate",
    "Experience",
    "Gap",
    "GapCode",
    "HeldSkill",
    "History",
    "Match",
    "Qualification",
    "Relation",
    "RelationKind",
    "RequiredSkill",
    "ResolvedOrder",
    "SkillGraph",
    "SkillPath",
    "breakpoints",
    "contradictions",
    "engineer_fields",
    "learn",
    "qualify",
]
