"""What an action in the worker is given: a place to keep things, a way to report, a look at whether to stop."""

from __future__ import annotations

import gc
import os
import threading
import time
from typing import Any

from trtlab.worker.events import encode, encode_log


class Cancelled(Exception):  # noqa: N818 - it is not an error
    """The action stopped because it was asked to."""


class EventWriter:
    """Writes lines of the protocol to the pipe, whole, from any thread, at once.

    At once, because the last message before a crash is the one that matters, and a buffer dies with its process.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Write one line; blocks while the pipe is full."""
        with self._lock:
            written = os.write(self._descriptor, line)
            if written < len(line):
                rest = memoryview(line)[written:]
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]

    def log(self, severity: str, message: str) -> None:
        """Report one log message."""
        self.write(encode_log(time.time(), severity, message))

    def phase(self, kind: str, name: str, parent: str | None = None, step: int = 0, steps: int = 0) -> None:
        """Report what the progress monitor says."""
        self.write(encode("phase", time.time(), kind, name, parent, step, steps))


class ActionContext:
    """One worker's state, handed to each action.

    Attributes:
        state: What actions keep for later ones (the loaded model, the parsed network). Lives as long as the process.
        events: Where to report.
    """

    def __init__(self, events: EventWriter) -> None:
        self.state: dict[str, Any] = {}
        self.events = events
        # Requests carry the number of the action they mean: one can come before its action begins, or after it ended.
        self._running = 0
        self._cancelled = -1

    @property
    def cancel_requested(self) -> bool:
        """Whether the action that runs now should stop."""
        return self._cancelled == self._running

    def request_cancel(self, number: int) -> None:
        """Ask the action with that number to stop."""
        self._cancelled = number

    def begin_action(self, number: int) -> None:
        """Note which action runs now."""
        self._running = number

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` when the action was asked to stop."""
        if self.cancel_requested:
            raise Cancelled


def reset(context: ActionContext) -> None:
    """Action: forget everything, so that the process can serve somebody else."""
    context.state.clear()
    gc.collect()
    gc.freeze()  # what is left are modules: the next time they need not be gone through again


def ping(context: ActionContext, *, echo: Any = None) -> Any:  # noqa: ANN401 - any JSON value
    """Action: answer with what was sent, to see that the worker lives."""
    del context
    return echo
