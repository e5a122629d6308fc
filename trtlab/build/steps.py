"""The steps of a build: their names, their states, and the record of one that ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from trtlab._format import format_seconds
from trtlab._results import Result
from trtlab.explain.diagnosis import Diagnosis
from trtlab.worker.events import LogRecord

StepName = Literal["load", "check", "parse", "configure", "build", "save", "inspect"]
StepState = Literal["waiting", "running", "done", "failed", "cancelled", "skipped"]

STEP_NAMES: tuple[StepName, ...] = ("load", "check", "parse", "configure", "build", "save", "inspect")
STEP_EXPLANATIONS: dict[StepName, str] = {
    "load": "Reads the file, its inputs and outputs, and the weights beside it.",
    "check": "Checks the model against the ONNX standard and infers its shapes. Findings do not stop the build.",
    "parse": "TensorRT's own ONNX parser turns the model into a network.",
    "configure": "Checks the plan (shapes, targets, limits) and hands it to TensorRT.",
    "build": "TensorRT's builder compiles the network into an engine. This is the step that can take minutes.",
    "save": "Writes the engine and a note of what it was built from.",
    "inspect": "Lists the engine's layers with the ONNX nodes that each one computes, and its memory.",
}
STATE_ICONS: dict[str, str] = {
    "waiting": "○",
    "running": "◐",
    "done": "✓",
    "failed": "✕",
    "cancelled": "⊘",
    "skipped": "–",
}
CACHE_ICON = "↺"


@dataclass(frozen=True)
class StepRecord(Result):
    """One step of a build, as it stands.

    Attributes:
        name: Which step.
        state: Where it is.
        started: When it began, in seconds since the epoch; None if it has not.
        seconds: How long it took; None if it has not ended.
        line: Its result in one line.
        log: Its own log lines, in order.
        result: Its result: a `ModelDescription` (load), tuple of `Finding` (check), `ParseResult`, `BuiltEngine` (build),
            `EngineFile` (save) or `InspectResult`; None without one.
        diagnoses: What is known about its failure.
        from_cache: Whether its result was taken from the cache instead of being made.
    """

    name: StepName
    state: StepState = "waiting"
    started: float | None = None
    seconds: float | None = None
    line: str = ""
    log: tuple[LogRecord, ...] = ()
    result: Any = None
    diagnoses: tuple[Diagnosis, ...] = ()
    from_cache: bool = False

    @property
    def icon(self) -> str:
        """The sign of its state."""
        return CACHE_ICON if self.from_cache and self.state == "done" else STATE_ICONS[self.state]

    @property
    def state_word(self) -> str:
        """Its state in words."""
        return "from cache" if self.from_cache and self.state == "done" else self.state

    def __repr__(self) -> str:
        time = f" in {format_seconds(self.seconds)}" if self.seconds is not None else ""
        return f"{self.icon} {self.name}: {self.state_word}{time}{f' - {self.line}' if self.line else ''}"
