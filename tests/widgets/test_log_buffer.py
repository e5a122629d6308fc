"""The panel's log: numbered, bounded, and complete for a view that comes late."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trtlab.widgets.log_buffer import KEPT_RECORDS, LogBuffer
from trtlab.worker.events import LogRecord


def filled(count: int) -> LogBuffer:
    buffer = LogBuffer()
    for number in range(count):
        buffer.add("build", LogRecord(float(number), "verbose", f"line {number}"))
    return buffer


@given(st.integers(0, 300), st.integers(-1, 310), st.none() | st.integers(1, 50))
def test_after_gives_exactly_what_is_missing(count: int, sequence: int, limit: int | None) -> None:
    records = filled(count).after(sequence, limit=limit)
    expected = list(range(min(sequence + 1, count), count))[:limit]
    assert [record[0] for record in records] == expected
    assert [record[5] for record in records] == [f"line {number}" for number in expected]


def test_bounded_and_counted() -> None:
    buffer = filled(KEPT_RECORDS + 10)
    assert len(buffer.after(-1)) == KEPT_RECORDS
    summary = buffer.summary()
    assert (summary["total"], summary["first"]) == (KEPT_RECORDS + 10, 10)
    assert summary["counts"]["verbose"] == KEPT_RECORDS + 10


def test_numbers_go_on_after_a_clear() -> None:
    buffer = filled(3)
    buffer.clear()
    buffer.add("load", LogRecord(0.0, "internal_error", "bad"))
    assert [record[0] for record in buffer.after(-1)] == [3]
    assert buffer.summary()["counts"] == {"error": 1, "warning": 0, "info": 0, "verbose": 0, "output": 0}
    assert buffer.summary()["steps"] == ["load"]


def test_range_of_a_step_is_that_of_its_last_run() -> None:
    buffer = filled(3)
    assert buffer.ranges() == {"build": (0, 2)}
    buffer.begin("build")
    assert buffer.ranges() == {}
    buffer.add("build", LogRecord(0.0, "info", "again"))
    assert buffer.ranges() == {"build": (3, 3)}


def test_long_message_is_cut_and_says_where_the_rest_is() -> None:
    buffer = LogBuffer()
    buffer.add("build", LogRecord(0.0, "verbose", "x" * 100_000))
    [record] = buffer.after(-1)
    assert len(record[5]) < 21_000
    assert "80000 more characters" in record[5]
