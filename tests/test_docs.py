"""The documents are true: their examples run as written, their tables are complete, their links lead somewhere.

In a `console` block a line that begins with `$ ` is a command and what follows is its output, compared without regard
to white space; `...` stands for anything. A command ends with 0 unless `$ echo $?` says otherwise behind it. A `json`
block is a document, saved under the name of the last `*.json` in the paragraph before it, or an excerpt of the plan; a
`csv` block is saved in the same way.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from api import cli, cli_output, problems
from api.documents import check_plan, check_problem
from api.problems import SolveOptions, solve_document
from api.schemas import plan_schema, problem_schema
from dispatcher.reasons import FIX_SECONDS, FIXES, REASONS
from dispatcher.validate import LIMITS
from dispatcher.verify import verify
from solver.engines import ENGINES

CHECKOUT = Path(__file__).resolve().parent.parent
README = CHECKOUT / "README.md"
DOCS = CHECKOUT / "docs"
FORMAT, CLI, CONCEPTS = DOCS / "planning-format.md", DOCS / "cli.md", DOCS / "concepts.md"
TEAMS = DOCS / "teams.md"
SKILLS, LIVE = DOCS / "skills.md", DOCS / "live.md"
PAGES = [README, CHECKOUT / "CONTRIBUTING.md", CHECKOUT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
EXAMPLES = {README: README, FORMAT: FORMAT, CLI: README, TEAMS: TEAMS, SKILLS: SKILLS, LIVE: LIVE}
"""Pages with commands, each with the page whose `problem.json` it uses."""
WRONG_ON_PURPOSE = "wrong.json"
LARGEST_PICTURE_BYTES = 400_000
Document = dict[str, Any]


def relative(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; `name` is the file the paragraph before it speaks of."""

    language: str
    text: str
    name: str | None


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        paragraph = text[: match.start()].rstrip().rpartition("\n\n")[2]
        names = re.findall(r"`([\w-]+\.(?:json|csv))`", paragraph)
        yield Block(match[1], match[2], names[-1] if names else None)


def documents(page: Path) -> dict[str, Document]:
    """The problems and plans of a page by file name."""
    found: dict[str, Document] = {}
    for block in blocks(page):
        document = json.loads(block.text) if block.language == "json" else {}
        if "version" in document:
            assert block.name is not None, f"{relative(page)}: a document without a name"
            found[block.name] = document
    return found


def excerpts(page: Path) -> list[Document]:
    parsed = [json.loads(block.text) for block in blocks(page) if block.language == "json"]
    return [document for document in parsed if "version" not in document]


@dataclass
class Command:
    line: str
    output: str
    exit_code: int = 0


def commands(page: Path) -> list[Command]:
    found: list[Command] = []
    for block in blocks(page):
        if block.language != "console":
            continue
        for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
            line, _, output = part.partition("\n")
            if line == "echo $?":
                found[-1].exit_code = int(output)
            else:
                found.append(Command(line, output))
    return found


def is_demo(command: Command) -> bool:
    return command.line.startswith("muster demo")


def is_of_the_service(command: Command) -> bool:
    """Whether it needs a server, or is one; `tests/test_service_end_to_end.py` runs these."""
    return shlex.split(command.line)[1] in ("serve", "worker", "import", "plan")


def run(command: Command) -> str:
    program, *arguments = shlex.split(command.line)
    assert program == "muster", f"the test cannot run {command.line!r}"
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == command.exit_code, f"$ {command.line}\n{result.output}\n{result.exception!r}"
    return result.output


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder, output as wide as it is without a terminal, and less time to search than by default."""
    monkeypatch.setattr(problems, "DEFAULT_TIME_LIMIT_SECONDS", 0.5)
    monkeypatch.setattr(cli_output, "out", Console(width=cli_output.WIDTH_WITHOUT_TERMINAL))
    monkeypatch.setattr(cli_output, "err", Console(width=cli_output.WIDTH_WITHOUT_TERMINAL, stderr=True))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table_rows(text: str) -> list[list[str]]:
    """The cells of every table row of a text, heads and rulers left out."""
    rows: list[list[str]] = []
    for line in text.splitlines():
        if re.match(r"\|[-|]+$", line):
            rows.pop()
        elif line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def section(page: Path, heading: str) -> str:
    """The text under a heading up to the next one of any rank."""
    match = re.search(
        rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", _without_code(page.read_text(encoding="utf-8")), re.M | re.S
    )
    assert match is not None, f"{relative(page)} has no section {heading!r}"
    return match[1]


def names_in(rows: list[list[str]]) -> list[str]:
    return [row[0].strip("`") for row in rows]


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# -- examples ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", EXAMPLES, ids=relative)
def test_the_commands_of_a_page_print_what_the_page_says(page: Path, terminal: Path) -> None:
    for name, document in {**documents(EXAMPLES[page]), **documents(page)}.items():
        (terminal / name).write_text(json.dumps(document), encoding="utf-8")
    for block in blocks(page):
        if block.language == "csv" and block.name is not None:
            (terminal / block.name).write_text(block.text, encoding="utf-8")
    checker = OutputChecker()
    flags = ELLIPSIS | NORMALIZE_WHITESPACE
    assert commands(page)
    for command in commands(page):
        if is_demo(command) or is_of_the_service(command):  # take their time, and have tests of their own
            continue
        output = run(command)
        assert checker.check_output(command.output, output, flags), (
            f"{relative(page)} says\n$ {command.line}\n{command.output}\nbut it prints\n{output}"
        )


@pytest.mark.slow
def test_the_demo_on_the_page_of_commands_runs(terminal: Path) -> None:
    demos = [command for command in commands(CLI) if is_demo(command)]
    assert demos
    for command in demos:
        run(command)
        for name in re.findall(r"^\w+: +(\S+)$", command.output, re.M):
            assert (terminal / name).stat().st_size > 0


@pytest.mark.parametrize("page", [page for page in PAGES if documents(page)], ids=relative)
def test_every_problem_on_a_page_is_valid_solved_and_checked(page: Path) -> None:
    asked = {
        name: document
        for name, document in documents(page).items()
        if "routes" not in document and name != WRONG_ON_PURPOSE
    }
    for name, problem in asked.items():
        assert check_problem(problem) == [], name
        plan = solve_document(problem, SolveOptions(iteration_limit=2000))
        assert check_plan(plan) == []
        assert verify(problem, plan).feasible


def test_the_excerpts_of_the_format_stand_in_the_plan_of_its_example() -> None:
    [problem] = documents(FORMAT).values()
    plan = solve_document(problem, SolveOptions(iteration_limit=2000))
    parts = list(_objects(plan))
    assert excerpts(FORMAT)
    for excerpt in excerpts(FORMAT):
        assert excerpt in parts


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


# -- tables --------------------------------------------------------------------------------------------------------


def models() -> dict[str, set[str]]:
    """The fields of every object of the format, weights apart: those are on the page of rules."""
    found: dict[str, set[str]] = {}
    for root, schema in (("ProblemDocument", problem_schema()), ("PlanDocument", plan_schema())):
        found[root] = set(schema["properties"])
        for name, definition in schema["$defs"].items():
            if definition.get("type") == "object" and not name.startswith("Weights"):
                found[name] = set(definition["properties"])
    return found


def test_the_page_of_the_format_has_every_field_of_every_object() -> None:
    for name, fields in models().items():
        rows = [row for row in table_rows(section(FORMAT, name)) if row[0].startswith("`")]
        assert len(rows) == len(fields), name
        assert set(names_in(rows)) == fields, name


def test_the_page_of_the_format_states_the_limits_there_are() -> None:
    stated = {row[0].strip("`"): float(row[1]) for row in table_rows(section(FORMAT, "Limits"))}
    limits = {name: float(getattr(LIMITS, name)) for name in LIMITS.__slots__}
    del limits["listed_matrix_cells"]  # bounds a list of errors, not a document
    assert stated == limits


def test_every_reason_and_fix_is_explained_in_the_order_of_its_weight() -> None:
    assert set(names_in(table_rows(section(CONCEPTS, "Reasons")))) == set(REASONS)
    rows = table_rows(section(CONCEPTS, "Fixes"))
    assert set(names_in(rows)) == set(FIXES)
    stated = {row[0].strip("`"): int(row[2].removesuffix(" s")) for row in rows if re.fullmatch(r"\d+ s", row[2])}
    assert stated == FIX_SECONDS


def test_every_engine_is_described() -> None:
    assert set(names_in(table_rows(section(CONCEPTS, "Engines")))) == set(ENGINES)


def command_line() -> dict[str, set[str]]:
    """Every command with its options, as typer knows them; those of a group by both of their words."""
    found: dict[str, set[str]] = {}
    for name, command in _commands_of(typer.main.get_command(cli.app)).items():
        for word, leaf in (_commands_of(command) or {"": command}).items():
            found[f"{name} {word}".rstrip()] = {
                option
                for parameter in leaf.params
                if parameter.param_type_name == "option"
                for option in (*parameter.opts, *parameter.secondary_opts)
            } - {"--help"}
    return found


def _commands_of(command: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(command, "commands", {})
    return found


def command_in(line: str) -> str:
    """The command of a line: one word, or two."""
    _, name, *rest = shlex.split(line)
    return name if name in command_line() or not rest else f"{name} {rest[0]}"


def test_the_page_of_commands_has_every_command_and_no_other() -> None:
    headings = re.findall(r"^## muster (.+)$", CLI.read_text(encoding="utf-8"), re.M)
    assert sorted(headings) == sorted(command_line())


@pytest.mark.parametrize("name", command_line())
def test_the_page_of_commands_has_every_option_of_a_command(name: str) -> None:
    first_cells = " ".join(row[0] for row in table_rows(section(CLI, f"muster {name}")))
    documented = re.findall(r"`(-[^`]+)`", first_cells)
    assert sorted(documented) == sorted(command_line()[name])


def test_every_command_has_an_example_that_is_run() -> None:
    shown = {command_in(command.line) for command in commands(CLI)}
    assert shown >= set(command_line())


# -- links, pictures, targets --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_relative_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", _without_code(page.read_text(encoding="utf-8")))
    broken = [link for link in links if "://" not in link and not _leads_somewhere(page, link)]
    assert broken == []


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not anchor:
        return target.exists()
    if not target.is_file():
        return False
    headings = re.findall(r"^#+ (.+)$", _without_code(target.read_text(encoding="utf-8")), re.M)
    return anchor in map(_anchor, headings)


def test_every_page_is_in_the_index_of_pages() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"\]\(([^)#]+)\)", index))
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= listed


def test_every_picture_is_small_and_shown_on_a_page() -> None:
    shown = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    pictures = set((DOCS / "pictures").iterdir())
    assert pictures == shown
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size < LARGEST_PICTURE_BYTES


def test_every_make_target_that_pages_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.M))
    for page in PAGES:
        code = re.findall(r"`make ([a-z-]+)`|^(?:[A-Z_]+=\S+ )?make ([a-z-]+)", page.read_text("utf-8"), re.M)
        assert {first or second for first, second in code} <= targets, relative(page)
