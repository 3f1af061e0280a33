"""Adapters for input: importers, synthetic problems, travel times."""
