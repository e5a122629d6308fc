"""Keep one worker warm, so that a second action does not pay for starting Python, onnx and TensorRT again."""

from __future__ import annotations

import atexit
import os
import threading
import weakref

from trtlab._errors import TrtlabError
from trtlab.worker.process import Worker, WorkerLimits

_IDLE_SECONDS = 600.0
_all_workers: weakref.WeakSet[Worker] = weakref.WeakSet()


class WorkerPool:
    """Hands out workers and takes them back. At most one idle worker is kept, for ten minutes.

    A worker that is handed out belongs to its user until it is given back; limits other than the default are never
    shared, so such a worker ends when it is given back.
    """

    def __init__(self, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._idle: Worker | None = None
        self._timer: threading.Timer | None = None
        self._process_id = os.getpid()

    def acquire(self, *, limits: WorkerLimits | None = None) -> Worker:
        """Return the warm worker if there is one that fits, else a new one."""
        wanted = limits or WorkerLimits()
        with self._lock:
            self._forget_after_fork()
            worker, self._idle = (self._idle, None) if wanted == WorkerLimits() else (None, self._idle)
            self._stop_timer()
        if worker is not None and worker.alive:
            return worker
        worker = Worker(limits=wanted)
        _all_workers.add(worker)
        return worker.start()

    def release(self, worker: Worker) -> None:
        """Take a worker back: keep it warm if it is healthy and idle, end it otherwise."""
        if worker.alive and not worker.busy and worker.limits == WorkerLimits():
            try:
                worker.call("trtlab.worker.context:reset")
            except TrtlabError:
                worker.close()
                return
            with self._lock:
                self._forget_after_fork()
                if self._idle is None:
                    self._idle = worker
                    self._start_timer()
                    return
        worker.close()

    def close(self) -> None:
        """End the idle worker."""
        with self._lock:
            worker, self._idle = self._idle, None
            self._stop_timer()
        if worker is not None:
            worker.close()

    def _start_timer(self) -> None:
        self._timer = threading.Timer(self._idle_seconds, self.close)
        self._timer.daemon = True
        self._timer.start()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _forget_after_fork(self) -> None:
        # A forked copy of the kernel (multiprocessing) must not talk to its parent's child.
        if self._process_id != os.getpid():
            self._process_id, self._idle = os.getpid(), None


_shared = WorkerPool()


def shared_pool() -> WorkerPool:
    """Return the pool that all of trtlab uses in this process."""
    return _shared


@atexit.register
def close_all_workers() -> None:
    """End every worker of this process; called when the kernel ends."""
    _shared.close()
    for worker in list(_all_workers):
        worker.close()
