"""TensorRT's logger and progress monitor, turned into events of the worker."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from trtlab.worker.context import ActionContext

_MEMORY_PATTERNS = {
    "activation_bytes": re.compile(r"^Total Activation Memory: (\d+)"),
    "weights_bytes": re.compile(r"^Total Weights Memory: (\d+)"),
    "scratch_bytes": re.compile(r"^(?:Max|Total) Scratch Memory: (\d+)"),
    "device_persistent_bytes": re.compile(r"^Total Device Persistent Memory: (\d+)"),
    "host_persistent_bytes": re.compile(r"^Total Host Persistent Memory: (\d+)"),
}
# How the messages begin that the notes are taken from. Looked at for every message, so it is one call.
_NOTED = ("Layers:", "Total ", "Max ")
_ERRORS = ("error", "internal_error")
_STEP_PERIOD_SECONDS = 0.05


class BuildNotes:
    """What a build's log says that a report needs: memory totals and the list of layers.

    Attributes:
        memory: Bytes by the names of `MemoryUse`. With several profiles TensorRT prints one total for each; the largest counts.
        layer_messages: The messages that list the engine's layers.
        errors: Messages of severity ERROR and INTERNAL_ERROR, in order.
    """

    def __init__(self) -> None:
        self.memory: dict[str, int] = {}
        self.layer_messages: list[str] = []
        self.errors: list[str] = []

    def take(self, severity: str, message: str) -> None:
        """Look at one message."""
        if severity in _ERRORS:
            self.errors.append(message)
        elif message.startswith("Layers:"):
            self.layer_messages.append(message)
        elif message.startswith(("Total ", "Max ")):
            for name, pattern in _MEMORY_PATTERNS.items():
                found = pattern.match(message)
                if found:
                    self.memory[name] = max(self.memory.get(name, 0), int(found[1]))


class LogSink:
    """Where the logger of this process sends its messages: to the kernel, and to the notes of the running action.

    Attributes:
        notes: The notes of the running action.
        report: Sends a severity and a message to the kernel, or where they are diverted to.
    """

    __slots__ = ("notes", "report")

    def __init__(self, context: ActionContext) -> None:
        self.notes = BuildNotes()
        self.report: Callable[[str, str], None] = context.events.log

    @contextlib.contextmanager
    def diverted(self) -> Iterator[list[str]]:
        """Collect messages in a list instead of reporting them, for as long as the block runs."""
        messages: list[str] = []
        report, notes = self.report, self.notes
        self.begin()
        self.report = lambda _, message: messages.append(message)
        try:
            yield messages
        finally:
            self.report, self.notes = report, notes

    def begin(self) -> BuildNotes:
        """Start new notes and return them."""
        self.notes = BuildNotes()
        return self.notes


def make_logger(module: ModuleType, sink: LogSink) -> Any:  # noqa: ANN401 - a TensorRT logger
    """Return a logger for `module` that passes every message on. VERBOSE costs nothing visible."""
    # By number: looking up the enumeration's own members takes twice as long, and this runs for every message.
    severities = {int(severity): name.lower() for name, severity in module.ILogger.Severity.__members__.items()}

    def take(severity: Any, msg: str) -> None:  # noqa: ANN401
        """Called by TensorRT, also from its own threads."""
        name = severities.get(int(severity), "info")
        sink.report(name, msg)
        if msg.startswith(_NOTED) or name in _ERRORS:
            sink.notes.take(name, msg)

    class EventLogger(module.ILogger):  # type: ignore[misc, name-defined]
        """Sends messages to the sink."""

        # TensorRT looks for its method at every message: a static one is there without being bound to the object first.
        log = staticmethod(take)

        def __init__(self) -> None:
            # pybind11 needs the base's own initializer, not super().
            module.ILogger.__init__(self)

    return EventLogger()


def make_progress_monitor(module: ModuleType, context: ActionContext) -> Any | None:  # noqa: ANN401 - a TensorRT monitor
    """Return a monitor that reports phases and stops the build when the action was cancelled; None if the release has none."""
    if not hasattr(module, "IProgressMonitor"):
        return None

    class EventMonitor(module.IProgressMonitor):  # type: ignore[misc, name-defined]
        """Sends phases to the kernel."""

        def __init__(self) -> None:
            module.IProgressMonitor.__init__(self)
            self.totals: dict[str, int] = {}
            self.last_report = 0.0

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            """A phase begins."""
            self.totals[phase_name] = num_steps
            context.events.phase("start", phase_name, parent_phase, 0, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            """A phase advances; returning False makes TensorRT stop the build."""
            now = time.monotonic()
            if now - self.last_report >= _STEP_PERIOD_SECONDS:  # thousands of steps a second would only fill the pipe
                self.last_report = now
                context.events.phase("step", phase_name, None, step + 1, self.totals.get(phase_name, 0))
            return not context.cancel_requested

        def phase_finish(self, phase_name: str) -> None:
            """A phase ends."""
            context.events.phase("finish", phase_name)

    return EventMonitor()
