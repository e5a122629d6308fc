"""The kernel's side of a worker: start it, call it, cancel it, and say how it ended."""

from __future__ import annotations

import json
import os
import selectors
import threading
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trtlab._errors import MissingError, WorkerError
from trtlab._format import format_seconds
from trtlab.worker.call import ActionCancelled, Call, WorkerDied, WorkerLimits, rebuilt_error
from trtlab.worker.ending import Ending, describe_ending, memory_kill_count
from trtlab.worker.events import Event, LogRecord, LogSource, Message, decode, decode_events
from trtlab.worker.launching import Child, LineReader

if TYPE_CHECKING:
    from collections.abc import Callable

_START_SECONDS = 60.0
_CLOSE_SECONDS = 10.0
_TICK_SECONDS = 0.05
# How long output of a running action gathers in its pipes: taking each line at once would wake the kernel for every one,
# at the cost of the builder and of what else the kernel does.
_GATHER_SECONDS = 0.003
_KEPT_ERROR_LINES = 40
_KEPT_LINE_CHARACTERS = 2000
# Reads of one pipe before an answer is passed on; together more than a pipe can hold.
_MOST_READS = 64
# How long an action has to stop by itself after a cancel. The process is ended then: together within a second.
CANCEL_GRACE_SECONDS = 0.6


class Worker:
    """One child process and the thread that watches it.

    Calls are made one at a time. The process ends with `close`, with its kernel, or by its own fault; after that every
    call raises `WorkerDied`, and a new `Worker` is needed. A forked copy of the kernel cannot use it.
    """

    def __init__(self, *, limits: WorkerLimits | None = None) -> None:
        self.limits = limits or WorkerLimits()
        self.ending: Ending | None = None
        self.pid = 0
        self._owner = os.getpid()
        self._greeted = False
        self._started = threading.Event()
        self._ended = threading.Event()
        self._state = threading.Lock()
        self._busy = threading.Lock()
        self._call: Call | None = None
        self._number = 0
        self._memory_kills = 0
        self._planned_ending: Ending | None = None
        self._child: Child | None = None
        self._error_lines: deque[str] = deque(maxlen=_KEPT_ERROR_LINES)
        self._start_error: BaseException | None = None
        # The child dies with the thread that started it (see child._die_with): this thread lives as long as the child.
        self._watcher = threading.Thread(target=self._watch, name="trtlab-worker", daemon=True)

    def launch(self) -> None:
        """Start the process without waiting for it; `start` waits.

        Raises:
            MissingError: This system cannot run a worker.
            WorkerDied: It was closed before.
        """
        if os.name != "posix":
            raise MissingError(
                "trtlab's worker process needs Linux. On Windows, use the Windows Subsystem for Linux (WSL 2)."
            )
        if self._planned_ending is not None:
            raise WorkerDied(self._known_ending())
        if self._watcher.ident is None:
            self._watcher.start()

    def start(self, *, cancelled: threading.Event | None = None) -> Worker:
        """Start the process, if that has not begun, and wait until it answers.

        Args:
            cancelled: Stops the start when it is set.

        Raises:
            MissingError: This system cannot run a worker.
            WorkerError: The process could not be started.
            WorkerDied: The process ended while starting.
            ActionCancelled: `cancelled` was set.
        """
        self.launch()
        try:
            self._await_start(cancelled)
        except BaseException:
            self.close()
            raise
        return self

    @property
    def alive(self) -> bool:
        """Whether the process runs and can take a call."""
        return (
            self._greeted
            and not self._ended.is_set()
            and self._planned_ending is None
            and self._owner == os.getpid()
        )  # fmt: skip

    @property
    def starting(self) -> bool:
        """Whether the process was launched and has not answered yet."""
        return (
            self._watcher.ident is not None
            and not self._started.is_set()
            and self._planned_ending is None
            and self._owner == os.getpid()
        )  # fmt: skip

    @property
    def busy(self) -> bool:
        """Whether an action is under way."""
        return self._call is not None

    def call(
        self,
        action: str,
        values: dict[str, Any] | None = None,
        *,
        on_event: Callable[[Event], None] | None = None,
        cancelled: threading.Event | None = None,
        seconds: float | None = None,
    ) -> Any:  # noqa: ANN401 - any JSON value
        """Run one action in the child and return its result.

        Args:
            action: `module:function` inside trtlab.
            values: Keyword arguments, as JSON can hold them.
            on_event: Called in the watching thread with each event of this action, in order. It must return quickly and
                cannot use this worker, apart from `cancel`. What it raises is raised here after the action has ended.
            cancelled: If it is set before the action begins, the action does not begin. With it, a `cancel` that comes just
                before this call is not lost: set the event first, then call `cancel`.
            seconds: Time limit of this call instead of the worker's.

        Raises:
            TrtlabError: The error that the action raised, of the same class.
            ActionError: Any other exception of the action.
            ActionCancelled: `cancel` was called.
            WorkerDied: The process ended; `ending` says how.
        """
        if self._owner != os.getpid():  # its locks mean nothing here either
            raise WorkerError("This worker belongs to the process that this one was forked from. Start another one.")
        if threading.current_thread() is self._watcher:
            raise WorkerError("An action cannot be called from the callback of another one.")
        action_text, values_text = json.dumps(action), json.dumps(values or {})
        with self._busy:
            try:
                call = self._begin(on_event, seconds or self.limits.seconds)
                if cancelled is not None and cancelled.is_set():
                    call.answered.set()  # nobody has to enforce a cancel that came meanwhile
                    raise ActionCancelled(worker_ended=False)
                self._run(call, f'["call", {call.number}, {action_text}, {values_text}]\n'.encode())
            finally:
                self._call = None
        if call.callback_error is not None:
            raise call.callback_error
        return self._read_answer(call.answer)

    def cancel(self) -> None:
        """Stop the running action: ask it first, and end the process if it does not stop within 0.6 s. Returns at once."""
        call, child = self._call, self._child
        if call is None or child is None or call.answered.is_set() or self._owner != os.getpid():
            return
        threading.Thread(target=self._stop, args=(call, child), name="trtlab-cancel", daemon=True).start()

    def close(self) -> None:
        """End the process, whatever it does, and wait until it is gone. Safe to call twice, and from any thread."""
        if self._owner != os.getpid():  # a forked copy: the process is not its to end
            return
        self._end(Ending("closed", "The worker process was closed."))
        if self._watcher.is_alive() and threading.current_thread() is not self._watcher:
            self._watcher.join(_CLOSE_SECONDS)

    # Calls

    def _await_start(self, cancelled: threading.Event | None) -> None:
        latest = time.monotonic() + _START_SECONDS
        while not self._started.is_set():
            if cancelled is not None and cancelled.is_set():
                raise ActionCancelled(worker_ended=True)
            self._started.wait(_TICK_SECONDS)
            if time.monotonic() > latest:
                self._end(Ending("time_limit", f"It did not answer within {format_seconds(_START_SECONDS)}."))
                self._ended.wait(_CLOSE_SECONDS)
        if isinstance(self._start_error, WorkerError):
            raise self._start_error
        if self._start_error is not None:
            raise WorkerError(f"The worker process could not be started: {self._start_error}") from self._start_error
        if self._ended.is_set() or self._planned_ending is not None:
            self._ended.wait(_CLOSE_SECONDS)
            raise WorkerDied(self._known_ending())

    def _begin(self, on_event: Callable[[Event], None] | None, seconds: float | None) -> Call:
        if self._child is None and not self._ended.is_set():
            raise WorkerError("This worker was not started.")
        if self._ended.is_set() or self._planned_ending is not None:
            self._ended.wait(_CLOSE_SECONDS)
            raise WorkerDied(self._known_ending())
        self._number += 1
        self._memory_kills = memory_kill_count()
        self._error_lines.clear()
        self._call = call = Call(self._number, on_event, seconds)
        return call

    def _run(self, call: Call, line: bytes) -> None:
        """Send a call and wait until it is answered."""
        assert self._child is not None  # noqa: S101 - for the type checker: _begin has looked
        try:
            try:
                self._child.send(line, give_up=lambda: self._planned_ending is not None or call.answered.is_set())
            except OSError as error:
                self._ended.wait(_CLOSE_SECONDS)
                raise WorkerDied(self._known_ending()) from error
            while not call.answered.wait(0.5):  # a wait without a limit could not be interrupted by Ctrl-C everywhere
                pass
        except WorkerDied:
            if self._known_ending().kind == "cancelled":
                raise ActionCancelled(worker_ended=True) from None
            raise
        except BaseException:
            # An interrupted kernel (Ctrl-C) must not leave an action running that nobody waits for.
            self.cancel()
            call.answered.wait(CANCEL_GRACE_SECONDS + 1)
            raise

    def _stop(self, call: Call, child: Child) -> None:
        latest = time.monotonic() + CANCEL_GRACE_SECONDS
        child.try_to_send(json.dumps(["cancel", call.number]).encode() + b"\n", seconds=CANCEL_GRACE_SECONDS / 2)
        if not call.answered.wait(latest - time.monotonic()):
            self._end(Ending("cancelled", "The worker process was ended to cancel its action."), unless=call.answered)

    def _read_answer(self, answer: Message | None) -> Any:  # noqa: ANN401 - any JSON value
        if answer is None:
            ending = self._known_ending()
            if ending.kind == "cancelled":
                raise ActionCancelled(worker_ended=True)
            raise WorkerDied(ending)
        if answer.kind == "done":
            return answer.values[0]
        if answer.kind == "cancelled":
            raise ActionCancelled(worker_ended=False)
        raise rebuilt_error(*answer.values)

    # The watching thread

    def _watch(self) -> None:
        self._memory_kills = memory_kill_count()
        try:
            child = Child(self.limits.memory_bytes)
        except BaseException as error:  # noqa: BLE001 - handed to start(), which raises it
            self._start_error = error
            self._finish(Ending("exit", "The worker process could not be started."))
            return
        with self._state:
            self._child, self.pid = child, child.pid
            if self._planned_ending is not None:  # closed while starting
                child.kill()
        try:
            self._read_until_end(child)
        except Exception as error:  # noqa: BLE001 - told in the ending; nobody waits for this thread
            text = f"The worker process was ended because what it sent could not be used: {error}"
            self._end(Ending("damaged", text, last_output=self._last_output()))
        child.kill()  # what it started, if it ended by itself
        return_code = child.reap()
        self._finish(self._planned_ending or self._found_ending(return_code))
        child.close()

    def _read_until_end(self, child: Child) -> None:
        with selectors.DefaultSelector() as selector:
            for reader in (child.answers, child.stdout, child.stderr):
                selector.register(reader, selectors.EVENT_READ)
            while not child.has_ended():
                ready = selector.select(_TICK_SECONDS)
                self._take_events(child)
                for key, _ in ready:
                    reader = key.fileobj  # type: ignore[assignment]  # what was registered
                    self._take(child, reader, reader.read() or [])
                    if reader.ended:
                        selector.unregister(reader)
                self._check_deadline()
                if ready and self._call is not None and not self._call.answered.is_set():
                    time.sleep(_GATHER_SECONDS)
        # It may have left a lot in its ring and its pipes. Not read to their end: a process that it started may hold them open.
        child.kill()
        self._take_events(child)
        for reader in (child.answers, child.stdout, child.stderr):
            self._drain(child, reader)

    def _take_events(self, child: Child) -> None:
        lines = child.take_events()
        if lines:
            for event in decode_events(lines):
                self._report(event)

    def _drain(self, child: Child, reader: LineReader) -> None:
        for _ in range(_MOST_READS):
            lines = reader.read()
            if lines is None:
                break
            self._take(child, reader, lines)
        if reader is not child.answers:  # half a message has no meaning, half a line of output has
            self._take(child, reader, reader.rest())

    def _take(self, child: Child, reader: LineReader, lines: list[bytes]) -> None:
        if reader is child.answers:
            for line in lines:
                self._take_message(child, decode(line))
        else:
            source: LogSource = "stdout" if reader is child.stdout else "stderr"
            for line in lines:
                self._take_output(line.decode("utf-8", "replace").rstrip("\r"), source)

    def _take_output(self, text: str, source: LogSource) -> None:
        if source == "stderr":
            self._error_lines.append(text[:_KEPT_LINE_CHARACTERS])
        if text:
            self._report(LogRecord(time.time(), "output", text, source))

    def _take_message(self, child: Child, message: Message) -> None:
        if message.kind == "hello":
            self._greeted = True
            self._started.set()
        else:
            # What the action reported and wrote before its answer is there already, and belongs to it.
            self._take_events(child)
            self._drain(child, child.stdout)
            self._drain(child, child.stderr)
            call = self._call
            if call is not None and call.number == message.number:
                with self._state:
                    call.answer = message
                    call.answered.set()

    def _report(self, event: Event) -> None:
        call = self._call
        if call is None or call.on_event is None or call.callback_error is not None or call.answered.is_set():
            return
        try:
            call.on_event(event)
        except BaseException as error:  # noqa: BLE001 - raised in call(), where somebody sees it
            call.callback_error = error

    def _check_deadline(self) -> None:
        call = self._call
        if call is None or call.deadline is None or call.answered.is_set() or time.monotonic() < call.deadline:
            return
        limit = format_seconds(call.seconds or 0)
        text = f"The action did not finish within its time limit of {limit}; its process was ended."
        self._end(Ending("time_limit", text, last_output=self._last_output()), unless=call.answered)

    # Ending

    def _end(self, ending: Ending, *, unless: threading.Event | None = None) -> None:
        with self._state:
            if unless is not None and unless.is_set():
                return
            if self._planned_ending is None and self.ending is None:
                self._planned_ending = ending
            if self._child is not None:
                self._child.kill()

    def _found_ending(self, return_code: int) -> Ending:
        return describe_ending(
            return_code,
            last_output=self._last_output(),
            memory_limit_bytes=self.limits.memory_bytes,
            memory_kills=memory_kill_count() - self._memory_kills,
        )

    def _finish(self, ending: Ending) -> None:
        if not self._greeted and self._start_error is None and ending.kind not in ("closed", "cancelled"):
            last = next((line for line in reversed(self._error_lines) if line.strip()), "")
            said = f" The last it said was: {last.strip()}" if last else ""
            ending = replace(ending, text=f"The worker process did not start. {ending.text}{said}")
        with self._state:
            self.ending = ending
        self._ended.set()
        self._started.set()
        call = self._call
        if call is not None:
            call.answered.set()

    def _known_ending(self) -> Ending:
        return self.ending or self._planned_ending or Ending("exit", "The worker process has ended.")

    def _last_output(self) -> str:
        return "\n".join(self._error_lines)
