"""The trade of a synthetic fleet: repair of construction machines and elevators."""

from __future__ import annotations

from collections.abc import Iterable, KeysView, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from skills.graph import Relation, SkillGraph
from skills.qualification import HeldSkill, RequiredSkill, qualify

SKILLS = (
    "hydraulics", "hydraulics.pump", "hydraulics.cylinder", "pneumatics",
    "electrics", "electrics.motor", "controls", "controls.drive", "software", "network",
    "engine", "transmission", "structure", "structure.welding", "safety",
)  # fmt: skip
RELATIONS: tuple[dict[str, Any], ...] = (
    {"type": "implies", "from": "hydraulics", "to": "hydraulics.pump", "level_loss": 1},
    {"type": "implies", "from": "hydraulics", "to": "hydraulics.cylinder"},
    {"type": "implies", "from": "electrics", "to": "electrics.motor", "level_loss": 1},
    {"type": "implies", "from": "controls", "to": "controls.drive", "level_loss": 1},
    {"type": "implies", "from": "controls", "to": "software", "level_loss": 2},
    {"type": "implies", "from": "structure.welding", "to": "structure", "level_loss": 1},
    {"type": "substitutes", "from": "pneumatics", "to": "hydraulics", "level_loss": 1,
     "duration_factor": 1.3, "penalty": 600},
    {"type": "substitutes", "from": "engine", "to": "transmission", "level_loss": 1,
     "duration_factor": 1.25, "penalty": 600},
    {"type": "substitutes", "from": "software", "to": "network", "level_loss": 1,
     "duration_factor": 1.15, "penalty": 300},
    {"type": "substitutes", "from": "electrics", "to": "controls.drive", "level_loss": 2,
     "duration_factor": 1.35, "penalty": 900},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of work: on which machine, what it takes and how long, in minutes."""

    title: str
    machine: str
    skills: tuple[tuple[str, int], ...]
    minutes: tuple[int, int]
    parts: tuple[str, ...] = ()
    setup_minutes: int = 10


JOBS = (
    Job("boom drops under load", "crane", (("hydraulics", 3), ("safety", 2)), (90, 240), ("seal-kit",), 20),
    Job("slewing brake slips", "crane", (("transmission", 3),), (90, 210), ("brake-pad",), 20),
    Job("load limiter fault", "crane", (("controls", 3), ("safety", 2)), (45, 120), ("sensor",), 15),
    Job("mast inspection", "crane", (("structure", 2), ("safety", 2)), (60, 180), (), 15),
    Job("wire rope replacement", "crane", (("structure", 2),), (120, 240), ("wire-rope",), 30),
    Job("pump pressure low", "excavator", (("hydraulics.pump", 2),), (60, 180), ("pump",)),
    Job("cylinder leaks", "excavator", (("hydraulics.cylinder", 2),), (45, 150), ("seal-kit",)),
    Job("engine loses power", "excavator", (("engine", 3),), (60, 210), ("filter",)),
    Job("500 hour service", "excavator", (("engine", 2),), (60, 120), ("filter",)),
    Job("gearbox noise", "loader", (("transmission", 3),), (90, 240)),
    Job("bucket crack", "loader", (("structure.welding", 2),), (60, 180), (), 20),
    Job("concrete pump stalls", "concrete-pump", (("hydraulics", 3),), (60, 180), ("pump",), 15),
    Job("air brake fault", "mixer", (("pneumatics", 2),), (30, 90), ("valve",)),
    Job("car stops between floors", "elevator", (("controls", 3), ("electrics", 2)), (60, 180), ("relay",)),
    Job("door drive fault", "elevator", (("electrics.motor", 2),), (30, 120), ("door-drive",)),
    Job("drive converter trips", "elevator", (("controls.drive", 3),), (60, 180), ("converter",)),
    Job("monthly maintenance", "elevator", (("electrics", 1), ("safety", 1)), (30, 75)),
    Job("controller update", "elevator", (("software", 2),), (20, 60)),
    Job("telematics unit silent", "hoist", (("network", 2),), (20, 60), ("modem",)),
    Job("hoist motor overheats", "hoist", (("electrics.motor", 3),), (60, 150), ("relay",)),
    Job("generator does not start", "generator", (("engine", 2), ("electrics", 2)), (45, 150), ("battery",)),
    Job("safety test", "hoist", (("safety", 3),), (30, 90)),
)

TRADES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("hydraulics", ("hydraulics",), ("pneumatics", "engine")),
    ("electrics", ("electrics",), ("controls", "network")),
    ("controls", ("controls",), ("electrics", "software")),
    ("engine", ("engine", "transmission"), ("hydraulics.pump",)),
    ("structure", ("structure.welding", "structure"), ("hydraulics.cylinder",)),
    ("electronics", ("software", "network"), ("controls",)),
    ("hydraulics", ("hydraulics", "pneumatics"), ("structure",)),
    ("elevator", ("electrics", "controls.drive"), ("software",)),
)
"""A trade's name, what it masters and what it also knows. Crews are dealt round the list."""

FAMILY_NAMES = ("Chen", "Li", "Wang", "Zhang", "Liu", "Yang", "Huang", "Zhao", "Wu", "Zhou", "Xu", "Sun")
GIVEN_NAMES = ("Wei", "Fang", "Jun", "Min", "Lei", "Jing", "Tao", "Yan", "Bo", "Ning", "Hao", "Xin", "Kai")

Skills = list[dict[str, Any]]


def crew_skills(rng: Random, number: int) -> Skills:
    """What the engineer of that number holds; every fifth is an expert, all know safety."""
    _, mastered, known = TRADES[number % len(TRADES)]
    top = 5 if number % 5 == 0 else rng.choice((3, 4, 4))
    held = [{"skill": skill, "level": max(1, top - index)} for index, skill in enumerate(mastered)]
    held += [{"skill": skill, "level": max(1, top - rng.choice((1, 2, 2)))} for skill in known if rng.random() < 0.7]
    held.append({"skill": "safety", "level": rng.choice((2, 2, 3, 4))})
    return held


def stock(rng: Random, held: Skills) -> dict[str, int]:
    """Parts in the van: those of the jobs the engineer's skills touch."""
    known = {item["skill"].split(".")[0] for item in held} - {"safety"}
    wanted = {part for job in JOBS if job.skills[0][0].split(".")[0] in known for part in job.parts}
    return {part: rng.choice((1, 2, 3, 4)) for part in sorted(wanted) if rng.random() < 0.85}


def flatten(job: Job) -> Job:
    """The job without special skills: flat tags have no general skill that would cover a special one."""
    flat: dict[str, int] = {}
    for skill, level in job.skills:
        root = skill.split(".")[0]
        flat[root] = max(level, flat.get(root, 1))
    return Job(job.title, job.machine, tuple(flat.items()), job.minutes, job.parts, job.setup_minutes)


def flatten_held(held: Skills) -> Skills:
    best: dict[str, int] = {}
    for item in held:
        root = item["skill"].split(".")[0]
        best[root] = max(item["level"], best.get(root, 1))
    return [{"skill": skill, "level": level} for skill, level in best.items()]


def skill_graph() -> dict[str, Any]:
    return {"skills": [{"id": skill} for skill in SKILLS], "relations": [dict(item) for item in RELATIONS]}


class Qualifier:
    """Answers who can do what at an instant of the day (`at`, epoch seconds)."""

    def __init__(self, engineers: Sequence[Mapping[str, Any]], *, graph: bool, at: int) -> None:
        self._graph = SkillGraph(
            SKILLS if graph else (),
            [
                Relation(item["type"], item["from"], item["to"], item.get("level_loss", 0))
                for item in (RELATIONS if graph else ())
            ],
        )
        self._at = at
        self._held = {
            engineer["id"]: tuple(
                HeldSkill(item["skill"], item["level"], _expiry(item.get("valid_until"))) for item in engineer["skills"]
            )
            for engineer in engineers
        }
        self._known: dict[tuple[tuple[str, int], ...], KeysView[str]] = {}

    def holders(self, required: Iterable[Mapping[str, Any]]) -> KeysView[str]:
        """Who can do it, in the order of the fleet. Orders are many and what they ask for is not: it is found once."""
        key = tuple((item["skill"], item.get("level", 1)) for item in required)
        found = self._known.get(key)
        if found is None:
            wanted = [RequiredSkill(*pair) for pair in key]
            able = (name for name, held in self._held.items() if qualify(self._graph, held, wanted, self._at).qualified)
            found = self._known[key] = dict.fromkeys(able).keys()
        return found


def _expiry(text: str | None) -> int | None:
    return None if text is None else int(datetime.fromisoformat(text).timestamp())
