"""Scenarios: planning problems made from real records."""
