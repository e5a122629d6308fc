"""What a worker reports: events while it works, through the ring buffer, and messages about a call, through the pipe.

Each line is JSON, a list whose first element names its kind. Anything else raises: both ends are always of the same
version, so it means damage (native code that wrote to memory or to a descriptor that is not its own).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

LogSeverity = Literal["internal_error", "error", "warning", "info", "verbose", "output"]
LogSource = Literal["tensorrt", "stdout", "stderr", "trtlab"]
PhaseKind = Literal["start", "step", "finish"]


class LogRecord(msgspec.Struct, frozen=True, gc=False):
    """One message of TensorRT's logger, or one line that native code wrote to its standard output or error.

    No dataclass, because a build makes ten thousands of them: this is made in a tenth of the time, and the garbage collector of
    the kernel does not go through them again and again.

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
# Kinds of messages, with how many values each carries.
_MESSAGES = {"hello": 0, "done": 1, "cancelled": 0, "failed": 4}


class _LogLine(msgspec.Struct, array_like=True, tag="log", gc=False):
    time: float
    severity: LogSeverity
    message: str


class _PhaseLine(msgspec.Struct, array_like=True, tag="phase", gc=False):
    time: float
    kind: PhaseKind
    name: str
    parent: str | None
    step: int
    steps: int


# A log has ten thousands of messages, and json takes ten times as long for one as msgspec.
_encode_line = msgspec.json.Encoder().encode
_EVENT_DECODER: msgspec.json.Decoder[_LogLine | _PhaseLine] = msgspec.json.Decoder(_LogLine | _PhaseLine)


def encode_log(time: float, severity: str, message: str) -> bytes:
    """Return the line of a log record. Half of a surrogate pair in `message`, which is no UTF-8, becomes a question mark."""
    try:
        return _encode_line(("log", time, severity, message)) + b"\n"
    except UnicodeEncodeError:
        return encode_log(time, severity, message.encode("utf-8", "replace").decode())


def encode_phase(time: float, kind: str, name: str, parent: str | None, step: int, steps: int) -> bytes:
    """Return the line of a phase event."""
    return _encode_line(_PhaseLine(time, kind, name, parent, step, steps)) + b"\n"  # type: ignore[arg-type]


def decode_events(lines: bytes) -> list[Event]:
    """Return the events in whole lines.

    Raises:
        ValueError: They are no lines of this protocol.
    """
    try:
        # All in one call: apart from each other they take twice as long.
        decoded = _EVENT_DECODER.decode_lines(lines)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{lines[:80]!r} is no report of a worker: {error}") from error
    return [
        LogRecord(line.time, line.severity, line.message)
        if type(line) is _LogLine
        else PhaseEvent(*msgspec.structs.astuple(line))
        for line in decoded
    ]


def encode(kind: str, *values: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return the line of a message."""
    return json.dumps([kind, *values]).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Return the message that a line holds.

    Raises:
        ValueError: It is no line of this protocol.
    """
    try:
        kind, number, *rest = json.loads(line)
        if _MESSAGES[kind] != len(rest):
            raise ValueError(f"{kind!r} came with {len(rest)} values")
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise ValueError(f"{line[:80]!r} is no message of a worker: {error}") from error
    return Message(kind, number, tuple(rest))
