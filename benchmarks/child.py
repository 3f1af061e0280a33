"""Runs one cell in a fresh process with its threads bounded, so that no run inherits what another one left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.cache import Cell
from benchmarks.reference import CHECKOUT

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
)
OVERHEAD_SECONDS = 1800.0
"""For reading, warming up, judging, trying what was left undone; a child that takes longer than this beyond twice its
limit hangs."""
LONGEST_SECONDS = 4 * 3600.0
"""For engines that end by themselves."""
ERROR_LINES = 5


def run_child(cell: Cell, document: Path) -> dict[str, Any]:
    """The result of a cell; `status` is `failed` with the end of its error output where the process died or hung."""
    with tempfile.TemporaryDirectory(prefix="muster-benchmark-") as folder:
        job, result = Path(folder, "job.json"), Path(folder, "result.json")
        job.write_text(
            json.dumps(
                {
                    "engine": cell.engine,
                    "track": cell.track,
                    "limit_seconds": cell.limit_seconds,
                    "seed": cell.seed,
                    "threads": cell.threads,
                    "document": str(document),
                    "result": str(result),
                }
            ),
            encoding="utf-8",
        )
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(cell.threads))
        limit = cell.limit_seconds
        patience = LONGEST_SECONDS if limit is None else 2 * limit + OVERHEAD_SECONDS
        try:
            ended = subprocess.run(
                [sys.executable, "-m", "benchmarks.cell", str(job)],
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                timeout=patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"status": "failed", "reason": f"no answer within {patience:.0f} s"}
        if ended.returncode or not result.exists():
            last = "\n".join(ended.stderr.strip().splitlines()[-ERROR_LINES:])
            return {"status": "failed", "reason": last or f"the process ended with {ended.returncode}"}
        answer: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return answer
