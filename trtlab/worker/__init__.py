"""Isolation: one child process runs all native code, so that nothing it does can take the notebook's kernel with it.

The child is started, talked to, limited, cancelled and outlived here. What crosses the pipe is JSON, one list a line.
"""

from trtlab.worker.events import Event, LogRecord, PhaseEvent
from trtlab.worker.pool import WorkerPool, shared_pool
from trtlab.worker.process import ActionCancelled, Worker, WorkerDied, WorkerLimits

__all__ = [
    "ActionCancelled",
    "Event",
    "LogRecord",
    "PhaseEvent",
    "Worker",
    "WorkerDied",
    "WorkerLimits",
    "WorkerPool",
    "shared_pool",
]
