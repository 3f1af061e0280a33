"""The figures of the service's load are what they are called."""

import argparse

import pytest

from benchmarks.load import Answer, Figures, percentile, report, rows


@pytest.mark.parametrize(("percent", "value"), [(1, 1), (50, 50), (95, 95), (99, 99), (100, 100)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(percent: int, value: int) -> None:
    assert percentile(range(1, 101), percent) == value


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert {percentile([7.0], percent) for percent in (1, 50, 95, 100)} == {7.0}


def test_answers_without_a_route_count_as_errors_and_stay_out_of_the_times_of_others() -> None:
    figures = Figures(answers=[Answer(200, "a", 0.001), Answer(304, "a", 0.003), Answer(503, "", 0.5)], errors=["503"])
    everything, fetched, unchanged = rows(figures)
    assert (everything[0], everything[1], everything[-2], everything[-1]) == ("all", "3", "500.0 ms", "1")
    assert fetched == ("200", "1", "1.0 ms", "1.0 ms", "1.0 ms", "1.0 ms", "")
    assert unchanged[:3] == ("304", "1", "3.0 ms")


def test_the_page_says_what_was_measured_and_with_what() -> None:
    figures = Figures(lines=[("import", "9 records in 1.0 s")], answers=[Answer(200, "a", 0.001)])
    arguments = argparse.Namespace(engineers=10, orders=50, routes_per_second=20.0, seconds=5.0)
    page = report(figures, arguments)
    for part in (
        "--routes-per-second 20 --seconds 5",
        "10 engineers, 50 work orders",
        "| import | 9 records in 1.0 s |",
    ):
        assert part in page
    assert "| all | 1 | 1.0 ms | 1.0 ms | 1.0 ms | 1.0 ms | 0 |" in page
