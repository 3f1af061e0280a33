"""The parts of the independent checker; its public entry is `dispatcher.verify`.

Nothing here imports the rest of the product: the checker is worth having because it cannot share a bug with
what it judges.
"""
