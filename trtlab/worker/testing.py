"""Failures on cue: actions that crash, hang, starve and chatter, for trtlab's own tests and for workshops.

They do to a worker what a fault in TensorRT would do to it, for instance `worker.call("trtlab.worker.testing:crash")`.
None of them is used by trtlab itself.
"""

from __future__ import annotations

import builtins
import ctypes
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Literal

from trtlab import _errors
from trtlab.worker.context import ActionContext

_LONG_SECONDS = 3600
_LARGEST_BLOCK_BYTES = 1 << 30
_SMALLEST_BLOCK_BYTES = 1 << 6


def crash(context: ActionContext, *, signal_name: str = "SIGSEGV", said: str = "", where: str = "stderr") -> None:
    """Action: end the process by a signal, in native code where there is a way to.

    Args:
        context: Takes what is said to the log.
        signal_name: `SIGSEGV` (reads address 0), `SIGABRT` (calls abort) or any other, which is sent.
        said: What to write before.
        where: Where to, see `write_output`.
    """
    if said:
        write_output(context, lines=[[where, said]])
    if signal_name == "SIGSEGV":
        ctypes.string_at(0)
    elif signal_name == "SIGABRT":
        os.abort()
    os.kill(os.getpid(), signal.Signals[signal_name])
    time.sleep(_LONG_SECONDS)  # the signal is on its way


def end(context: ActionContext, *, code: int = 3, way: Literal["native", "python", "at_once"] = "native") -> None:
    """Action: end the process with an exit code: C's `exit`, Python's `sys.exit` (an exception), or `_exit`."""
    del context
    if way == "python":
        sys.exit(code)
    elif way == "at_once":
        os._exit(code)
    else:
        ctypes.CDLL(None).exit(code)


def hang(
    context: ActionContext,
    *,
    way: Literal["sleep", "polite", "native", "native_with_lock", "regular_expression", "stopped"] = "sleep",
    seconds: float = _LONG_SECONDS,
) -> str:
    """Action: do not come back.

    Args:
        context: Asked by the way `polite` whether to stop, as TensorRT's progress monitor does.
        way: Asleep in Python, politely so, in native code that let go of the interpreter lock, in native code that holds it,
            in a regular expression (which holds it too), or stopped by the system.
        seconds: How long at most.

    Returns:
        That it ended by itself.
    """
    context.events.log("info", f"hanging: {way}")
    if way == "polite":
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            context.raise_if_cancelled()
            time.sleep(0.01)
    elif way == "native":
        ctypes.CDLL(None).sleep(int(seconds))
    elif way == "native_with_lock":
        ctypes.PyDLL(None).sleep(int(seconds))
    elif way == "regular_expression":
        re.match(r"(a+)+$", "a" * 64 + "!")  # tries 2^64 ways to split the run of a
    elif way == "stopped":
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        time.sleep(seconds)
    return "awake"


def fail(context: ActionContext, *, error: str, message: str, details: dict[str, Any] | None = None) -> None:
    """Action: raise an error of trtlab or of Python by the name of its class; `details` are further keyword arguments."""
    del context
    error_class = getattr(_errors, error, None) or getattr(builtins, error)
    raise error_class(message, **(details or {}))


def read_file(context: ActionContext, *, path: str) -> int:
    """Action: open a file, so that the system's own error comes if that cannot be done; return its size."""
    del context
    return len(Path(path).read_bytes())


def take_memory(context: ActionContext, *, size_bytes: int, native: bool = False) -> int:
    """Action: allocate memory and give it back; `native` aborts when that fails, as C++ code does without a handler."""
    del context
    if not native:
        return len(bytearray(size_bytes))
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    block = library.malloc(ctypes.c_size_t(size_bytes))
    if not block:
        os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n")
        os.abort()
    library.free(ctypes.c_void_p(block))
    return size_bytes


def starve(context: ActionContext) -> int:
    """Action: leave the process without memory for whatever comes next, and return how many bytes that took.

    Its limit is set to what it uses; then it takes what its allocator still has. None of that memory is ever touched, so
    the machine does not miss it.
    """
    del context
    used = re.search(r"^VmData:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    limit = int(used[1]) * 1024 if used else 0
    resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    malloc = ctypes.CDLL(None).malloc
    malloc.restype = ctypes.c_void_p
    taken, size = 0, _LARGEST_BLOCK_BYTES
    while size >= _SMALLEST_BLOCK_BYTES:
        if malloc(ctypes.c_size_t(size)):
            taken += size
        else:
            size //= 2
    return taken


def write_output(context: ActionContext, *, lines: list[list[str]]) -> None:
    """Action: write lines, each given as `[where, text]`.

    Args:
        context: Takes those for `log`.
        lines: Where is `stdout` or `stderr` (written by a system call), `print` (Python), `puts` or `printf` (the C library;
            `printf` ends no line), or a severity of TensorRT's logger.
    """
    library = ctypes.CDLL(None)
    for where, text in lines:
        if where in ("stdout", "stderr"):
            _write_all({"stdout": 1, "stderr": 2}[where], text.encode("utf-8", "surrogateescape") + b"\n")
        elif where == "print":
            sys.stdout.write(text + "\n")
        elif where == "puts":
            library.puts(text.encode())
        elif where == "printf":
            library.printf(b"%s", text.encode())
        else:
            context.events.log(where, text)


def write_large(context: ActionContext, *, size: int, where: Literal["stdout", "stderr", "log", "answer"]) -> str:
    """Action: write one line of `size` characters to a stream or to the log, or return it."""
    text = "x" * size
    if where == "answer":
        return text
    write_output(context, lines=[["info" if where == "log" else where, text]])
    return ""


def report_phase(context: ActionContext, *, name: str) -> None:
    """Action: report a phase of two steps as TensorRT's progress monitor does."""
    context.events.phase("start", name, "Building Engine", 0, 2)
    context.events.phase("step", name, None, 1, 2)
    context.events.phase("finish", name)


def return_unsendable(context: ActionContext) -> object:
    """Action: return what JSON cannot hold."""
    return context


def send_damaged(context: ActionContext, *, text: str, where: Literal["answers", "events"]) -> None:
    """Action: report what is no report, as native code could that uses a wrong descriptor or a wrong address."""
    line = text.encode() + b"\n"
    if where == "answers":
        os.write(int(sys.argv[2]), line)
    else:
        context.events._ring.write(line)  # noqa: SLF001 - past what keeps it whole
    time.sleep(_LONG_SECONDS)


def leave_process(context: ActionContext, *, then_crash: bool = False) -> int:
    """Action: start a process that holds this one's output open and outlives it; return its id."""
    with_pipes = subprocess.Popen(["sleep", str(_LONG_SECONDS)])
    context.events.log("info", str(with_pipes.pid))
    if then_crash:
        crash(context)
    return with_pipes.pid


class _Stuck:
    """Hangs when it is freed, as a destructor of native code can."""

    def __del__(self) -> None:
        time.sleep(_LONG_SECONDS)


def keep(context: ActionContext, *, value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Action: keep a value in the worker's state; `hangs when it is freed` does what it says."""
    context.state["testing"] = _Stuck() if value == "hangs when it is freed" else value


def kept(context: ActionContext) -> list[Any]:
    """Action: return what was kept, as a list of one or no value."""
    return [context.state["testing"]] if "testing" in context.state else []


def imported_from(context: ActionContext, *, module: str) -> str:
    """Action: import a module and return the file it came from."""
    del context
    return str(getattr(__import__(module), "__file__", ""))


def surroundings(context: ActionContext, *, variable: str) -> list[str]:
    """Action: return the current folder and the value of one environment variable."""
    del context
    return [str(Path.cwd()), os.environ.get(variable, "")]


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
