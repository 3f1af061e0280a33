"""Emergency composition in its parts: the day at hand, who could come, what else moves, and the answer."""
