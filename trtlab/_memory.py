"""What a process has to know when its memory runs out."""

from __future__ import annotations

import mmap
import threading
from collections.abc import Callable
from typing import Any

# A process that cannot get this much has no memory left.
_PROBE_BYTES = 1 << 24


def memory_is_left() -> bool:
    """Return whether the system still gives this process memory."""
    try:
        mmap.mmap(-1, _PROBE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, MemoryError):
        return False
    return True


def start_thread(function: Callable[..., Any], *arguments: Any) -> threading.Thread:  # noqa: ANN401 - those of the function
    """Start a thread that runs `function(*arguments)`.

    `Thread.start` waits for the thread to say that it began, and for ever if that has no memory even for this.

    Raises:
        MemoryError: There is no memory for it.
    """
    if not memory_is_left():
        raise MemoryError
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread
