"""The team policy as a file has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data.sla_policy import read_policy_file


def default_team_policy() -> dict[str, Any]:
    """The policy that comes with Muster."""
    return read_policy_file(Path(__file__).with_name("team_policy.yaml"))
