"""The worker of one session: started when it is needed, replaced when it was lost, given back at the end."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from trtlab._errors import ActionError
from trtlab.worker import Event, Worker, WorkerDied, WorkerLimits, WorkerPool, shared_pool
from trtlab.worker.ending import starved


class WorkerLease:
    """A worker on loan from a pool.

    Attributes:
        held: What the session keeps in the worker, by names of its own (the steps of a build); empty without one.
        cancelled: Set by `cancel`; nothing is called until the session clears it. Calls that begin look at it, so a cancel
            between two of them, or while a worker starts, is not lost.
    """

    def __init__(
        self, *, limits: WorkerLimits | None, pool: WorkerPool | None, on_event: Callable[[Event], None]
    ) -> None:
        self._worker: Worker | None = None
        self._limits, self._pool, self._on_event = limits, pool or shared_pool(), on_event
        self.held: set[str] = set()
        self.cancelled = threading.Event()

    @property
    def has_worker(self) -> bool:
        """Whether there is a worker that lives."""
        return self._worker is not None and self._worker.alive

    def call(self, action: str, **values: Any) -> Any:  # noqa: ANN401 - JSON values
        """Run an action, in a new worker if the last one was lost."""
        if self._worker is None or not self._worker.alive:
            self.lose()
            self._worker = self._pool.acquire(limits=self._limits, cancelled=self.cancelled)
        worker = self._worker
        try:
            return worker.call(action, values, on_event=self._on_event, cancelled=self.cancelled)
        except ActionError as error:
            if error.kind != "MemoryError":
                error.facts["memory_limit_bytes"] = worker.limits.memory_bytes
                raise
            worker.close()  # what is left of its memory would not suffice for the next attempt either
            raise WorkerDied(starved(worker.limits.memory_bytes, last_output=f"{error.details}\n{error}")) from error
        finally:
            if not worker.alive:
                self.lose()

    def cancel(self) -> None:
        """Stop the action that runs, and let none begin."""
        self.cancelled.set()
        worker = self._worker
        if worker is not None:
            worker.cancel()

    def lose(self) -> None:
        """End the worker, and forget what it held."""
        worker, self._worker = self._worker, None
        self.held.clear()
        if worker is not None:
            worker.close()

    def give_back(self) -> None:
        """Give the worker back to its pool."""
        worker, self._worker = self._worker, None
        self.held.clear()
        if worker is not None:
            self._pool.release(worker)

    def __del__(self) -> None:
        # A session that nobody closed (a notebook's cell run again) must not leave its process behind.
        with contextlib.suppress(AttributeError):  # the constructor did not get that far
            self.lose()
