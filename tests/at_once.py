"""Acts of several at the same moment."""

import threading
from collections.abc import Callable


def at_once(*acts: Callable[[], object]) -> None:
    """Begin all of them together; the first failure of any is raised when all have ended."""
    barrier = threading.Barrier(len(acts))
    failures: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        try:
            barrier.wait(30)
            act()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for failure in failures:
        raise failure
