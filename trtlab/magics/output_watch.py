"""Keep what a cell writes, from Python and from C++, while it still appears where it always did."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections import deque
from typing import Any

_KEPT_CHARACTERS = 16_000_000


class OutputWatch:
    """Keeps a copy of standard output and error between `start` and `stop`: of Python, and of native code (wurlitzer does that).

    Of more than 32 million characters the middle is left out: the first error and the last lines matter.
    """

    def __init__(self) -> None:
        self._copy = _BoundedText()
        self._native: Any = None
        self._python: list[tuple[str, Any, Any]] = []

    def start(self) -> None:
        """Begin. What cannot be captured (no file descriptors, Windows) still appears, and is not kept."""
        terminal = _is_file(sys.stdout, 1)
        outputs = {1: _writer_of(1) if terminal else sys.stdout, 2: _writer_of(2) if terminal else sys.stderr}
        with contextlib.suppress(OSError, ImportError, AttributeError, io.UnsupportedOperation):
            import wurlitzer

            self._native = wurlitzer.pipes(stdout=_Tee(outputs[1], self._copy), stderr=_Tee(outputs[2], self._copy))
            self._native.__enter__()
        if not terminal or self._native is None:  # in a terminal Python's own output goes through the descriptors too
            for name in ("stdout", "stderr"):
                stream = getattr(sys, name)
                tee = _Tee(stream, self._copy)
                setattr(sys, name, tee)
                self._python.append((name, stream, tee))

    def stop(self) -> str:
        """End, and return what was written."""
        for name, stream, tee in self._python:
            if getattr(sys, name) is tee:  # else somebody replaced it meanwhile, and will put back what was there
                setattr(sys, name, stream)
        self._python.clear()
        if self._native is not None:
            native, self._native = self._native, None
            native.__exit__(None, None, None)
        return self._copy.text()

    def __enter__(self) -> OutputWatch:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


class _Tee(io.TextIOBase):
    """Writes to a stream and keeps a copy. Everything else is the stream's."""

    def __init__(self, stream: Any, copy: _BoundedText) -> None:  # noqa: ANN401 - any text stream
        self._stream, self._copy = stream, copy

    def write(self, text: str) -> int:
        """Write, and keep."""
        self._copy.add(text)
        self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return bool(getattr(self._stream, "isatty", bool)())

    def fileno(self) -> int:
        """The stream's descriptor."""
        return int(self._stream.fileno())

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._stream, name)


class _BoundedText:
    """Text whose middle is left out when it gets too long. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._head: list[str] = []
        self._head_size = 0
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._left_out = False

    def add(self, text: str) -> None:
        """Add a piece."""
        with self._lock:
            if self._head_size < _KEPT_CHARACTERS:
                self._head.append(text)
                self._head_size += len(text)
                return
            self._tail.append(text)
            self._tail_size += len(text)
            while self._tail_size > _KEPT_CHARACTERS:
                self._tail_size -= len(self._tail.popleft())
                self._left_out = True

    def text(self) -> str:
        """Return what was kept."""
        with self._lock:
            gap = ["\n[some output in the middle was not kept]\n"] if self._left_out else []
            return "".join([*self._head, *gap, *self._tail])


def _is_file(stream: Any, descriptor: int) -> bool:  # noqa: ANN401
    try:
        return bool(stream.fileno() == descriptor) and type(stream).__module__ in ("_io", "io")
    except (OSError, AttributeError, ValueError):
        return False


def _writer_of(descriptor: int) -> io.TextIOWrapper:
    return os.fdopen(os.dup(descriptor), "w", buffering=1, encoding="utf-8", errors="replace")
