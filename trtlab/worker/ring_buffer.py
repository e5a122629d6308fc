"""Memory that two processes share: one writes bytes, the other takes them, and what was written outlives its writer.

A builder logs ten thousands of lines. Into a pipe each would have to go at once, since a buffer dies with its process and the
last line before a crash is the one that matters; that is a system call a line, and a reader woken for it. Here a line is a
copy of bytes, and the kernel takes what has gathered when it looks, also after the process has died.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import platform
import tempfile
import threading
import time
from collections.abc import Callable

# 64-bit counts of bytes at the start of the memory, on cache lines of their own: written (the child's), taken (the kernel's).
_WRITTEN, _TAKEN = 0, 8
_HEADER_BYTES = 128
_FULL_WAIT_SECONDS = 0.001
# On these, no processor sees a later store before an earlier one; ARM promises that only with barriers.
_STORES_IN_ORDER = platform.machine() in ("x86_64", "AMD64")
# What gathers in a tenth of a second of the fastest log seen is 1 MiB.
DEFAULT_BYTES = 1 << 22


def create(size: int = DEFAULT_BYTES) -> int:
    """Return the descriptor of new memory for a ring of `size` bytes, not inherited by child processes unless passed on."""
    try:
        descriptor = os.memfd_create("trtlab-events")
    except (OSError, AttributeError):  # not Linux, or not allowed in this container
        descriptor, path = tempfile.mkstemp(prefix="trtlab-events-")
        os.unlink(path)  # noqa: PTH108 - Path.unlink is the same
    try:
        os.ftruncate(descriptor, _HEADER_BYTES + size)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


class _Ring:
    """One end of the memory behind a descriptor, which belongs to this end from now on."""

    def __init__(self, descriptor: int) -> None:
        try:
            self._memory = mmap.mmap(descriptor, 0)
        finally:
            os.close(descriptor)
        self._counts = memoryview(self._memory)[:_HEADER_BYTES].cast("Q")
        self._size = len(self._memory) - _HEADER_BYTES
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the memory. What was written stays for the other end."""
        with contextlib.suppress(ValueError):  # closed before
            self._counts.release()
            self._memory.close()


class RingWriter(_Ring):
    """The end that writes. Safe from several threads.

    Attributes:
        write: Adds bytes that nothing comes between; waits while the ring is full.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self.write = self._make_write()

    def _make_write(self) -> Callable[[bytes], None]:
        """Return `write`. It runs for every log message, and names in a function take half the time of those in an object."""
        memory, counts, size, lock = self._memory, self._counts, self._size, self._lock
        in_order = _STORES_IN_ORDER
        written = counts[_WRITTEN]
        limit = written  # how far may be written without a look at what was taken, or at the end of the memory
        lead = _HEADER_BYTES - written + written % size  # where a count of bytes lies in the memory, less that count

        def write(data: bytes) -> None:
            nonlocal written
            with lock:
                end = written + len(data)
                if end > limit:
                    write_in_pieces(data)
                else:
                    memory[written + lead : end + lead] = data
                    written = end
                if in_order:
                    counts[_WRITTEN] = written
                    return
            # Taken a second time for its memory barriers: the count could be seen before the bytes it counts.
            with lock:
                counts[_WRITTEN] = written

        def write_in_pieces(data: bytes) -> None:
            nonlocal written, limit, lead
            rest = memoryview(data)
            while rest:
                offset = written % size
                room = min(counts[_TAKEN] + size - written, size - offset)
                lead = _HEADER_BYTES + offset - written
                limit = written + room
                if room == 0:
                    counts[_WRITTEN] = written  # has the reader make room
                    time.sleep(_FULL_WAIT_SECONDS)
                    continue
                piece = rest[:room]
                memory[written + lead : written + lead + len(piece)] = piece
                written += len(piece)
                rest = rest[len(piece) :]

        return write


class RingReader(_Ring):
    """The end that takes. For one thread."""

    def take(self) -> bytes:
        """Return everything that was written and not taken yet."""
        written, taken = self._counts[_WRITTEN], self._counts[_TAKEN]
        if written == taken:
            return b""
        with self._lock:  # for its memory barriers: the bytes are read after their count
            waiting = written - taken
        if not 0 < waiting <= self._size:
            raise ValueError(f"the memory it reports in was overwritten: {waiting} bytes wait in {self._size}")
        start = taken % self._size
        first = self._memory[_HEADER_BYTES + start : _HEADER_BYTES + min(start + waiting, self._size)]
        data = first + self._memory[_HEADER_BYTES : _HEADER_BYTES + waiting - len(first)]
        with self._lock:
            self._counts[_TAKEN] = written
        return data
