"""A day replayed: a stream of events against a simulated crew, and policies that decide as it happens."""
