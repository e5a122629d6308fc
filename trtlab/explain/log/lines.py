"""One line of a log: its colours and prefixes, and how grave it says it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Severity = Literal["fatal", "error", "warning", "info", "verbose", ""]

# Colours, cursor movements and window titles of terminals (ECMA-48), also without the escape character that pasting loses.
_TERMINAL = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[\[(][0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]"
)
_LETTERS: dict[str, Severity] = {
    "V": "verbose", "X": "verbose", "I": "info", "S": "info", "W": "warning", "!": "error", "E": "error", "F": "fatal",
}  # fmt: skip
_WORDS: dict[str, Severity] = {
    "VERBOSE": "verbose", "DEBUG": "verbose", "TRACE": "verbose", "INFO": "info", "NOTICE": "info", "WARNING": "warning", "WARN": "warning",
    "ERROR": "error", "INTERNAL_ERROR": "fatal", "FATAL": "fatal", "CRITICAL": "fatal",
}  # fmt: skip
_WORD = "|".join(_WORDS)
# What stands before a message. Each is tried again and again: ONNX Runtime puts its own prefix before TensorRT's.
_PREFIX = re.compile(
    rf"""\s*(?:
      \[?\d\d/\d\d/\d{{2,4}}[-\ ]\d\d:\d\d:\d\d\]?                                            # [11/23/2026-02:07:24]
    | \[?\d{{4}}[-/]\d\d[-/]\d\d[\ T:\-]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?(?:\s+(?P<word_in_date>{_WORD}))?\]?[,:]?
    | \[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?(?=\s|\[)
    | (?P<glog>[IWEF])\d{{4,8}}\ \d\d:\d\d:\d\d\.\d+\ +\d+\ [\w./-]+:\d+\]                       # E0531 09:11:46.299486 1 logging.cc:43]
    | \[(?P<letter>[VXISWEF!])(?::[^\]]*)?\]                                                   # [E], [W:onnxruntime:...]
    | \[(?:TRT|TensorRT|TRT-LLM|NVINFER\ LOG|trt|torch2trt|Torch-TensorRT[^\]]*|TensorRT\ Conversion\ Context)\]:?
    | \[(?P<bracketed>{_WORD})\]\s*:?
    | (?P<word>{_WORD})(?:\s*:(?!:)|\s+(?=\[|TRT\b|-)|:torch_tensorrt)                            # ERROR: text
    | (?:TRT|TensorRT)(?::|\ (?={_WORD}))
    | torch_tensorrt
    | Error\[\d+\]:
    | DefaultLogger
    | -\ (?:[\w.]+\ -\ )?(?P<python>{_WORD})\ -                                              # logging's - name - INFO -
    | [\w./-]+\.(?:cc|cpp|h|py):\d+\]
    | <?\d{{1,2}}>
    )\s*""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Line:
    """A line without what stands before its message.

    Attributes:
        text: The whole line without terminal escapes.
        message: Without its prefixes.
        severity: What the innermost prefix says; empty if none says anything.
        has_prefix: Whether there was one: a line without can be the rest of the one before.
    """

    text: str
    message: str
    severity: Severity
    has_prefix: bool


@lru_cache(maxsize=256)
def read_line(text: str) -> Line:
    """Return a line, taken apart."""
    clean = without_terminal_escapes(text)
    position, severity = 0, ""
    while match := _PREFIX.match(clean, position):
        word = match["word"] or match["bracketed"] or match["word_in_date"] or match["python"]
        letter = match["letter"] or match["glog"]
        severity = _WORDS[word] if word else _LETTERS[letter] if letter else severity
        position = match.end()
    return Line(clean, clean[position:], severity, position > 0)  # type: ignore[arg-type]  # both tables hold severities


def without_terminal_escapes(text: str) -> str:
    """Return a text without colours and the like, and without control characters."""
    return _TERMINAL.sub("", text) if not text.isprintable() else text
