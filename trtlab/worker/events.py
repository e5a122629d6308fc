"""What a worker reports while it works, and how it is written on the pipe.

Each event is one line of JSON, a list whose first element names its kind. Unknown kinds raise: both ends are always of
the same version, so one means damage.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

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


Event = LogRecord | PhaseEvent


def encode_log(time: float, severity: str, message: str) -> bytes:
    """Return the line of a log record. Apart from `encode`, because it runs for each message of the builder."""
    return json.dumps(["log", time, severity, message]).encode() + b"\n"


def encode(kind: str, *values: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return one line of the protocol."""
    return json.dumps([kind, *values]).encode() + b"\n"


def decode_event(parts: list[Any]) -> Event | None:
    """Return the event that a line holds, None for a line of another kind (an answer, a greeting)."""
    if parts[0] == "log":
        return LogRecord(parts[1], parts[2], parts[3])
    if parts[0] == "phase":
        return PhaseEvent(*parts[1:])
    return None
