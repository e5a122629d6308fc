"""What goes into the pipe comes out of it unchanged, and what is no message is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtlab.worker.events import LogRecord, Message, PhaseEvent, decode, encode, encode_log

# Every code point, lone surrogates (file names that are not UTF-8) and NUL included.
TEXT = st.text(st.characters(codec=None, exclude_categories=()))
TIME = st.floats(allow_nan=False)
# As large as Python writes an integer in decimal (sys.get_int_max_str_digits() is 4300 digits).
INTEGER = st.integers(-(10**4299), 10**4299)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | INTEGER | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(
    time=st.floats(allow_nan=False, allow_infinity=False), severity=st.sampled_from(["error", "verbose"]), message=TEXT
)
def test_log_records_survive_the_pipe(time: float, severity: Any, message: str) -> None:
    line = encode_log(time, severity, message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == LogRecord(time, severity, message)


@given(time=TIME, name=TEXT, parent=st.none() | TEXT, step=INTEGER, steps=INTEGER)
def test_phases_survive_the_pipe(time: float, name: str, parent: str | None, step: int, steps: int) -> None:
    line = encode("phase", time, "step", name, parent, step, steps)
    assert line.count(b"\n") == 1
    assert decode(line) == PhaseEvent(time, "step", name, parent, step, steps)


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
        b'["log", 1.0, "info"]',
        b'["phase", 1.0]',
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
    assert isinstance(decoded, (LogRecord, PhaseEvent, Message))
