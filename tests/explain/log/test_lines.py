"""The prefixes of every tool are told from the message, and the severity that counts is the innermost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtlab.explain.log.lines import read_line, without_terminal_escapes

CASES = {
    "[11/23/2026-02:07:24] [TRT] [E] 3: text": ("error", "3: text"),
    "[11/23/2026-02:07:24] [E] Error[10]: text": ("error", "text"),
    "[E] [TRT] text": ("error", "text"),
    "[TensorRT] ERROR: text": ("error", "text"),
    "[TensorRT] INTERNAL_ERROR: text": ("fatal", "text"),
    "WARNING: [TRT]: text": ("warning", "text"),
    "ERROR: text": ("error", "text"),
    "E0531 09:11:46.299486 1 logging.cc:43] text": ("error", "text"),
    "2020-07-15 09:12:44.118210242 [W:onnxruntime:Default, provider.h:36 log] [2020-07-15 08:12:44   ERROR] text": (
        "error",
        "text",
    ),
    "2022-02-19 09:10:37 - __main__ - INFO - text": ("info", "text"),
    "WARNING:torch_tensorrt [TensorRT Conversion Context]:text": ("warning", "text"),
    "[NVINFER LOG]: 1: text": ("", "1: text"),
    "\x1b[38;5;9m[E] text\x1b[0m": ("error", "text"),
    "[V] Graph optimization": ("verbose", "Graph optimization"),
    "[I] text": ("info", "text"),
    "[!] text": ("error", "text"),
    "text": ("", "text"),
    "[8] Assertion failed: false": ("", "[8] Assertion failed: false"),
    "ErrorCode::kINTERNAL": ("", "ErrorCode::kINTERNAL"),
}


@pytest.mark.parametrize("text", CASES)
def test_prefixes(text: str) -> None:
    line = read_line(text)
    assert (line.severity, line.message) == CASES[text]


@given(st.text())
def test_any_text_is_a_line(text: str) -> None:
    line = read_line(text)
    assert line.message in line.text
    assert "\x1b" not in line.text


def test_terminal_escapes_are_dropped_and_text_stays() -> None:
    assert without_terminal_escapes("\x1b]0;title\x07a\x1b[2Kb\x1b(Bc\x00d\te") == "abcd\te"
