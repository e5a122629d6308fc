"""The child process: reads calls, runs actions, reports events, writes answers.

An action is named `module:function`, lies inside trtlab, takes an `ActionContext` and keyword arguments, and returns
what JSON can hold.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import faulthandler
import importlib
import json
import os
import queue
import resource
import signal
import sys
import traceback
from typing import Any

from trtlab._errors import ActionError, TrtlabError
from trtlab._memory import memory_is_left, start_thread
from trtlab.worker.context import ActionContext, Cancelled, EventWriter
from trtlab.worker.events import encode
from trtlab.worker.ring_buffer import RingWriter

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_IDLE_SECONDS = 60.0


def main(arguments: list[str]) -> None:
    """Serve calls until the pipe closes.

    Args:
        arguments: File descriptors of the calls, of the answers and of the ring buffer for events, process id of the kernel,
            memory limit in bytes (0: none).
    """
    call_descriptor, answer_descriptor, event_descriptor, kernel, memory_bytes = map(int, arguments)
    _die_with(kernel)
    for descriptor in (call_descriptor, answer_descriptor):
        os.set_inheritable(descriptor, False)
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if memory_bytes:
        _limit_memory(memory_bytes)
    context = ActionContext(EventWriter(RingWriter(event_descriptor)))
    calls: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
    start_thread(_read_calls, call_descriptor, context, calls)
    _write(answer_descriptor, encode("hello", os.getpid()))
    try:
        while True:
            _, number, action, values = _next_call(calls)
            context.begin_action(number)
            answer = _run(context, number, action, values)
            _write(answer_descriptor, answer)
            del values, answer  # they can be large, and the next call may be far off
    except BaseException:  # noqa: BLE001 - no memory left for an answer, for instance
        traceback.print_exc()
    finally:
        os._exit(1)  # a tidy end would wait for what native code still does


def _write(descriptor: int, line: bytes) -> None:
    """Write one line; blocks while the pipe is full."""
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _next_call(calls: queue.SimpleQueue[list[Any]]) -> list[Any]:
    """Wait for the next call; after a while without one, give memory that earlier ones used back to the system.

    Not at once: a build that follows directly would have to ask for the same hundreds of MiB again, page by page.
    """
    try:
        return calls.get(timeout=_IDLE_SECONDS)
    except queue.Empty:
        with contextlib.suppress(OSError, AttributeError):  # only the GNU C library has it
            ctypes.CDLL(None).malloc_trim(0)
        return calls.get()


def _die_with(kernel: int) -> None:
    """Have the system end this process when the kernel's thread that started it ends, however that happens.

    The pipe's end of file says the same, but a thread can only see it while native code lets go of the interpreter lock.
    """
    with contextlib.suppress(OSError, AttributeError):  # no such call outside Linux; the pipe remains
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != kernel:
        # It ended before the line above. Or this Python is started through a program that stays in between.
        sys.stderr.write(f"Process {kernel} did not start this one, process {os.getppid()} did.\n")
        os._exit(1)


def _limit_memory(memory_bytes: int) -> None:
    # RLIMIT_DATA counts private writable memory; RLIMIT_AS would also count what CUDA only reserves.
    _, highest = resource.getrlimit(resource.RLIMIT_DATA)
    limit = memory_bytes if highest == resource.RLIM_INFINITY else min(memory_bytes, highest)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _read_calls(descriptor: int, context: ActionContext, calls: queue.SimpleQueue[list[Any]]) -> None:
    exit_code = 0  # the kernel is gone or has let go; nothing here is worth a tidy end
    try:
        with os.fdopen(descriptor, "rb") as stream:
            for line in stream:
                message = json.loads(line)
                if message[0] == "cancel":
                    context.request_cancel(message[1])
                else:
                    calls.put(message)
                del line, message
    except BaseException:  # noqa: BLE001 - without this thread the process is deaf, so it must not live on
        exit_code = 1
        traceback.print_exc()
    finally:
        os._exit(exit_code)


def _run(context: ActionContext, number: int, action: str, values: dict[str, Any]) -> bytes:
    """Run one action and return the line that answers it."""
    try:
        context.raise_if_cancelled()
        result = _find(action)(context, **values)
        return encode("done", number, result)
    except Cancelled:
        return encode("cancelled", number)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an action raises is reported, nothing is swallowed
        return _failure(number, error)


def _failure(number: int, error: BaseException) -> bytes:
    if _is_for_want_of_memory(error):
        text = f"The worker ran out of memory. {error}".strip()
        return encode("failed", number, "MemoryError", text, traceback.format_exc(), {})
    if isinstance(error, ActionError):
        # Its kind (`BuildRefused`) is what the kernel tells cases apart by; its class it gets back anyway.
        return encode("failed", number, error.kind, str(error), error.details, error.facts)
    details = "" if isinstance(error, TrtlabError) else traceback.format_exc()
    return encode("failed", number, type(error).__name__, str(error), details, _facts(error))


def _is_for_want_of_memory(error: BaseException) -> bool:
    """Whether memory is what was missing, whatever the error says: TensorRT says `Myelin error from unknown graph`."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return not memory_is_left()


def _facts(error: BaseException) -> dict[str, Any]:
    """Return what is known about an error of the system: its number, and the file it is about."""
    if not isinstance(error, OSError) or error.errno is None:
        return {}
    path = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else ""
    return {"errno": error.errno, "path": path}


def _find(action: str) -> Any:  # noqa: ANN401 - a function of any signature
    module, _, name = action.partition(":")
    if not module.startswith("trtlab."):
        raise ValueError(f"{action!r} is no action of trtlab")
    return getattr(importlib.import_module(module), name)


if __name__ == "__main__":
    main(sys.argv[1:])
