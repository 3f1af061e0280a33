"""The house: what the repository promises about its own files."""

import ast
import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
BESIDE = ["benchmarks", "tests"]
PIN_FILES = sorted((CHECKOUT / "requirements").glob("*.txt"))
DECISIONS = sorted((CHECKOUT / "docs" / "adr").glob("[0-9]*.md"))


def pins_in(path: Path) -> dict[str, list[Requirement]]:
    """The pinned requirements of a file by canonical name; a name may be pinned once per platform."""
    pins: dict[str, list[Requirement]] = {}
    for entry in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        requirement = Requirement(entry.split(" --hash=")[0].strip())
        pins.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return pins


@pytest.mark.parametrize("package", [*SHIPPED, *BESIDE])
def test_no_source_file_is_longer_than_600_lines(package: str) -> None:
    lengths = {
        str(path.relative_to(CHECKOUT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (CHECKOUT / package).rglob("*.py")
    }
    assert lengths
    assert {name: length for name, length in lengths.items() if length > 600} == {}


def test_every_package_at_the_root_is_shipped_or_known_to_stand_beside() -> None:
    found = sorted(path.parent.name for path in CHECKOUT.glob("*/__init__.py"))
    assert found == sorted([*SHIPPED, *BESIDE])


@pytest.mark.parametrize("package", SHIPPED)
def test_every_shipped_package_says_what_it_is_and_that_it_is_typed(package: str) -> None:
    module = ast.parse((CHECKOUT / package / "__init__.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(module)
    assert (CHECKOUT / package / "py.typed").is_file()


def test_no_package_escapes_the_layers_and_the_type_checker() -> None:
    linter = PROJECT["tool"]["importlinter"]
    layers = next(contract for contract in linter["contracts"] if contract["type"] == "layers")
    layered = {name.strip() for layer in layers["layers"] for name in re.split(r"[|:]", layer)}
    everything = {*SHIPPED, *BESIDE}
    assert layered == everything
    assert set(linter["root_packages"]) == everything
    assert set(PROJECT["tool"]["mypy"]["files"]) == everything


def test_the_pin_files_are_the_three_we_document() -> None:
    assert [path.name for path in PIN_FILES] == ["build.txt", "dev.txt", "runtime.txt"]


@pytest.mark.parametrize("path", PIN_FILES, ids=lambda path: path.name)
def test_pins_name_no_host_and_no_index(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert " @ " not in text
    assert set(re.findall(r"--[a-z-]+", text)) == {"--hash"}


@pytest.mark.parametrize("path", PIN_FILES, ids=lambda path: path.name)
def test_every_pin_is_one_exact_version_with_hashes(path: Path) -> None:
    entries = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    assert entries
    for entry in entries:
        assert re.match(r"^[a-z0-9._-]+==[^\s;*]+( ;[^#]*)?\s+--hash=sha256:[0-9a-f]{64}", entry), entry


def test_developers_run_the_versions_that_are_shipped() -> None:
    runtime, development = (pins_in(CHECKOUT / "requirements" / name) for name in ("runtime.txt", "dev.txt"))
    assert {name: development.get(name) for name in runtime} == runtime


@pytest.mark.parametrize(
    ("declared", "file"),
    [
        pytest.param(PROJECT["project"]["dependencies"], "runtime.txt", id="runtime"),
        pytest.param(PROJECT["dependency-groups"]["build"], "build.txt", id="build"),
        pytest.param(PROJECT["build-system"]["requires"], "dev.txt", id="editable install"),
        pytest.param(PROJECT["dependency-groups"]["dev"], "dev.txt", id="dev"),
    ],
)
def test_what_the_project_asks_for_is_pinned_in_a_version_it_accepts(declared: list[Any], file: str) -> None:
    pins = pins_in(CHECKOUT / "requirements" / file)
    for line in declared:
        if isinstance(line, dict):  # an included group, with a case of its own
            continue
        wanted = Requirement(line)
        pinned = pins.get(canonicalize_name(wanted.name))
        assert pinned, f"{wanted.name} is not pinned in {file}: run make pins"
        for pin in pinned:
            version = str(pin.specifier).removeprefix("==")
            assert wanted.specifier.contains(version, prereleases=True), f"{pin} does not satisfy {wanted}"


def test_one_version_is_declared_installed_and_described_in_the_changelog() -> None:
    version = PROJECT["project"]["version"]
    newest = re.search(r"^## \[(?P<version>[^\]]+)\]", (CHECKOUT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert newest is not None
    assert newest["version"] == version
    assert metadata.version("muster") == version


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    index = (CHECKOUT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"\]\(([^)]+)\)", index)
    assert listed == [path.name for path in DECISIONS]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_says_its_context_what_was_rejected_and_what_follows(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {path.name[:4]} ")
    sections = re.findall(r"^## (.+)$", text, re.M)
    assert sections == ["Context", "Decision", "Rejected alternatives", "Consequences"]
