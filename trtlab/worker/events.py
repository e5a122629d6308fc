"""What a worker reports while it works, and how it is written on the pipe.

Each line is JSON, a list whose first element names its kind. Anything else raises: both ends are always of the same
version, so it means damage (native code that wrote to a descriptor that is not its own).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

LogSeverity = Literal["internal_error", "error", "warning", "info", "verbose", "output"]
LogSource = Literal["tensorrt", "stdout", "stderr", "trtlab"]
PhaseKind = Literal["start", "step", "finish"]


@dataclass(frozen=True)
class LogRecord:
    """One message of TensorRT's logger, or one line that native code wrote to its standard output or error.

    Attributes:
        time: Seconds since the epoch, taken where the message was made (at the pipe for `stdout` and `stderr`).
        severity: TensorRT's severity; `output` for lines of stdout and stderr, which have none.
        message: The text, untouched; may hold several lines.
        source: Who wrote it.
    """

    time: float
    severity: LogSeverity
    message: str
    source: LogSource = "tensorrt"


@dataclass(frozen=True)
class PhaseEvent:
    """What TensorRT's progress monitor says: a phase begins, advances or ends.

    Attributes:
        time: Seconds since the epoch.
        kind: `start`, `step` or `finish`.
        name: The phase, in TensorRT's words.
        parent: The phase around it, None at the top.
        step: Steps done in this phase.
        steps: Steps it has; 0 when the phase does not say (on `step` and `finish`).
    """

    time: float
    kind: PhaseKind
    name: str
    parent: str | None = None
    step: int = 0
    steps: int = 0


@dataclass(frozen=True)
class Message:
    """What the child says about itself or about a call: a greeting or an answer.

    Attributes:
        kind: `hello`, `done`, `cancelled` or `failed`.
        number: The call that is answered; the process id in a greeting.
        values: What belongs to it: the result of `done`; class, text, traceback and facts of `failed`.
    """

    kind: str
    number: int
    values: tuple[Any, ...] = ()


Event = LogRecord | PhaseEvent
# A log has ten thousands of messages, and json takes ten times as long for one as msgspec.
_LOG_ENCODER = msgspec.json.Encoder()
_LOG_DECODER = msgspec.json.Decoder(tuple[str, float, LogSeverity, str])
_LOG_START = re.compile(rb'\["log",[^ ]')  # as msgspec writes it; json puts a space
# Kinds of messages, with how many values each carries.
_MESSAGES = {"hello": 0, "done": 1, "cancelled": 0, "failed": 4}


def encode_log(time: float, severity: str, message: str) -> bytes:
    """Return the line of a log record. Apart from `encode`, because it runs for each message of the builder."""
    try:
        return _LOG_ENCODER.encode(("log", time, severity, message)) + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair, which is no UTF-8
        return encode("log", time, severity, message)


def encode(kind: str, *values: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return one line of the protocol."""
    return json.dumps([kind, *values]).encode() + b"\n"


def decode(line: bytes) -> Event | Message:
    """Return what a line holds.

    Raises:
        ValueError: It is no line of this protocol.
    """
    try:
        if _LOG_START.match(line):
            _, time, severity, message = _LOG_DECODER.decode(line)
            return LogRecord(time, severity, message)
        kind, *values = json.loads(line)
        if kind == "log":
            time, severity, message = values
            return LogRecord(time, severity, message)
        if kind == "phase":
            return PhaseEvent(*values)
        number, *rest = values
        if _MESSAGES[kind] != len(rest):
            raise ValueError(f"{kind!r} came with {len(rest)} values")
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise ValueError(f"{line[:80]!r} is no message of a worker: {error}") from error
    return Message(kind, number, tuple(rest))
