"""The search kernel: ruin and recreate over flat arrays, compiled, without the global lock.

    layout    what the arrays hold
    travel    seconds and cost of a leg
    schedule  times and costs along a route
    change    visits in and out of routes, and back
    ruin, recreate, iterate   the search

It imports nothing of ours but itself. `solver.compile` makes the arrays of a problem, `solver.search` runs it.
"""
