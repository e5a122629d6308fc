"""The kernel's side of a worker: start it, call it, cancel it, and say how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from trtlab import _errors
from trtlab._errors import ActionError, MissingError, TrtlabError, WorkerError
from trtlab._format import format_seconds
from trtlab.worker.ending import Ending, describe_ending, memory_kill_count
from trtlab.worker.events import Event, LogRecord, LogSource, decode_event

if TYPE_CHECKING:
    from collections.abc import Callable

# Runs the child without the current folder on its path: a file onnx.py beside a notebook must not be imported.
_BOOT = (
    "import sys; root = sys.argv.pop(1); sys.path[:] = [p for p in sys.path if p] + [root];"
    "from trtlab.worker.child import main; main(sys.argv[1:])"
)
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
_START_SECONDS = 60.0
_TICK_SECONDS = 0.05
_READ_BYTES = 1 << 18
_PIPE_BYTES = 1 << 20
_KEPT_ERROR_LINES = 40
# How long an action has to stop by itself after a cancel. The process is ended then: together within a second.
CANCEL_GRACE_SECONDS = 0.6


@dataclass(frozen=True)
class WorkerLimits:
    """What a worker may use.

    Attributes:
        memory_bytes: Private memory of the process; allocations beyond it fail. None: no limit.
        seconds: Longest time one action may take; the process is ended then. None: no limit (a build can take hours).
    """

    memory_bytes: int | None = None
    seconds: float | None = None


class WorkerDied(WorkerError):  # noqa: N818 - an event, named as what happened
    """The worker's process ended before it answered. `ending` says how."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.text)
        self.ending = ending


class ActionCancelled(WorkerError):  # noqa: N818 - an event, named as what happened
    """The action was cancelled. `worker_ended` tells whether its process had to be ended for that."""

    def __init__(self, *, worker_ended: bool) -> None:
        super().__init__("The action was cancelled.")
        self.worker_ended = worker_ended


class _Call:
    """One action under way."""

    def __init__(self, number: int, on_event: Callable[[Event], None] | None, deadline: float | None) -> None:
        self.number = number
        self.on_event = on_event
        self.deadline = deadline
        self.answered = threading.Event()
        self.answer: list[Any] = []
        self.callback_error: BaseException | None = None


class Worker:
    """One child process and the thread that watches it.

    Calls are made one at a time. The process ends with `close`, with its kernel, or by its own fault; after that every
    call raises `WorkerDied`, and a new `Worker` is needed.
    """

    def __init__(self, *, limits: WorkerLimits | None = None) -> None:
        self.limits = limits or WorkerLimits()
        self.ending: Ending | None = None
        self.pid = 0
        self._started = threading.Event()
        self._ended = threading.Event()
        self._state = threading.Lock()
        self._busy = threading.Lock()
        self._call: _Call | None = None
        self._number = 0
        self._planned_ending: Ending | None = None
        self._calls: BinaryIO | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._error_lines: deque[str] = deque(maxlen=_KEPT_ERROR_LINES)
        self._start_error: BaseException | None = None
        # The child dies with the thread that started it (see child._die_with): this thread lives as long as the child.
        self._watcher = threading.Thread(target=self._watch, name="trtlab-worker", daemon=True)

    def start(self) -> Worker:
        """Start the process and wait until it answers.

        Raises:
            MissingError: This system cannot run a worker.
            WorkerDied: The process ended while starting.
        """
        if os.name != "posix":
            raise MissingError(
                "trtlab's worker process needs Linux. On Windows, use the Windows Subsystem for Linux (WSL 2)."
            )
        self._watcher.start()
        if not self._started.wait(_START_SECONDS) and not self._ended.is_set():
            self._end(
                Ending(
                    "time_limit",
                    f"The worker process did not start within {format_seconds(_START_SECONDS)}.",
                    last_output=self._last_output(),
                )
            )
        if self._start_error is not None:
            raise WorkerError(f"The worker process could not be started: {self._start_error}") from self._start_error
        if self._ended.is_set():
            raise WorkerDied(self._known_ending())
        return self

    @property
    def alive(self) -> bool:
        """Whether the process runs and can take a call."""
        return self._started.is_set() and not self._ended.is_set() and self._planned_ending is None

    @property
    def busy(self) -> bool:
        """Whether an action is under way."""
        return self._call is not None

    def call(
        self, action: str, values: dict[str, Any] | None = None, *, on_event: Callable[[Event], None] | None = None
    ) -> Any:  # noqa: ANN401 - any JSON value
        """Run one action in the child and return its result.

        Args:
            action: `module:function` inside trtlab.
            values: Keyword arguments, as JSON can hold them.
            on_event: Called in the watching thread with each event of this action, in order. What it raises is raised
                here after the action has ended.

        Raises:
            TrtlabError: The error that the action raised, of the same class.
            ActionError: Any other exception of the action.
            ActionCancelled: `cancel` was called.
            WorkerDied: The process ended; `ending` says how.
        """
        with self._busy:
            call = self._begin(on_event)
            try:
                self._send(["call", call.number, action, values or {}])
                self._wait(call)
            except BaseException:
                # An interrupted kernel (Ctrl-C) must not leave an action running that nobody waits for.
                if not call.answered.is_set():
                    self.cancel()
                    call.answered.wait(CANCEL_GRACE_SECONDS + 1)
                raise
            finally:
                self._call = None
        if call.callback_error is not None:
            raise call.callback_error
        return self._read_answer(call.answer)

    def cancel(self) -> None:
        """Stop the running action: ask it first, and end the process if it does not stop within 0.6 s. Returns at once."""
        call = self._call
        if call is None or call.answered.is_set():
            return
        with contextlib.suppress(OSError, WorkerDied):
            self._send(["cancel"])
        threading.Thread(target=self._enforce_cancel, args=(call,), name="trtlab-cancel", daemon=True).start()

    def close(self) -> None:
        """End the process, whatever it does, and wait until it is gone. Safe to call twice."""
        self._end(Ending("closed", "The worker process was closed."))
        if self._watcher.is_alive() and threading.current_thread() is not self._watcher:
            self._watcher.join(10)

    # Calls

    def _begin(self, on_event: Callable[[Event], None] | None) -> _Call:
        if self._ended.is_set():
            raise WorkerDied(self._known_ending())
        self._number += 1
        seconds = self.limits.seconds
        call = _Call(self._number, on_event, None if seconds is None else time.monotonic() + seconds)
        self._call = call
        return call

    def _send(self, message: list[Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        with self._state:
            if self._calls is None:
                raise WorkerDied(self._known_ending())
            try:
                self._calls.write(line)
                self._calls.flush()
            except (OSError, ValueError) as error:
                self._ended.wait(2)
                raise WorkerDied(self._known_ending()) from error

    def _wait(self, call: _Call) -> None:
        while not call.answered.wait(0.5):  # a wait without a limit could not be interrupted by Ctrl-C everywhere
            pass

    def _enforce_cancel(self, call: _Call) -> None:
        if not call.answered.wait(CANCEL_GRACE_SECONDS):
            self._end(Ending("cancelled", "The worker process was ended to cancel its action."))

    def _read_answer(self, answer: list[Any]) -> Any:  # noqa: ANN401 - any JSON value
        kind = answer[0]
        if kind == "done":
            return answer[2]
        if kind == "cancelled":
            raise ActionCancelled(worker_ended=False)
        if kind == "failed":
            _, _, name, message, details, facts = answer
            raise _rebuilt_error(name, message, details, facts)
        ending = self._known_ending()
        if ending.kind == "cancelled":
            raise ActionCancelled(worker_ended=True)
        raise WorkerDied(ending)

    # The watching thread

    def _watch(self) -> None:
        kills_before = memory_kill_count()
        try:
            process, events = self._spawn()
        except BaseException as error:  # noqa: BLE001 - handed to start(), which raises it
            self._start_error = error
            self._finish(Ending("exit", "The worker process could not be started."))
            return
        try:
            self._read_until_end(process, events)
        finally:
            self._kill_group()
            process.wait()
            ending = self._planned_ending or describe_ending(
                process.returncode,
                last_output=self._last_output(),
                memory_limit_bytes=self.limits.memory_bytes,
                memory_kills=memory_kill_count() - kills_before,
            )
            self._finish(ending)
            for stream in (process.stdout, process.stderr, events):
                if stream is not None:
                    stream.close()

    def _spawn(self) -> tuple[subprocess.Popen[bytes], BinaryIO]:
        call_read, call_write = os.pipe()
        event_read, event_write = os.pipe()
        _widen(event_write)
        try:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    _BOOT,
                    _PACKAGE_ROOT,
                    str(call_read),
                    str(event_write),
                    str(os.getpid()),
                    str(self.limits.memory_bytes or 0),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(call_read, event_write),
                start_new_session=True,  # Ctrl-C in the kernel's terminal is for the kernel
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        except BaseException:
            os.close(call_write)
            os.close(event_read)
            raise
        finally:
            os.close(call_read)
            os.close(event_write)
        with self._state:
            self._process, self.pid = process, process.pid
            self._calls = os.fdopen(call_write, "wb")
        if self._planned_ending is not None:  # closed while starting
            self._kill_group()
        return process, os.fdopen(event_read, "rb", buffering=0)

    def _read_until_end(self, process: subprocess.Popen[bytes], events: BinaryIO) -> None:
        assert process.stdout is not None  # noqa: S101 - for the type checker: both are pipes
        assert process.stderr is not None  # noqa: S101
        buffers = {events: b"", process.stdout: b"", process.stderr: b""}
        names: dict[object, LogSource] = {process.stdout: "stdout", process.stderr: "stderr"}
        with selectors.DefaultSelector() as selector:
            for pipe in buffers:
                selector.register(pipe, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select(_TICK_SECONDS):
                    stream: Any = key.fileobj
                    data = os.read(stream.fileno(), _READ_BYTES)
                    if not data:
                        selector.unregister(stream)
                        lines, rest = ([buffers[stream]] if buffers[stream] else []), b""
                    else:
                        *lines, rest = (buffers[stream] + data).split(b"\n")
                    buffers[stream] = rest
                    self._take(lines, names.get(stream))
                self._check_deadline()

    def _take(self, lines: list[bytes], source: LogSource | None) -> None:
        for line in lines:
            if source is None:
                self._take_event(line)
            else:
                text = line.decode("utf-8", "replace").rstrip("\r")
                if source == "stderr":
                    self._error_lines.append(text)
                if text:
                    self._report(LogRecord(time.time(), "output", text, source))

    def _take_event(self, line: bytes) -> None:
        try:
            parts = json.loads(line)
        except ValueError:  # the process died in the middle of a line
            return
        event = decode_event(parts)
        if event is not None:
            self._report(event)
        elif parts[0] == "hello":
            self._started.set()
        elif self._call is not None and parts[1] == self._call.number:
            self._call.answer = parts
            self._call.answered.set()

    def _report(self, event: Event) -> None:
        call = self._call
        if call is None or call.on_event is None or call.callback_error is not None:
            return
        try:
            call.on_event(event)
        except BaseException as error:  # noqa: BLE001 - raised in call(), where somebody sees it
            call.callback_error = error

    def _check_deadline(self) -> None:
        call = self._call
        if call is None or call.deadline is None or call.answered.is_set() or time.monotonic() < call.deadline:
            return
        limit = format_seconds(self.limits.seconds or 0)
        self._end(
            Ending(
                "time_limit",
                f"The action did not finish within its time limit of {limit}; its process was ended.",
                last_output=self._last_output(),
            )
        )

    # Ending

    def _end(self, ending: Ending) -> None:
        with self._state:
            if self._planned_ending is None and self.ending is None:
                self._planned_ending = ending
            self._kill_group()

    def _kill_group(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _finish(self, ending: Ending) -> None:
        with self._state:
            self.ending = ending
            if self._calls is not None:
                with contextlib.suppress(OSError):
                    self._calls.close()
                self._calls = None
        self._ended.set()
        self._started.set()
        call = self._call
        if call is not None and not call.answered.is_set():
            call.answer = ["ended"]
            call.answered.set()

    def _known_ending(self) -> Ending:
        return self.ending or self._planned_ending or Ending("exit", "The worker process has ended.")

    def _last_output(self) -> str:
        return "\n".join(self._error_lines)


def _widen(descriptor: int) -> None:
    """Let a burst of log lines wait in the pipe instead of slowing the builder. Where the system refuses, it stays 64 KiB."""
    import fcntl

    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _rebuilt_error(name: str, message: str, details: str, facts: dict[str, Any]) -> TrtlabError:
    """Return the child's error as the same class of trtlab's, or as an `ActionError`."""
    error_class = getattr(_errors, name, None)
    if isinstance(error_class, type) and issubclass(error_class, TrtlabError) and error_class is not ActionError:
        with contextlib.suppress(TypeError):
            error: TrtlabError = error_class(message)
            error.facts = facts  # type: ignore[attr-defined]
            return error
    return ActionError(message or name, kind=name, details=details)
