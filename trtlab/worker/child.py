"""The child process: reads calls, runs actions, writes events and answers.

An action is named `module:function`, lies inside trtlab, takes an `ActionContext` and keyword arguments, and returns
what JSON can hold.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import importlib
import json
import os
import queue
import resource
import signal
import sys
import threading
import traceback
from typing import Any

from trtlab._errors import TrtlabError
from trtlab.worker.context import ActionContext, Cancelled, EventWriter
from trtlab.worker.events import encode

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """Serve calls until the pipe closes.

    Args:
        arguments: File descriptor of the calls, of the events, process id of the kernel, memory limit in bytes (0: none).
    """
    call_descriptor, event_descriptor, kernel, memory_bytes = map(int, arguments)
    _die_with(kernel)
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if memory_bytes:
        # RLIMIT_DATA counts private writable memory; RLIMIT_AS would also count what CUDA only reserves.
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    events = EventWriter(event_descriptor)
    context = ActionContext(events)
    calls: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
    threading.Thread(target=_read_calls, args=(call_descriptor, context, calls), daemon=True).start()
    events.write(encode("hello", os.getpid()))
    while True:
        _, number, action, values = calls.get()
        context.begin_action()
        events.write(_run(context, number, action, values))


def _die_with(kernel: int) -> None:
    """Have the system end this process when the kernel's thread that started it ends, however that happens.

    The pipe's end of file says the same, but a thread can only see it while native code lets go of the interpreter lock.
    """
    with contextlib.suppress(OSError, AttributeError):  # no such call outside Linux; the pipe remains
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != kernel:  # it ended before the line above
        os._exit(0)


def _read_calls(descriptor: int, context: ActionContext, calls: queue.SimpleQueue[list[Any]]) -> None:
    with os.fdopen(descriptor, "rb") as stream:
        for line in stream:
            message = json.loads(line)
            if message[0] == "cancel":
                context.request_cancel()
            else:
                calls.put(message)
    os._exit(0)  # the kernel is gone or has let go; nothing here is worth a tidy end


def _run(context: ActionContext, number: int, action: str, values: dict[str, Any]) -> bytes:
    """Run one action and return the line that answers it."""
    try:
        result = _find(action)(context, **values)
        return encode("done", number, result)
    except Cancelled:
        return encode("cancelled", number)
    except TrtlabError as error:
        return encode("failed", number, type(error).__name__, str(error), "", _facts(error))
    except MemoryError:
        return encode("failed", number, "MemoryError", "The worker ran out of memory.", traceback.format_exc(), {})
    except Exception as error:  # noqa: BLE001 - whatever an action raises is reported to the kernel, nothing is swallowed
        return encode("failed", number, type(error).__name__, str(error), traceback.format_exc(), {})


def _facts(error: TrtlabError) -> dict[str, Any]:
    """Return what an error carries besides its text, if it can cross the pipe."""
    facts = getattr(error, "facts", {})
    return facts if isinstance(facts, dict) else {}


def _find(action: str) -> Any:  # noqa: ANN401 - a function of any signature
    module, _, name = action.partition(":")
    if not module.startswith("trtlab."):
        raise ValueError(f"{action!r} is no action of trtlab")
    return getattr(importlib.import_module(module), name)


if __name__ == "__main__":
    main(sys.argv[1:])
