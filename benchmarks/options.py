"""What several benchmarks take on their command line."""

from __future__ import annotations

import argparse
from math import isfinite

from dispatcher.validate import LIMITS


def positive_seconds(text: str) -> float:
    """A time limit in seconds; argparse says what is wrong with anything else."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not (isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"a time limit is a number of seconds above 0, not {text!r}")
    return seconds


def search_seed(text: str) -> int:
    """A seed of the search, as `muster solve` takes it."""
    if not text.isdecimal() or int(text) > LIMITS.seed:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 to {LIMITS.seed}, not {text!r}")
    return int(text)
