"""Engines: from a problem to sequences; the evaluator makes the times."""
