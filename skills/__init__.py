"""What engineers can do and what work asks for: the skill graph and qualification.

This is the leaf of the product: it imports nothing of ours. :class:`SkillGraph` knows which skill stands in
for which, and :func:`qualify` says whether a set of held skills covers a set of required ones, at what price,
along which path, or what is missing.
"""

from skills.graph import Relation, RelationKind, SkillGraph, SkillPath
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
    "Gap",
    "GapCode",
    "HeldSkill",
    "Match",
    "Qualification",
    "Relation",
    "RelationKind",
    "RequiredSkill",
    "SkillGraph",
    "SkillPath",
    "breakpoints",
    "qualify",
]
