"""The child process of one cell: it pins itself to its share of the machine before anything else is loaded.

`python -m benchmarks.cell JOB`, where JOB is a JSON file with `engine`, `track`, `limit_seconds`, `seed`, `threads`,
`document` (a path) and `result` (the path to write).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def pin(threads: int) -> None:
    """Keep this process and all its threads on so many processors, where the system lets us."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def main(arguments: list[str]) -> int:
    job = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    pin(job["threads"])
    # Solvers count the processors when they are imported, so pinning comes first.
    from benchmarks.measure import measure

    result = measure(job)
    Path(job["result"]).write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
