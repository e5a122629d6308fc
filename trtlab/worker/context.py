"""What an action in the worker is given: a place to keep things, a way to report, a look at whether to stop."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from trtlab.worker.events import encode_log, encode_phase
from trtlab.worker.ring_buffer import RingWriter


class Cancelled(Exception):  # noqa: N818 - it is not an error
    """The action stopped because it was asked to."""


class EventWriter:
    """Reports events to the kernel, in order, from any thread. They reach it also when this process dies right after.

    Attributes:
        log: Reports one log message: its severity, and its text.
    """

    def __init__(self, ring: RingWriter) -> None:
        self._ring = ring
        self.log = _make_log(ring.write)

    def phase(self, kind: str, name: str, parent: str | None = None, step: int = 0, steps: int = 0) -> None:
        """Report what the progress monitor says."""
        self._ring.write(encode_phase(time.time(), kind, name, parent, step, steps))


def _make_log(write: Callable[[bytes], None]) -> Callable[[str, str], None]:
    """Return `EventWriter.log`. It runs up to a hundred thousand times in a build, so it looks nothing up in objects."""
    clock = time.time

    def log(severity: str, message: str) -> None:
        write(encode_log(clock(), severity, message))

    return log


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
