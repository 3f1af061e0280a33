"""Messages are made of a catalogue and parameters in one way, and the sentences of refusals can be read aloud."""

import pytest

from dispatcher.errors import RecordKey, WrongState
from dispatcher.reasons import worded
from dispatcher.services.state import LEFT_OUT


def test_durations_are_said_in_hours_and_minutes_and_instants_without_their_offset() -> None:
    params = {"late_seconds": 4320, "start": "2026-11-23T09:20:00+08:00", "engineer": "ana"}
    message = worded("{engineer}: {late} late, {late_seconds} s, at {start}, at {clock}", params)
    assert message == "ana: 1 h 12 min late, 4320 s, at 2026-11-23 09:20, at 09:20"


def test_what_is_no_number_of_seconds_is_said_as_it_is() -> None:
    assert worded("{early_seconds}", {"early_seconds": None}) == "None"


@pytest.mark.parametrize("reason", sorted(LEFT_OUT))
def test_a_refusal_for_an_order_that_is_left_out_is_one_sentence(reason: str) -> None:
    refusal = WrongState(RecordKey("work_order", ("W6",)), LEFT_OUT[reason], "ask about it there")
    message = str(refusal)
    assert message.startswith("work order W6 is ")
    assert message.endswith(": it is not possible to ask about it there")
    assert " is it " not in message
    assert message.count(":") == 1


def test_the_step_of_a_run_is_told_in_words() -> None:
    message = str(WrongState(RecordKey("run", ("R",)), "succeeded", "ask_to_cancel"))
    assert message == "run R is succeeded: it is not possible to ask to cancel"
