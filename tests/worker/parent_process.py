"""A process of the tests that has a worker and then ends in some way: `python -m tests.worker.parent_process WAY HANG`.

It prints the worker's process id once the worker does what HANG says (an action's way to hang, or `idle`).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

from trtlab.worker import Event, Worker


def main(way: str, hang: str) -> None:
    """Start a worker, have it hang, say so, and end."""
    worker = Worker().start()
    if hang != "idle":
        hanging = threading.Event()

        def callback(event: Event) -> None:
            del event
            hanging.set()

        threading.Thread(
            target=worker.call,
            args=("trtlab.worker.testing:hang", {"way": hang}),
            kwargs={"on_event": callback},
            daemon=True,
        ).start()
        hanging.wait(10)
        time.sleep(0.1)  # from its words to its deeds
    sys.stdout.write(f"{worker.pid}\n")
    sys.stdout.flush()
    end(way)


def end(way: str) -> None:
    """End this process."""
    if way == "SIGKILL":
        os.kill(os.getpid(), signal.SIGKILL)
    elif way == "SIGTERM":
        os.kill(os.getpid(), signal.SIGTERM)
    elif way == "SIGSEGV":
        ctypes.string_at(0)
    elif way == "sys.exit":
        sys.exit(0)
    elif way == "os._exit":
        os._exit(0)
    elif way == "exception":
        raise RuntimeError("the kernel's own fault")


if __name__ == "__main__":
    main(*sys.argv[1:])
