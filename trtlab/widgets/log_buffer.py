"""The last log records of a panel, numbered, so that every view can catch up after a reload."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Any

from trtlab.worker.events import LogRecord

KEPT_RECORDS = 20_000
# One message can list every layer of an engine; more of it than this is for the report, not for a scrolling view.
_LONGEST_MESSAGE = 20_000
_COUNTED = ("error", "warning", "info", "verbose", "output")


class LogBuffer:
    """Holds the last 20,000 records in the form that the page takes. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[list[Any]] = deque(maxlen=KEPT_RECORDS)
        self._next = 0
        self._counts: Counter[str] = Counter()
        self._steps: dict[str, tuple[int, int]] = {}

    def add(self, step: str, record: LogRecord) -> None:
        """Add one record."""
        message = record.message
        if len(message) > _LONGEST_MESSAGE:
            message = f"{message[:_LONGEST_MESSAGE]}\n… ({len(message) - _LONGEST_MESSAGE} more characters are in panel.report().log)"
        with self._lock:
            self._records.append([self._next, record.time, record.severity, step, record.source, message])
            first, _ = self._steps.get(step, (self._next, self._next))
            self._steps[step] = (first, self._next)
            self._next += 1
            self._counts["error" if record.severity == "internal_error" else record.severity] += 1

    def begin(self, step: str) -> None:
        """Note that a step starts anew: its range of records begins with the next one."""
        with self._lock:
            self._steps.pop(step, None)

    def after(self, sequence: int, *, limit: int | None = None) -> list[list[Any]]:
        """Return the kept records whose number is greater than `sequence`, in order, at most `limit` of them."""
        with self._lock:
            if not self._records:
                return []
            first = self._records[0][0]
            start = max(sequence + 1 - first, 0)
            stop = None if limit is None else start + limit
            # A deque is slow to index; going from its end is enough for the usual few new records.
            if stop is None and len(self._records) - start < len(self._records) // 2:
                newest = [self._records[-position] for position in range(1, len(self._records) - start + 1)]
                return newest[::-1]
            return list(self._records)[start:stop]

    def clear(self) -> None:
        """Forget all records. Numbers go on, so that a late message of an earlier run is never taken for a new one."""
        with self._lock:
            self._records.clear()
            self._counts.clear()
            self._steps.clear()

    def ranges(self) -> dict[str, tuple[int, int]]:
        """Return the first and last number of each step's records."""
        with self._lock:
            return dict(self._steps)

    def summary(self) -> dict[str, Any]:
        """Return the counts that the panel shows."""
        with self._lock:
            first = self._records[0][0] if self._records else self._next
            counts = {name: self._counts[name] for name in _COUNTED}
            return {"total": self._next, "first": first, "counts": counts, "steps": list(self._steps)}
