"""Use cases: what the entry points ask the domain to do."""
