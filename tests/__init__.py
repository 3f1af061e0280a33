"""The tests of Muster: each is named after the behaviour it protects."""
