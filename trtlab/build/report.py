"""The result of a build: what was done, what came out, and how to do the same in plain Python."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trtlab._engine_results import BuiltEngine, EngineLayer, Installation, MemoryUse
from trtlab._format import format_bytes, format_seconds, plural, shorten_middle
from trtlab._results import Result, from_dict
from trtlab.build.plan import BuildPlan
from trtlab.build.steps import StepName, StepRecord
from trtlab.explain.diagnosis import Diagnosis
from trtlab.model.description import Finding, ModelDescription
from trtlab.worker.events import LogRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_REPR_LINES = 5
_SEVERITIES = ("internal_error", "error", "warning")


def _one_line(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True)
class EngineFile(Result):
    """An engine on disk.

    Attributes:
        path: Where it is; empty if it was not saved.
        bytes: Its size.
        sha256: Its digest.
        sidecar: The JSON file beside it that says what it was built from; empty in the cache.
    """

    path: str
    bytes: int
    sha256: str
    sidecar: str = ""


@dataclass(frozen=True)
class MessageGroup(Result):
    """Log messages that differ only in numbers and names.

    Attributes:
        severity: `warning`, `error` or `internal_error`.
        text: The first of them.
        count: How many there were.
        step: The step they came in.
    """

    severity: str
    text: str
    count: int
    step: StepName


def group_messages(steps: Iterable[StepRecord]) -> tuple[MessageGroup, ...]:
    """Return the warnings and errors of all steps, alike ones counted once, the most severe first."""
    groups: dict[tuple[str, str, StepName], list[LogRecord]] = {}
    for step in steps:
        for record in step.log:
            if record.severity in _SEVERITIES:
                pattern = re.sub(r"'[^']*'|\"[^\"]*\"|0x[0-9a-fA-F]+|\d+", "#", record.message)
                groups.setdefault((record.severity, pattern, step.name), []).append(record)
    result = [
        MessageGroup(severity, records[0].message, len(records), step)
        for (severity, _, step), records in groups.items()
    ]
    return tuple(sorted(result, key=lambda group: _SEVERITIES.index(group.severity)))


@dataclass(frozen=True)
class BuildReport(Result):
    """What a build did and what came out.

    Attributes:
        ok: Whether there is an engine.
        steps: All steps in order, with state, time, log lines and result.
        plan: What was asked for.
        model: What is in the model file; None if it could not be read.
        installation: The TensorRT that was used; None if the build did not get that far.
        findings: What the check found.
        engine: The engine file; None without one.
        memory: Memory the engine needs.
        layers: The engine's layers with their ONNX nodes.
        layers_source: `engine inspector` or `builder's log`; empty without layers.
        layers_note: Why the inspector was not used.
        warnings: Warnings and errors of TensorRT, grouped and counted.
        diagnoses: What is known about a failure, root cause first.
        from_cache: Whether the engine was taken from the cache.
        date: When the engine was built, ISO 8601 in UTC.
    """

    ok: bool
    steps: tuple[StepRecord, ...]
    plan: BuildPlan = field(default_factory=BuildPlan)
    model: ModelDescription | None = None
    installation: Installation | None = None
    findings: tuple[Finding, ...] = ()
    engine: EngineFile | None = None
    memory: MemoryUse | None = None
    layers: tuple[EngineLayer, ...] = ()
    layers_source: str = ""
    layers_note: str = ""
    warnings: tuple[MessageGroup, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    from_cache: bool = False
    date: str = ""

    def step(self, name: StepName) -> StepRecord:
        """Return the record of one step."""
        return next(step for step in self.steps if step.name == name)

    @property
    def seconds(self) -> float:
        """Time of all steps together."""
        return sum(step.seconds or 0.0 for step in self.steps)

    @property
    def log(self) -> tuple[LogRecord, ...]:
        """The log lines of all steps."""
        return tuple(record for step in self.steps for record in step.log)

    def script(self) -> str:
        """Return a Python program that does the same with the plain TensorRT API."""
        from trtlab.build.script import build_script

        return build_script(self)

    def plot_memory(self) -> Figure:
        """Return a figure of the memory that the engine needs."""
        from trtlab.plots.memory import plot_memory

        return plot_memory(self)

    def layer_rows(self) -> list[dict[str, Any]]:
        """Return the layers as rows, ready for `pandas.DataFrame(report.layer_rows())` or the csv module."""
        return [layer.to_dict() for layer in self.layers]

    @property
    def engine_bytes(self) -> int:
        """Size of the engine, whether it was saved or not; 0 without one."""
        if self.engine is not None:
            return self.engine.bytes
        built = next((step.result for step in self.steps if step.name == "build"), None)
        if isinstance(built, dict):  # a report that was read back: its steps' results are plain data
            built = from_dict(BuiltEngine, built)
        return built.engine_bytes if isinstance(built, BuiltEngine) else 0

    @property
    def headline(self) -> str:
        """One line: what came out, or where it stopped."""
        if not self.ok:
            stopped = next((step for step in self.steps if step.state in ("failed", "cancelled")), None)
            if stopped is None:
                return "Not built yet"
            after = f" after {format_seconds(stopped.seconds)}" if stopped.seconds is not None else ""
            why = f": {shorten_middle(_one_line(stopped.line), 200)}" if stopped.line else ""
            return f"{stopped.name.capitalize()} {stopped.state}{after}{why}"
        size = format_bytes(self.engine_bytes)
        title = self.installation.title if self.installation else "TensorRT"
        if self.from_cache:
            return f"Engine of {size} taken from the cache, nothing had changed ({title}, built {self.date})"
        return f"Engine of {size} built in {format_seconds(self.seconds)} with {title}"

    def __repr__(self) -> str:
        lines = [f"BuildReport: {self.headline}"]
        if self.engine and self.engine.path:
            lines.append(f"    Engine: {_one_line(self.engine.path)}")
        if self.memory and self.memory.activation_bytes is not None:
            weights = (
                f", weights {format_bytes(self.memory.weights_bytes)}" if self.memory.weights_bytes is not None else ""
            )
            lines.append(
                f"    Memory: activations {format_bytes(self.memory.activation_bytes)}{weights} ({self.memory.source})"
            )
        if self.layers and self.model:
            lines.append(
                f"    Layers: {len(self.layers)} from {plural(self.model.node_count, 'ONNX node')} ({self.layers_source})"
            )
        for diagnosis in self.diagnoses[:1]:
            lines += repr(diagnosis).split("\n")
        return "\n".join(lines[:_REPR_LINES])

    def _html(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(step.icon)}</td><td>{step.name}</td><td>{html.escape(step.state_word)}</td>"
            f"<td style='text-align:right'>{format_seconds(step.seconds) if step.seconds is not None else ''}</td>"
            f"<td style='text-align:left'>{html.escape(shorten_middle(step.line, 160))}</td></tr>"
            for step in self.steps
        )
        return f"<pre>{html.escape(repr(self))}</pre><table>{rows}</table>"
