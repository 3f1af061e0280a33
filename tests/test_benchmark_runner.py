"""The runner resumes and takes turns, the report judges targets by what was measured, sections keep to themselves."""

import gzip
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import run
from benchmarks.cache import Cache, Cell, engine_version, solver_sources
from benchmarks.chart import draw, times_the_best
from benchmarks.child import run_child
from benchmarks.figures import Run, newest, runs_of, vroom_duels
from benchmarks.page import with_section
from benchmarks.peers import Peer
from benchmarks.reference import VARIABLE
from benchmarks.report import main as report_main
from benchmarks.report import report
from benchmarks.run import Batch, Runner
from benchmarks.suite import Instance, stored_document
from benchmarks.targets import Target, targets
from solver.engines import DEFAULT_ENGINE
from tests.benchmark_days import flat_day

Row = dict[str, Any]
MEASURED: Row = {
    "status": "measured",
    "startup_seconds": 0.1,
    "model_seconds": 0.0,
    "search_seconds": 0.75,
    "peak_bytes": 10**8,
    "feasible": True,
    "total": 1000,
    "unserved_cost": 0,
    "travel_seconds": 1000,
    "served": 2,
    "findings": [],
}


def instance(name: str, **changes: Any) -> Instance:
    return replace(Instance(name, "hard", 2, "d1", lambda: flat_day(orders=2, engineers=1)), **changes)


class Children:
    """Stands for the processes: answers by engine, and remembers who was asked."""

    def __init__(self, **answers: Row) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, float | None]] = []

    def __call__(self, cell: Cell, document: Path) -> Row:
        assert json.loads(document.read_text(encoding="utf-8"))["version"] == 1
        self.asked.append((cell.instance, cell.engine, cell.limit_seconds))
        return self.answers.get(cell.engine, MEASURED)


def runner(folder: Path, children: Children) -> Runner:
    return Runner(Cache(folder / "cells.jsonl"), folder, Console(quiet=True), children)


def test_engines_take_turns_on_every_instance_and_limit(tmp_path: Path) -> None:
    children = Children()
    batch = Batch((instance("a"), instance("b")), ("insertion", "pyvrp"), (1.0, 2.0))
    runner(tmp_path, children).run([batch])
    assert len(batch) == 8
    assert children.asked == [
        (name, engine, limit) for name in "ab" for limit in (1.0, 2.0) for engine in ("insertion", "pyvrp")
    ]


def test_what_was_measured_is_not_measured_again_and_failures_are(tmp_path: Path) -> None:
    batch = Batch((instance("a"),), ("insertion", "pyvrp", "vrp-cli"), (1.0,))
    refused, failed = {"status": "refused", "reason": "breaks"}, {"status": "failed", "reason": "died"}
    first = runner(tmp_path, Children(pyvrp=refused, **{"vrp-cli": failed}))
    first.run([batch])
    assert (first.measured, first.failed) == (3, 1)
    children = Children()
    second = runner(tmp_path, children)
    second.run([batch])
    assert children.asked == [("a", "vrp-cli", 1.0)]
    assert (second.measured, second.failed) == (1, 0)


def test_another_version_of_an_engine_or_of_an_instance_is_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner(tmp_path, Children()).run([Batch((instance("a"),), ("insertion",), (1.0,))])
    children = Children()
    runner(tmp_path, children).run([Batch((instance("a", digest="d2"),), ("insertion",), (1.0,))])
    monkeypatch.setattr(run, "engine_version", lambda engine: "edited")
    runner(tmp_path, children).run([Batch((instance("a"),), ("insertion",), (1.0,))])
    assert len(children.asked) == 2


def test_the_version_of_an_engine_covers_what_it_imports_and_no_other_engine() -> None:
    names = {path.name for path in solver_sources("solver.insertion")}
    assert {"insertion.py", "construction.py", "route_state.py"} <= names
    assert "engines.py" not in names
    packages = {path.parent.name for path in solver_sources("solver.insertion")}
    assert packages == {"solver"}


def test_a_line_torn_by_a_kill_costs_only_itself(tmp_path: Path) -> None:
    batch = Batch((instance("a"), instance("b")), ("insertion",), (1.0,))
    runner(tmp_path, Children()).run([batch])
    rows = tmp_path / "cells.jsonl"
    rows.write_text(rows.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    children = Children()
    runner(tmp_path, children).run([batch])
    assert children.asked == [("b", "insertion", 1.0)]
    assert len(Cache(rows).rows()) == 2


def test_a_plan_that_breaks_a_rule_is_counted_even_from_the_cache(tmp_path: Path) -> None:
    broken = MEASURED | {"feasible": False, "total": None}
    batch = Batch((instance("a"),), ("insertion",), (1.0,))
    for _ in range(2):
        made = runner(tmp_path, Children(insertion=broken))
        made.run([batch])
        assert made.broken == 1


def test_after_vroom_ours_gets_exactly_the_time_vroom_took(tmp_path: Path) -> None:
    children = Children(vroom=MEASURED | {"search_seconds": 3.217})
    batch = Batch((instance("a"), instance("b")), ("vroom", "insertion"), after_vroom=True)
    runner(tmp_path, children).run([batch])
    assert children.asked == [
        (name, engine, limit) for name in "ab" for engine, limit in (("vroom", None), ("insertion", 3.217))
    ]
    again = Children()
    runner(tmp_path, again).run([batch])
    assert again.asked == []


def test_without_vroom_s_time_ours_is_not_run(tmp_path: Path) -> None:
    children = Children(vroom={"status": "failed", "reason": "died"})
    runner(tmp_path, children).run([Batch((instance("a"),), ("vroom", "insertion"), after_vroom=True)])
    assert [engine for _, engine, _ in children.asked] == ["vroom"]


def test_a_real_child_plans_and_its_plan_is_checked(tmp_path: Path) -> None:
    cell = Cell("hard", "a", 4, "d1", "insertion", "v", 1.0, 1, 1)
    document = stored_document(instance("a", make=lambda: flat_day(orders=4, engineers=1)), tmp_path)
    row = run_child(cell, document)
    assert (row["status"], row["feasible"], row["findings"]) == ("measured", True, [])
    assert 0 < row["served"] <= 4
    assert row["peak_bytes"] > 10**7


def test_a_child_that_dies_is_a_failed_row_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dying = tmp_path / "dying"
    dying.write_text("#!/bin/sh\necho 'MemoryError: no room' >&2\nexit 3\n", encoding="utf-8")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    row = run_child(Cell("hard", "a", 4, "d1", "insertion", "v", 1.0, 1, 1), tmp_path / "day.json")
    assert row == {"status": "failed", "reason": "MemoryError: no room"}


def test_without_reference_data_vrptw_says_so_and_nothing_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["--track", "vrptw", "--data", str(tmp_path), "--folder", str(tmp_path)]) == 2
    output = capsys.readouterr().out
    assert f"vrptw is left out: no reference data in {tmp_path}" in output
    assert VARIABLE in output
    assert "nothing to measure" in output


def test_peers_that_are_not_installed_are_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Peer, "version", property(lambda peer: None))
    assert run.main(["--engines", "pyvrp", "--sizes", "100", "--folder", str(tmp_path)]) == 2
    said = capsys.readouterr().out
    assert "pyvrp is left out; to compare with it:" in said
    assert "vroom" not in said


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--quick", "--sizes", "100", "--vroom-time"], "--sizes, --vroom-time"),
        (["--vroom-time", "--limits", "5"], "--limits"),
    ],
)
def test_options_that_would_have_no_effect_are_refused(
    options: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run.main(options)
    assert f"leave out {named}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        ["--engines", "gurobi"],
        *(["--limits", seconds] for seconds in ("0", "-1", "soon", "inf", "nan")),
        *(["--seeds", seed] for seed in ("-1", "1.5", "one", "9" * 30)),
        ["--track", "soft"],
        ["--threads", "0"],
    ],
)
def test_what_cannot_be_asked_for_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        run.main(wrong)
    assert refusal.value.code == 2
    assert wrong[1] in capsys.readouterr().err


def test_every_document_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = json.dumps(flat_day(orders=2, engineers=1)).encode()
    packed = gzip.compress(sound)
    documents = {
        "torn.json": b"{",
        "list.json": b"[]",
        "deep.json": b"[" * 100_000,
        "latin.json": b"\xff",
        "cut.json.gz": packed[:-20],
        "damaged.json.gz": packed[:20] + b"damaged" + packed[27:],
        "plain.json.gz": sound,
    }
    for name, content in (documents | {"sound.json": sound}).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "sound.json.gz").write_bytes(packed)
    asked = ["absent.json", "sound.json", *documents, "again/sound.json.gz"]
    folder = tmp_path / "rows"
    assert run.main(["--documents", *(str(tmp_path / name) for name in asked), "--folder", str(folder)]) == 2
    wrong = [line.partition(": ")[0] for line in capsys.readouterr().out.splitlines()]
    assert wrong == [str(tmp_path / name) for name in asked if name != "sound.json"]
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    assert run.main(["--engines", "insertion", "--sizes", "100", "--folder", str(taken)]) == 2
    said = capsys.readouterr().out
    assert said == f"{taken} cannot be made: File exists; name another folder with --folder\n"


def row(engine: str, name: str = "a", limit: float | None = 10.0, **changes: Any) -> Row:
    cell = {
        "track": changes.pop("track", "hard"),
        "instance": name,
        "size": changes.pop("size", 2),
        "digest": "d1",
        "engine": engine,
        "version": changes.pop("version", "1"),
        "limit_seconds": limit,
        "seed": changes.pop("seed", 1),
        "threads": changes.pop("threads", 2),
    }
    stamp = {"at": changes.pop("at", "2026-01-05T08:00:00+00:00"), "machine": "a machine", "best_known": None}
    return {"cell": cell} | MEASURED | stamp | changes


def judged(rows: list[Row]) -> Mapping[str, Target]:
    found = targets(runs_of(rows), "hybrid")
    return {f"{target.what}: {target.wanted}": target for target in found}


def test_nothing_measured_meets_no_target_and_misses_none() -> None:
    assert {target.met for target in judged([]).values()} == {None}


@pytest.mark.parametrize(("ours", "met"), [(999, True), (1000, False), (None, False)])
def test_a_peer_is_beaten_only_by_a_lower_total_on_every_instance(ours: int | None, met: bool) -> None:
    rows = [row("hybrid", total=1), row("pyvrp", total=2)]
    rows += [row("hybrid", "b", total=ours, feasible=ours is not None), row("pyvrp", "b", total=1000)]
    assert judged(rows)["hard track, pyvrp, 10 s: lower on every instance"].met is met


def test_what_holds_on_some_instances_is_met_only_so_far() -> None:
    some = judged([row("hybrid", total=1), row("pyvrp", total=2)])["hard track, pyvrp, 10 s: lower on every instance"]
    assert (some.met, some.verdict) == (True, "met so far, 23 to be measured")
    days = [f"day{number}" for number in range(24)]
    rows = [row(engine, day, total=total) for day in days for engine, total in (("hybrid", 1), ("pyvrp", 2))]
    assert judged(rows)["hard track, pyvrp, 10 s: lower on every instance"].verdict == "met"


def test_a_peer_s_broken_plan_loses_to_any_plan_of_ours() -> None:
    rows = [row("hybrid", total=10**9), row("pyvrp", total=None, feasible=False)]
    assert judged(rows)["hard track, pyvrp, 10 s: lower on every instance"].met is True


@pytest.mark.parametrize(("ours", "met"), [(900, True), (901, False)])
def test_the_lead_over_vroom_is_ten_per_cent_in_the_mean_of_large_days(ours: int, met: bool) -> None:
    rows = [row("vroom", limit=None, size=300, search_seconds=4.5), row("hybrid", limit=4.5, size=300, total=ours)]
    rows += [row("vroom", "b", None, search_seconds=1.5), row("hybrid", "b", 1.5, total=10)]
    name = "hard track, VROOM's own finishing time (x=5, 2 threads), 300 orders and more: 10 % lower in the mean"
    assert judged(rows)[name].met is met


@pytest.mark.parametrize(("ours", "met"), [(1010, True), (1011, False), (None, False)])
def test_a_minute_of_ours_is_near_the_best_that_any_engine_finds_in_ten(ours: int | None, met: bool) -> None:
    rows = [row("hybrid", limit=60.0, total=ours, feasible=ours is not None), row("hybrid", limit=600.0, total=1020)]
    rows += [row("pyvrp", limit=600.0, total=1000), row("pyvrp", limit=60.0, total=900)]
    # Too large a day, and one that nobody planned for ten minutes.
    rows += [row("hybrid", "b", 60.0, size=301, total=9), row("hybrid", "b", 600.0, size=301, total=1)]
    rows += [row("hybrid", "c", 60.0, total=9)]
    found = [target for target in targets(runs_of(rows), "hybrid") if "in 10 minutes" in target.what]
    assert [target.met for target in found] == [met]
    assert found[0].figure.endswith("(hybrid, pyvrp)")


def test_ours_is_set_against_vroom_only_with_its_time_and_its_threads() -> None:
    vroom = row("vroom", limit=None, search_seconds=4.5)
    others = [row("hybrid", limit=4.5, threads=1), row("hybrid", limit=10.0)]
    assert vroom_duels(runs_of([vroom, *others]), "hybrid") == []
    ours = [row("hybrid", limit=4.5), row("hybrid", limit=4.5, seed=2)]
    assert len(vroom_duels(runs_of([vroom, *others, *ours]), "hybrid")) == 2


def vrptw(engine: str, name: str, total: int, **changes: Any) -> Row:
    shape: Row = {"track": "vrptw", "size": 100, "threads": 1, "best_known": 10000, "served": 100}
    return row(engine, name, total=total, **(shape | changes))


@pytest.mark.parametrize(
    ("totals", "served", "met"),
    [((10000, 10040), 100, True), ((10000, 10041), 100, False), ((10000, 10000), 99, False)],
)
def test_the_mean_gap_counts_and_an_order_left_spoils_it(totals: tuple[int, int], served: int, met: bool) -> None:
    rows = [vrptw("hybrid", "a", totals[0]), vrptw("hybrid", "b", totals[1], served=served)]
    assert judged(rows)["VRPTW, 100 customers, 10 s, 1 thread: mean gap ≤ 0.2 %"].met is met


def test_pyvrp_is_compared_on_the_instances_both_have_solved() -> None:
    rows = [vrptw("hybrid", "a", 10010), vrptw("pyvrp", "a", 10020), vrptw("hybrid", "b", 10900)]
    target = judged(rows)["VRPTW, 100 customers, 10 s, 1 thread, the same instances: mean gap below PyVRP's"]
    assert (target.met, target.figure) == (True, "0.10 % over 1, PyVRP 0.20 % over 1")


@pytest.mark.parametrize(
    ("changes", "met"),
    [({}, True), ({"placeable": 1}, False), ({"placeable": None}, False), ({"search_seconds": 3.01}, False)],
)
def test_a_country_s_plan_has_to_be_complete_and_in_time(changes: Row, met: bool) -> None:
    shape: Row = {"track": "scale", "size": 5000, "placeable": 0, "search_seconds": 2.99}
    rows = [row("hybrid", limit=3.0, **(shape | changes))]
    assert judged(rows)["a country's day, 5,000 orders, rich: complete plan within 3 s"].met is met


@pytest.mark.parametrize(
    ("limit", "seconds", "met"), [(1, 1.29, True), (1, 1.31, False), (60, 62.9, True), (60, 63.1, False)]
)
def test_a_limit_is_kept_within_a_twentieth_or_three_tenths(limit: float, seconds: float, met: bool) -> None:
    found = judged([row("hybrid", limit=limit, search_seconds=seconds)])
    assert found["every run of hybrid: time limit kept within 5 % or 0.3 s"].met is met


def test_only_the_newest_version_of_an_engine_is_reported() -> None:
    old = row("pyvrp", version="1", at="2026-01-01T00:00:00+00:00")
    new = row("pyvrp", "b", version="2", at="2026-01-02T00:00:00+00:00")
    assert newest([new, old]) == ([new], 1)


def test_each_track_is_reported_at_the_version_it_was_last_measured_with() -> None:
    rows = [
        row("hybrid", "a", track="vrptw", version="v1", at="2026-01-01T00:00:00+00:00"),
        row("hybrid", "b", track="scale", version="v1", at="2026-01-01T00:00:00+00:00"),
        row("hybrid", "b", track="scale", version="v2", at="2026-01-02T00:00:00+00:00"),
    ]
    kept, left_out = newest(rows)
    assert ([found["cell"]["version"] for found in kept], left_out) == (["v1", "v2"], 1)
    assert "hybrid at v1 on vrptw, v2 on scale" in report(rows, "hybrid", "picture.png", "rows.jsonl")


def test_each_size_of_a_track_is_reported_at_the_version_it_was_last_measured_with() -> None:
    rows = [
        row("hybrid", "a", track="vrptw", size=100, version="v1", at="2026-01-01T00:00:00+00:00"),
        row("hybrid", "b", track="vrptw", size=200, version="v1", at="2026-01-01T00:00:00+00:00"),
        row("hybrid", "b", track="vrptw", size=200, version="v2", at="2026-01-02T00:00:00+00:00"),
    ]
    kept, left_out = newest(rows)
    assert ([found["cell"]["version"] for found in kept], left_out) == (["v1", "v2"], 1)
    assert "hybrid at v1 on vrptw of 100, v2 on vrptw of 200" in report(rows, "hybrid", "picture.png", "rows.jsonl")


def test_of_several_machines_the_report_says_what_was_measured_on_which() -> None:
    elsewhere = {"machine": "another machine", "at": "2026-01-06T08:00:00+00:00"}
    rows = [row("hybrid"), row("pyvrp") | elsewhere, row("pyvrp", "b", track="vrptw") | elsewhere]
    assert "· a machine ·" in report(rows[:1], "hybrid", "picture.png", "rows.jsonl")
    said = "· another machine on hard (pyvrp) and vrptw · a machine on hard (hybrid) ·"
    text = report(rows, "hybrid", "picture.png", "rows.jsonl")
    assert said in text
    assert "On hard not all engines were measured on the same machine." in text
    assert "the same machine" not in report(rows[:1], "hybrid", "picture.png", "rows.jsonl")


def test_it_says_where_the_sources_have_changed_since() -> None:
    now = engine_version("hybrid")
    changed = f"Sources have changed since some of this was measured: hybrid is at {now} now."
    assert changed in report([row("hybrid", version="v1")], "hybrid", "picture.png", "rows.jsonl")
    current = [row("hybrid", version=now), row("pyvrp", version="1")]
    assert "have changed" not in report(current, "hybrid", "picture.png", "rows.jsonl")


def test_limits_of_one_s_own_are_shown_and_vroom_s_time_is_not_among_them() -> None:
    rows = [row("hybrid", limit=2.0, total=7), row("vroom", limit=None, search_seconds=4.5)]
    # One of them was set against an earlier run of VROOM.
    rows += [row("hybrid", limit=limit, as_long_as_vroom=True) for limit in (4.5, 4.4)]
    text = report(rows, "hybrid", "picture.png", "rows.jsonl")
    equal = text.partition("### Hard windows, equal time limits")[2]
    assert "| a | 2 s | 1 | **7** |" in equal
    assert "4.5 s" not in equal
    assert "4.4 s" not in equal


def test_runs_on_fewer_threads_have_a_column_and_a_line_of_their_own() -> None:
    rows = [row("hybrid", limit=600.0, threads=1, total=7), row("hybrid", limit=600.0, total=8), row("pyvrp")]
    text = report(rows, "hybrid", "picture.png", "rows.jsonl")
    assert "| day | limit | seed | hybrid | hybrid, 1 thread | pyvrp |" in text
    assert "| a | 600 s | 1 | 8 | **7** |  |" in text
    assert "PyVRP searches on one thread." in text
    assert "VROOM" not in text.partition("equal time limits")[2]
    assert set(times_the_best(runs_of(rows))) == {"hybrid", "hybrid, 1 thread", "pyvrp"}


def test_what_a_peer_refuses_is_not_to_be_measured() -> None:
    days = [f"day{number}" for number in range(24)]
    rows = [row("hybrid", day, total=1) for day in days]
    rows += [row("pyvrp", day, total=2) for day in days[2:]]
    rows += [row("pyvrp", day, status="refused", reason="too large") for day in days[:2]]
    text = report(rows, "hybrid", "picture.png", "rows.jsonl")
    [line] = [line for line in text.splitlines() if line.startswith("| hard track, pyvrp, 10 s")]
    assert line.endswith("| 22 of 22 lower, -50.0 % in the mean; 2 it cannot plan | met |")


def test_the_report_has_every_table_and_hides_no_failure(tmp_path: Path) -> None:
    rows = [
        row(DEFAULT_ENGINE, total=900),
        row("vroom"),
        row("vroom", limit=None, search_seconds=4.5),
        row(DEFAULT_ENGINE, limit=4.5),
        row(DEFAULT_ENGINE, "rich", track="rich"),
        row(DEFAULT_ENGINE, "mine", 2.0, track="documents", seed=3),
        row(DEFAULT_ENGINE, "scale", track="scale", size=5000, limit=3.0),
        vrptw(DEFAULT_ENGINE, "C101", 10000),
        row("pyvrp", "c", status="refused", reason="too many profiles"),
        row("vrp-cli", "d", status="failed", reason="died"),
    ]
    text = report(rows, DEFAULT_ENGINE, "picture.png", "rows.jsonl")
    for heading in ("Targets", "as long as VROOM takes", "equal time limits", "Everything", "VRPTW", "A country's day"):
        assert any(line.startswith("#") and heading in line for line in text.splitlines()), heading
    assert "vrp-cli on d failed" in text
    assert "too many profiles" in text
    assert "| a | 10 s | 1 | **900** | 1,000 |" in text
    assert "| mine | 2 s | 3 |" in text
    draw(runs_of(rows), DEFAULT_ENGINE, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_has_the_mean_over_the_best_by_limit_where_most_days_were_measured() -> None:
    rows = [row("pyvrp", "a", total=400), row("pyvrp", "b", total=100), row("pyvrp", "c", 60.0, total=100)]
    rows += [row("pyvrp", "c", 60.0, total=100, seed=2)]
    rows += [row("hybrid", "a", total=100), row("hybrid", "b", total=100), row("hybrid", "c", total=100)]
    duels = (("a", 0.4, 800), ("b", 0.6, 200))
    rows += [
        row("hybrid", day, limit, total=total, search_seconds=limit, as_long_as_vroom=True)
        for day, limit, total in duels
    ]
    rows += [row("hybrid", day, 2.0, total=300, search_seconds=2.0) for day in "ab"]
    found = times_the_best(runs_of(rows))
    seconds = float(rows[0]["search_seconds"])
    # One day of three is no mean, however often it is planned.
    assert sum(found["pyvrp"], ()) == pytest.approx((seconds, 2.0))
    assert sum(found["hybrid"], ()) == pytest.approx((0.5, 4.0, seconds, 1.0, 2.0, 3.0))


def test_a_report_of_nothing_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report_main(["--folder", str(tmp_path)]) == 1
    assert "run python -m benchmarks.run first" in capsys.readouterr().out


def test_a_section_is_renewed_in_its_place_and_others_stay() -> None:
    page = with_section(with_section("", "one", "first"), "two", "second")
    assert page.startswith("# Benchmarks\n")
    renewed = with_section(page, "one", "changed\n")
    assert "first" not in renewed
    assert renewed.index("changed") < renewed.index("second")
    assert with_section(renewed, "one", "first") == page


def test_a_section_that_does_not_end_is_an_error_and_nothing_is_lost() -> None:
    with pytest.raises(ValueError, match="has no end"):
        with_section("<!-- begin one -->\nsomebody's text", "one", "mine")


def test_a_run_without_a_total_has_no_gap() -> None:
    spoilt = runs_of([vrptw("hybrid", "a", 10000, feasible=False)])
    assert [(made.total, made.gap) for made in spoilt] == [(None, None)]
    assert isinstance(spoilt[0], Run)
