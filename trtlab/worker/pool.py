"""Keep one worker warm, so that a second action does not pay for starting Python, onnx and TensorRT again."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import weakref

from trtlab._errors import TrtlabError
from trtlab.worker.call import WorkerLimits
from trtlab.worker.process import Worker

_IDLE_SECONDS = 600.0
# Forgetting means destructors of native code, which can hang like everything else there.
_RESET_SECONDS = 10.0
# A worker keeps the surroundings it was started in. These decide which libraries and devices it finds.
_DECISIVE_VARIABLES = (
    "TRTLAB_TENSORRT", "CUDA_", "NVIDIA_", "TENSORRT", "TRT_", "POLYGRAPHY_", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH",
)  # fmt: skip
_all_workers: weakref.WeakSet[Worker] = weakref.WeakSet()
_all_pools: weakref.WeakSet[WorkerPool] = weakref.WeakSet()


class WorkerPool:
    """Hands out workers and takes them back. At most one idle worker is kept, for ten minutes.

    A worker that is handed out belongs to its user until it is given back; limits other than the default are never
    shared, so such a worker ends when it is given back. A warm worker that was started in another current folder, or with
    other settings of TensorRT and CUDA, is not handed on either.
    """

    def __init__(self, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._surroundings: weakref.WeakKeyDictionary[Worker, object] = weakref.WeakKeyDictionary()
        self._cleaning: weakref.WeakKeyDictionary[Worker, threading.Thread] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()
        self._idle: Worker | None = None
        self._timer: threading.Timer | None = None
        _all_pools.add(self)

    def acquire(self, *, limits: WorkerLimits | None = None, cancelled: threading.Event | None = None) -> Worker:
        """Return the warm worker if there is one that fits, else a new one.

        Args:
            limits: What it may use.
            cancelled: Stops the start of a new one when it is set; raises `ActionCancelled` then.
        """
        wanted = limits or WorkerLimits()
        surroundings = _surroundings()
        idle = self._take_idle() if wanted == WorkerLimits() else None
        if idle is not None:
            cleaning = self._cleaning.pop(idle, None)
            if cleaning is not None:
                cleaning.join()
            if (idle.alive or idle.starting) and self._surroundings.get(idle) == surroundings:
                return idle.start(cancelled=cancelled)
            idle.close()
        return self._new_worker(wanted, surroundings).start(cancelled=cancelled)

    def prepare(self) -> None:
        """Start a worker without waiting for it, unless one is idle: for who knows that a worker will be needed soon."""
        with self._lock:
            if self._idle is not None:
                return
        worker = self._new_worker(WorkerLimits(), _surroundings())
        with contextlib.suppress(TrtlabError):  # `acquire` will meet the same, and somebody is told
            worker.launch()
            self._keep(worker)

    def release(self, worker: Worker) -> None:
        """Take a worker back: keep it warm if it is healthy and idle, end it otherwise.

        What it holds is freed meanwhile, in a thread: that can be gigabytes, and whoever gives it back has his result.
        """
        if not worker.alive or worker.busy or worker.limits != WorkerLimits():
            worker.close()
            return
        cleaning = threading.Thread(target=_reset, args=(worker,), name="trtlab-reset", daemon=True)
        self._cleaning[worker] = cleaning
        cleaning.start()
        self._keep(worker)

    def close(self) -> None:
        """End the idle worker."""
        worker = self._take_idle()
        if worker is not None:
            worker.close()

    def _new_worker(self, limits: WorkerLimits, surroundings: object) -> Worker:
        worker = Worker(limits=limits)
        _all_workers.add(worker)
        self._surroundings[worker] = surroundings
        return worker

    def _keep(self, worker: Worker) -> None:
        """Keep a worker for the next who asks; one is enough."""
        with self._lock:
            if self._idle is None:
                self._idle = worker
                self._start_timer()
                return
        worker.close()

    def _take_idle(self) -> Worker | None:
        with self._lock:
            worker, self._idle = self._idle, None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            return worker

    def _start_timer(self) -> None:
        self._timer = timer = threading.Timer(self._idle_seconds, self.close)
        timer.daemon = True
        timer.start()

    def _forget(self) -> None:
        self._lock, self._idle, self._timer = threading.Lock(), None, None


def _reset(worker: Worker) -> None:
    try:
        worker.call("trtlab.worker.context:reset", seconds=_RESET_SECONDS)
    except TrtlabError:  # it hangs or died in destructors of native code; the next who asks gets a new one
        worker.close()


def _surroundings() -> object:
    try:
        folder = os.getcwd()  # noqa: PTH109 - Path.cwd() is the same
    except FileNotFoundError:
        folder = ""
    return folder, {name: value for name, value in os.environ.items() if name.startswith(_DECISIVE_VARIABLES)}


_shared = WorkerPool()


def shared_pool() -> WorkerPool:
    """Return the pool that all of trtlab uses in this process."""
    return _shared


@atexit.register
def close_all_workers() -> None:
    """End every worker of this process; called when the kernel ends."""
    for pool in list(_all_pools):
        pool.close()
    for worker in list(_all_workers):
        worker.close()


def _forget_after_fork() -> None:
    """A forked copy of the kernel (multiprocessing) must neither talk to its parent's child nor end it."""
    _all_workers.clear()
    for pool in list(_all_pools):
        pool._forget()  # noqa: SLF001 - of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
