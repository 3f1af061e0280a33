"""The kernel under the compiler's settings, and the folder its code is kept in."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from numba.core.dispatcher import Dispatcher

import solver.kernel
from data.synthetic import DEMO, EVERYTHING, HARD_WINDOWS
from solver.kernel import compiled
from tests.kernel_plans import random_plan, synthetic_plan
from tests.kernel_search import found

KERNEL = Path(compiled.__file__).parent
CHECKOUT = KERNEL.parent.parent
ITERATIONS = 12
PROBE = '''
"""Uses a number of another module of the kernel."""
from solver.kernel.compiled import CACHE_FOLDER, is_warm, jit
from solver.kernel.layout import MOVED_TOLERANCE_SECONDS


@jit
def probe():
    return MOVED_TOLERANCE_SECONDS


warm = is_warm()
print(probe(), warm, CACHE_FOLDER)
'''


def python(arguments: Sequence[str], variables: Mapping[str, str], folder: Path = CHECKOUT) -> str:
    """What a Python of its own prints."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "MUSTER_KERNEL", "COV_"))
    }
    environment = kept | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def searched(**variables: str) -> tuple[object, Path]:
    answer = json.loads(python(["-m", "tests.kernel_search", str(ITERATIONS)], variables))
    return answer["found"], Path(answer["cache"])


def as_read(answer: dict[str, object]) -> object:
    return json.loads(json.dumps(answer))


def dispatchers() -> dict[str, Dispatcher]:
    modules = [import_module(f"solver.kernel.{module.name}") for module in iter_modules(solver.kernel.__path__)]
    return {
        f"{module.__name__}.{name}": member
        for module in modules
        for name, member in vars(module).items()
        if isinstance(member, Dispatcher) and member.__module__ == module.__name__
    }


def test_each_function_is_compiled_once_whatever_the_problem() -> None:
    for spec in (DEMO, HARD_WINDOWS, EVERYTHING):
        synthetic_plan(spec, 2).searcher.run(3, 1e6, 1e4)
    for seed in range(8):
        random_plan(seed).searcher.run(3, 1e6, 1e4)
    functions = dispatchers()
    assert len(functions) > 20
    assert len(functions["solver.kernel.iterate.search"].signatures) == 1
    assert {name: len(own.signatures) for name, own in functions.items() if len(own.signatures) > 1} == {}


def test_plain_python_finds_the_plan_that_compiled_code_finds() -> None:
    plain, _ = searched(NUMBA_DISABLE_JIT="1")
    assert plain == as_read(found(ITERATIONS))


@pytest.mark.slow
def test_no_array_is_read_outside_its_bounds(tmp_path: Path) -> None:
    checked, _ = searched(NUMBA_BOUNDSCHECK="1", MUSTER_KERNEL_CACHE=str(tmp_path))
    assert checked == as_read(found(ITERATIONS))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "checked code must never be found by others"


@pytest.mark.slow
def test_code_is_kept_where_it_is_asked_for_and_found_again(tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in KERNEL.rglob("*")}
    first, folder = searched(MUSTER_KERNEL_CACHE=str(tmp_path))
    assert folder.parent == tmp_path
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")}
    assert kept
    # numba numbers what it keeps of a function: a second one is compiled for a constant, or for other types.
    assert [path.name for path in kept if not path.name.endswith(".1.nbc")] == []
    again, _ = searched(MUSTER_KERNEL_CACHE=str(tmp_path))
    assert first == again == as_read(found(ITERATIONS))
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")} == kept
    assert {path: path.stat().st_mtime_ns for path in KERNEL.rglob("*")} == before


# -- the folder ----------------------------------------------------------------------------------------------------


@pytest.fixture
def own_kernel(tmp_path: Path) -> Path:
    """A kernel to edit, with a function that depends on another of its files; the folder it is imported from."""
    copy = tmp_path / "checkout"
    shutil.copytree(KERNEL, copy / "solver" / "kernel", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "solver" / "__init__.py").touch()
    (copy / "solver" / "kernel" / "probe.py").write_text(PROBE, encoding="utf-8")
    return copy


def probed(folder: Path, **variables: str) -> tuple[int, bool, Path]:
    number, warm, cache = python(["-m", "solver.kernel.probe"], variables, folder).split()
    return int(number), warm == "True", Path(cache)


def test_an_edit_of_any_file_of_the_kernel_is_compiled_anew(own_kernel: Path, tmp_path: Path) -> None:
    """And code is kept in the user's folder, never beside the sources."""
    sources = sorted(own_kernel.rglob("*"))
    user = str(tmp_path / "user")
    first = probed(own_kernel, XDG_CACHE_HOME=user)
    assert first == (900, False, first[2])
    layout = own_kernel / "solver" / "kernel" / "layout.py"
    text = layout.read_text(encoding="utf-8")
    layout.write_text(text.replace("MOVED_TOLERANCE_SECONDS = 900", "MOVED_TOLERANCE_SECONDS = 901"), encoding="utf-8")
    edited = probed(own_kernel, XDG_CACHE_HOME=user)
    assert edited[:2] == (901, False)
    assert edited[2] != first[2]
    assert edited[2].parent == first[2].parent == tmp_path / "user" / "muster"
    assert sorted(own_kernel.rglob("*")) == sources


def test_a_kernel_of_which_only_a_part_is_compiled_counts_as_cold(own_kernel: Path, tmp_path: Path) -> None:
    user = str(tmp_path / "user")
    note = "from solver.kernel.compiled import note_warm; note_warm()"
    first = probed(own_kernel, XDG_CACHE_HOME=user)
    assert list(first[2].rglob("*.nbc"))
    assert probed(own_kernel, XDG_CACHE_HOME=user) == first == (900, False, first[2])
    for unkept in ({"NUMBA_DISABLE_JIT": "1"}, {"NUMBA_BOUNDSCHECK": "1"}):
        python(["-c", note], {"XDG_CACHE_HOME": user, **unkept}, own_kernel)
        assert probed(own_kernel, XDG_CACHE_HOME=user) == first
    python(["-c", note], {"XDG_CACHE_HOME": user}, own_kernel)
    assert probed(own_kernel, XDG_CACHE_HOME=user) == (900, True, first[2])


def test_without_a_folder_to_write_to_the_kernel_compiles_all_the_same(own_kernel: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    number, warm, folder = probed(own_kernel, XDG_CACHE_HOME=str(tmp_path / "file"), TMPDIR=str(temporary))
    assert (number, warm) == (900, False)
    assert folder.parent == temporary
    assert (tmp_path / "file").read_text(encoding="utf-8") == "not a folder"
