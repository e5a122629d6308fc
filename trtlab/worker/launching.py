"""Start a child process, hold its pipes, and end it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from trtlab._errors import WorkerError
from trtlab.worker.ring_buffer import RingReader
from trtlab.worker.ring_buffer import create as create_ring

# Runs the child without the current folder before the libraries on its path: a file onnx.py or json.py beside a notebook
# must not be imported in their place. Where PYTHONPATH names it on purpose, it comes last. And with the very trtlab that the
# kernel uses, also where another one is installed: both ends speak one protocol.
# Rare garbage collections take an eighth off the time of its imports; `context.reset` collects what a build leaves.
_BOOT = """
import gc, os, sys
gc.set_threshold(100_000, 20, 100)
from importlib.util import module_from_spec, spec_from_file_location
root = sys.argv.pop(1)
try:
    here = os.getcwd()
except OSError:  # the folder was deleted
    here = ""
named = [entry for entry in sys.path if entry]
others = [entry for entry in named if entry != here]
sys.path[:] = [*others, root, *([here] if len(others) < len(named) else [])]
spec = spec_from_file_location("trtlab", os.path.join(root, "trtlab", "__init__.py"))
sys.modules["trtlab"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["trtlab"])
from trtlab.worker.child import main
main(sys.argv[1:])
"""
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
_READ_BYTES = 1 << 18
# A line of output longer than this is handed on in pieces: a program that never ends its line must not fill the memory.
_LONGEST_OUTPUT_LINE_BYTES = 1 << 24
_SEND_TICK_MS = 50


class LineReader:
    """Takes lines out of a pipe without ever waiting for it.

    Args:
        stream: The pipe's end to read from, unbuffered; belongs to this reader from now on.
        longest: Longest line; what is longer comes in pieces. None: any.
    """

    def __init__(self, stream: IO[bytes], *, longest: int | None = None) -> None:
        os.set_blocking(stream.fileno(), False)
        self._stream = stream
        self._longest = longest
        self._pieces: list[bytes] = []
        self._size = 0
        self.ended = False

    def fileno(self) -> int:
        """The descriptor, for a selector."""
        return self._stream.fileno()

    def read(self) -> list[bytes] | None:
        """Return the lines that are complete after one more read; None if there is nothing to read."""
        try:
            data = os.read(self._stream.fileno(), _READ_BYTES)
        except BlockingIOError:
            return None
        if not data:
            self.ended = True
            return None
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = self._taken() + lines[0]
        self._pieces.append(rest)
        self._size += len(rest)
        if self._longest is not None and self._size > self._longest:
            lines.append(self._taken())
        return lines

    def rest(self) -> list[bytes]:
        """Return the unfinished line, if there is one."""
        taken = self._taken()
        return [taken] if taken else []

    def close(self) -> None:
        """Close the pipe's end."""
        self._stream.close()

    def _taken(self) -> bytes:
        # Joined once a line, not once a read: a line of many megabytes comes in hundreds of reads.
        taken = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return taken


class Child:
    """A child process with its pipes.

    The system ends it with the thread that made this object (`child._die_with`), so that thread must live as long.

    Args:
        memory_bytes: Limit of its private memory; None: no limit.

    Raises:
        WorkerError: It could not be started.
    """

    def __init__(self, memory_bytes: int | None) -> None:
        call_read, call_write = os.pipe()
        answer_read, answer_write = os.pipe()
        ring = create_ring()
        try:
            self._process = _start([call_read, answer_write, ring], memory_bytes)
        except BaseException:
            os.close(call_write)
            os.close(answer_read)
            os.close(ring)
            raise
        finally:
            os.close(call_read)
            os.close(answer_write)
        self.pid = self._process.pid
        os.set_blocking(call_write, False)
        self._calls = call_write
        self._sending = threading.Lock()
        self._sendable = True
        self._reaping = threading.Lock()
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: both are pipes
        assert self._process.stderr is not None  # noqa: S101
        self._ring = RingReader(ring)
        self._unfinished = b""
        self.answers = LineReader(os.fdopen(answer_read, "rb", buffering=0))
        self.stdout = LineReader(self._process.stdout, longest=_LONGEST_OUTPUT_LINE_BYTES)
        self.stderr = LineReader(self._process.stderr, longest=_LONGEST_OUTPUT_LINE_BYTES)

    def take_events(self) -> bytes:
        """Return the lines that were reported since the last call, whole ones."""
        data = self._unfinished + self._ring.take()
        end = data.rfind(b"\n") + 1
        self._unfinished = data[end:]
        return data[:end]

    def send(self, line: bytes, *, give_up: Callable[[], bool]) -> None:
        """Send a line, waiting while the pipe is full, until `give_up()`.

        Raises:
            BrokenPipeError: It was not sent: the process ended, or it was given up.
        """
        rest = memoryview(line)
        with self._sending:
            if not self._sendable:
                raise BrokenPipeError
            poll = select.poll()
            poll.register(self._calls, select.POLLOUT)
            try:
                while rest:
                    with contextlib.suppress(BlockingIOError):
                        rest = rest[os.write(self._calls, rest) :]
                    if rest:
                        poll.poll(_SEND_TICK_MS)
                        if give_up():
                            raise BrokenPipeError
            finally:
                self._sendable = not rest or len(rest) == len(line)  # nothing may follow half a line

    def try_to_send(self, line: bytes, *, seconds: float) -> None:
        """Send a short line, which goes whole or not at all, unless others are sending for longer than `seconds`."""
        if self._sending.acquire(timeout=seconds):
            try:
                if self._sendable:
                    with contextlib.suppress(OSError):
                        os.write(self._calls, line)
            finally:
                self._sending.release()

    def has_ended(self) -> bool:
        """Whether the process has ended. Does not reap it, so its id stays its own."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
        except ChildProcessError:  # somebody else in this program reaps all children
            return True

    def kill(self) -> None:
        """End the process and those it started, if they have not ended."""
        with self._reaping, contextlib.suppress(ProcessLookupError, PermissionError):
            if self._process.returncode is None:
                os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> int:
        """Wait until the process has ended and return its return code, negative for a signal."""
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with self._reaping:
            return self._process.wait()

    def close(self) -> None:
        """Close all pipes. The process must have ended: a `send` that waits ends by that."""
        for reader in (self.answers, self.stdout, self.stderr):
            reader.close()
        self._ring.close()
        with self._sending:
            self._sendable = False
            os.close(self._calls)


# NumPy's OpenBLAS starts a thread for each core and lets it wait busily: a third of the processor time of `import onnx` on
# two cores, more on more. Nothing in the worker multiplies matrices with it. A user's own setting stays.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


def _start(descriptors: list[int], memory_bytes: int | None) -> subprocess.Popen[bytes]:
    if not sys.executable:
        raise WorkerError(
            "The worker process could not be started: this Python does not know its own program (sys.executable is "
            "empty). Set sys.executable to the path of a Python that has trtlab."
        )
    arguments = [_PACKAGE_ROOT, *descriptors, os.getpid(), memory_bytes or 0]
    try:
        return subprocess.Popen(
            [sys.executable, "-c", _BOOT, *map(str, arguments)],
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C in the kernel's terminal is for the kernel
            # Unbuffered holds for C's stdout too: into a pipe its lines would else wait for 4 KiB, and be lost in a crash.
            env={**_ONE_THREAD, **os.environ, "PYTHONUNBUFFERED": "1"},
        )
    except OSError as error:
        raise WorkerError(
            f"The worker process could not be started: {sys.executable}: {error.strerror}. It is started with the Python "
            "that runs this notebook (sys.executable); was its environment removed or replaced meanwhile?"
        ) from error
