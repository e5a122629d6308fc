"""What a worker reports comes out unchanged, and what is no report is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtlab.worker.events import LogRecord, Message, PhaseEvent, decode, decode_events, encode, encode_log, encode_phase

# Every code point, lone surrogates (file names that are not UTF-8) and NUL included.
TEXT = st.text(st.characters(codec=None, exclude_categories=()))
TIME = st.floats(allow_nan=False, allow_infinity=False)
# Its messages cross from C++ as UTF-8.
TEXT_OF_TENSORRT = st.text(st.characters(codec="utf-8"))
COUNT = st.integers(-(2**63), 2**63 - 1)
# As large as Python writes an integer in decimal (sys.get_int_max_str_digits() is 4300 digits).
INTEGER = st.integers(-(10**4299), 10**4299)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | INTEGER | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


LOG_RECORDS = st.builds(LogRecord, TIME, st.sampled_from(["error", "verbose"]), TEXT_OF_TENSORRT)
PHASES = st.builds(
    PhaseEvent, TIME, st.sampled_from(["start", "step"]), TEXT_OF_TENSORRT, st.none() | TEXT_OF_TENSORRT, COUNT, COUNT
)


@given(events=st.lists(LOG_RECORDS | PHASES))
def test_events_come_out_as_they_went_in_and_in_their_order(events: list[LogRecord | PhaseEvent]) -> None:
    lines = [
        encode_log(event.time, event.severity, event.message)
        if isinstance(event, LogRecord)
        else encode_phase(event.time, event.kind, event.name, event.parent, event.step, event.steps)
        for event in events
    ]
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    assert decode_events(b"".join(lines)) == events


def test_text_that_is_no_unicode_is_still_reported() -> None:
    (event,) = decode_events(encode_log(1.0, "error", "node '\ud800' \u00e9"))
    assert event == LogRecord(1.0, "error", "node '?' \u00e9")


@pytest.mark.parametrize(
    "lines",
    [
        b"Segmentation fault\n",
        b'["log",1.0,"info"]\n',
        b'["log",1.0,"loud","a"]\n',
        b'["done",1,2]\n',
        b"\xff\n",
        b"[" * 99_999,
    ],
)
def test_damaged_reports_are_refused(lines: bytes) -> None:
    with pytest.raises(ValueError, match="is no report of a worker"):
        decode_events(encode_log(1.0, "info", "before") + lines)


@given(number=st.integers(1, 10**9), result=JSON)
def test_results_survive_the_pipe(number: int, result: Any) -> None:
    line = encode("done", number, result)
    assert line.count(b"\n") == 1
    assert decode(line) == Message("done", number, (result,))


def test_numbers_that_json_has_no_word_for_survive_the_pipe() -> None:
    decoded = decode(encode("done", 1, [math.inf, -math.inf, math.nan]))
    assert isinstance(decoded, Message)
    infinite, negative, undefined = decoded.values[0]
    assert (infinite, negative) == (math.inf, -math.inf)
    assert math.isnan(undefined)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"Segmentation fault",
        b"[]",
        b"{}",
        b"7",
        b'["log", 1.0, "info", "text"]',
        b'["done", 1]',
        b'["hello"]',
        b'["unheard of", 1]',
        b'[["done"], 1, 2]',
        b'["done", 1, "cut of',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_damaged_lines_are_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="is no message of a worker"):
        decode(line)


@given(line=st.binary())
def test_no_line_at_all_raises_anything_else(line: bytes) -> None:
    try:
        decoded = decode(line)
    except ValueError:
        return
    assert isinstance(decoded, Message)
