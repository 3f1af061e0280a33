"""Measurements and scenarios: they may use every layer, and nothing of the product uses them."""
