"""How the kernel is compiled: numba, without the global lock, cached outside the package under a key of its sources.

numba notices an edit of the file a function stands in, but not of the files it calls into; so the cache folder is
named by a hash over all sources of the kernel, and an edited kernel never runs stale code. With `NUMBA_DISABLE_JIT=1`
everything here is plain Python, for a debugger and for coverage.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from llvmlite.binding import get_host_cpu_name
from numba import config, types
from numba.core.dispatcher import Dispatcher

# Makes it known to numba.
from solver.kernel import pointer_type  # noqa: F401

Function = TypeVar("Function", bound=Callable[..., Any])


def sources_sha256() -> str:
    """A hash over every file of the kernel, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def cache_folder() -> Path:
    """Where compiled code is kept: the user's cache folder (`XDG_CACHE_HOME`), never the installed package."""
    given = os.environ.get("MUSTER_KERNEL_CACHE")
    if given:
        root = Path(given)
    else:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111  Path.home() may raise
        root = Path(home) / "muster"
    return root / f"kernel-{numba.__version__}-{sources_sha256()[:16]}"


def _usable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    # A home that cannot be written to costs one compilation per process, no more.
    return Path(tempfile.mkdtemp(prefix="muster-kernel-"))


CACHE_FOLDER = _usable(cache_folder())
# numba makes its settings from the environment as it is imported, so no type tells of them.
config.CACHE_DIR = str(CACHE_FOLDER)  # type: ignore[attr-defined]
# Compiled code is of one Python and one kind of processor, and a home may be shared.
_PROCESSOR = config.CPU_NAME or get_host_cpu_name()  # type: ignore[attr-defined]
_COMPLETE = CACHE_FOLDER / f"complete-{sys.implementation.cache_tag}-{_PROCESSOR}"
_IS_BOUNDS_CHECKED = bool(config.BOUNDSCHECK)  # type: ignore[attr-defined]
# The kernel allocates nothing, so it needs none of numba's reference counts.
_OPTIONS: dict[str, Any] = {
    "cache": not _IS_BOUNDS_CHECKED,
    "nogil": True,
    "_nrt": False,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
}


def is_warm() -> bool:
    """Whether all of these sources has been compiled; while a process compiles, or where one was ended, it is not."""
    return _COMPLETE.exists()


def note_warm() -> None:
    """Note for every later process that all of it has been compiled, where compiled code is kept."""
    if not is_warm() and _OPTIONS["cache"] and not config.DISABLE_JIT:  # type: ignore[attr-defined]
        _COMPLETE.touch()


def compile_for(function: Callable[..., Any], *arguments: Any) -> None:
    """Compile a function for arguments like these without calling it."""
    compiler = getattr(function, "compile", None)
    if compiler is not None:
        compiler(tuple(numba.typeof(argument) for argument in arguments))  # type: ignore[no-untyped-call]


def jit(function: Function) -> Function:
    """Compile a function that is called from Python or from many places."""
    return _decorated(function)


def inlined(function: Function) -> Function:
    """Compile a small function of the innermost loops into its callers."""
    return _decorated(function, forceinline=True, no_cpython_wrapper=True)


def inner(function: Function) -> Function:
    """Compile a function that only the kernel calls, once; whether it is written into a caller is for LLVM to weigh."""
    return _decorated(function, no_cpython_wrapper=True)


def woven(function: Function) -> Function:
    """Write a function into its one caller before that is compiled, so that it is compiled once and not twice."""
    return _decorated(function, inline="always")


def without_value(kind: Any) -> Any:
    """The type of a constant as that of any value of its kind."""
    return types.unliteral(kind)  # type: ignore[no-untyped-call]


def _decorated(function: Function, **options: Any) -> Function:
    decorated: Any = numba.njit(**_OPTIONS, **options)(function)
    if not config.DISABLE_JIT:  # type: ignore[attr-defined]
        # numba would compile it once more for each constant it is called with.
        decorated.get_call_template = lambda given, named: Dispatcher.get_call_template(
            decorated,
            tuple(without_value(kind) for kind in given),
            {name: without_value(kind) for name, kind in dict(named).items()},
        )
    result: Function = decorated
    return result
