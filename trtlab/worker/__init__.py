"""Isolation: one child process runs all native code, so that nothing it does can take the notebook's kernel with it.

The child is started, talked to, limited, cancelled and outlived here. What crosses the pipe is JSON, one list a line.
Names are imported on first use: the child runs in this package too, and needs little of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trtlab.worker.call import ActionCancelled, WorkerDied, WorkerLimits
    from trtlab.worker.events import Event, LogRecord, PhaseEvent
    from trtlab.worker.pool import WorkerPool, shared_pool
    from trtlab.worker.process import Worker

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

_HOME = {
    "ActionCancelled": "trtlab.worker.call",
    "Event": "trtlab.worker.events",
    "LogRecord": "trtlab.worker.events",
    "PhaseEvent": "trtlab.worker.events",
    "Worker": "trtlab.worker.process",
    "WorkerDied": "trtlab.worker.call",
    "WorkerLimits": "trtlab.worker.call",
    "WorkerPool": "trtlab.worker.pool",
    "shared_pool": "trtlab.worker.pool",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public object
    if name not in _HOME:
        raise AttributeError(f"module 'trtlab.worker' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value
