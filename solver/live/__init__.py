"""The running plan: what is left of it now, and answers about it while people wait."""
