"""Promises to customers: how urgent a work order is, what was promised for it, and how each promise stands.

`policy` holds what is promised, `grading` finds the level of an order, `calendars` says when clocks run, `clocks` how
they stand, `deadlines` what of it the planner is told, `felt` what the customer lived through, `linking` which orders
are one fault. Everything here is a pure function of what it is given; docs/sla.md says it in words.
"""
