"""What the tests need to know about processes."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

PATIENCE_SECONDS = 10.0


def wait_until(condition: Callable[[], object], *, seconds: float = PATIENCE_SECONDS, what: str = "") -> float:
    """Wait until `condition()` is true and return how long that took; fail the test after `seconds`."""
    begin = time.monotonic()
    while not condition():
        waited = time.monotonic() - begin
        assert waited < seconds, f"{what or condition} did not come true within {seconds} s"
        time.sleep(0.002)
    return time.monotonic() - begin


def wait_until_gone(process: int, *, seconds: float = PATIENCE_SECONDS, zombie_is_gone: bool = True) -> float:
    """Wait until a process has ended and return how long that took.

    Args:
        process: Its id.
        seconds: How long it may take.
        zombie_is_gone: Whether it counts as gone when only its exit status is left. That is right for a process whose parent
            has ended (in a container nobody may collect it), and wrong for a child of this process.
    """
    return wait_until(
        lambda: is_gone(process, zombie_is_gone=zombie_is_gone), seconds=seconds, what=f"end of {process}"
    )


def is_gone(process: int, *, zombie_is_gone: bool) -> bool:
    """Return whether a process has ended."""
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE and zombie_is_gone
    except psutil.NoSuchProcess:
        return True
