"""Readers of benchmark instances; each gives a planning document."""
