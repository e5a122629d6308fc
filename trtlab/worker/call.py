"""A call of an action: what it may use, and how it can end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trtlab import _errors
from trtlab._errors import ActionError, InputError, TrtlabError, WorkerError
from trtlab.worker.ending import Ending
from trtlab.worker.events import Event, Message


@dataclass(frozen=True)
class WorkerLimits:
    """What a worker may use.

    Attributes:
        memory_bytes: Private memory of the process; allocations beyond it fail. None: no limit.
        seconds: Longest time one action may take; the process is ended then. None: no limit (a build can take hours).
    """

    memory_bytes: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("memory_bytes", "seconds"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise InputError(f"WorkerLimits({name}={value!r}): a limit is larger than 0; None means no limit.")


class WorkerDied(WorkerError):  # noqa: N818 - an event, named as what happened
    """The worker's process ended before it answered. `ending` says how."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.text)
        self.ending = ending


class ActionCancelled(WorkerError):  # noqa: N818 - an event, named as what happened
    """The action was cancelled. `worker_ended` tells whether its process had to be ended for that."""

    def __init__(self, *, worker_ended: bool) -> None:
        super().__init__("The action was cancelled.")
        self.worker_ended = worker_ended


class Call:
    """One action under way."""

    def __init__(self, number: int, on_event: Callable[[Event], None] | None, seconds: float | None) -> None:
        self.number = number
        self.on_event = on_event
        self.seconds = seconds
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.answered = threading.Event()
        self.answer: Message | None = None
        self.callback_error: BaseException | None = None


def rebuilt_error(name: str, message: str, details: str, facts: dict[str, Any]) -> TrtlabError:
    """Return the child's error as the same class of trtlab's, or as an `ActionError`."""
    error_class = getattr(_errors, name, None)
    if isinstance(error_class, type) and issubclass(error_class, TrtlabError) and error_class is not ActionError:
        try:
            error: TrtlabError = error_class(message)
        except TypeError:  # it needs more than a text
            pass
        else:
            return error
    return ActionError(message or name, kind=name, details=details, facts=facts)
