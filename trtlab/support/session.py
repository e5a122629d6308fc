"""A survey as a panel and the command line do it: with progress, to be cancelled, and again at another depth."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trtlab._errors import ActionError, CancelledError, CheckError, InputError
from trtlab._results import from_dict
from trtlab.build.plan import ShapeProfile
from trtlab.explain.building import diagnose_ending
from trtlab.explain.diagnosis import Diagnosis, Place
from trtlab.model.description import Finding, ModelDescription
from trtlab.model.model_source import ModelInput, ModelSource
from trtlab.model.node_description import RefusalFacts
from trtlab.model.node_list import NodeList
from trtlab.support.assembling import Evidence, node_verdicts, refused_tensor, tensor_verdicts
from trtlab.support.journal import JournalReader
from trtlab.support.partition import make_partition
from trtlab.support.report import SupportReport
from trtlab.support.verdicts import Depth, SurveyRecord
from trtlab.worker import ActionCancelled, Event, LogRecord, WorkerDied, WorkerLimits, WorkerPool
from trtlab.worker.events import PhaseEvent
from trtlab.worker.lease import WorkerLease

_PARSER = "asking the parser"
_GRAPH = "trtlab.model.graph_actions"
_MODEL, _ENGINE, _SUPPORT = "trtlab.model.actions", "trtlab.engine.survey_actions", "trtlab.support.actions"
# What the model says of a node is worth a millisecond; beyond these, refusals are explained without it.
_MOST_FACTS = 400
# Each costs the start of a worker.
_MOST_CRASHES = 60
_SEVERITIES = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class SurveyProgress:
    """What a survey does now.

    Attributes:
        text: In words.
        done: How many steps of it are done.
        total: How many there are, 0 if that is unknown.
    """

    text: str
    done: int = 0
    total: int = 0

    def __str__(self) -> str:
        counted = self.total and self.text == _PARSER  # TensorRT's own phases count steps of very different length
        return f"{self.text} ({self.done} of {self.total} nodes)" if counted else self.text


class SurveySession:
    """Surveys one model.

    Methods block; `cancel` may be called from any thread.

    Args:
        model: Path of an ONNX file, its bytes, or an `onnx.ModelProto`.
        flavour: `tensorrt` or `tensorrt_rtx`; None chooses what can build here.
        limits: Memory and time limits of the worker process.
        pool: Where workers come from; None: the one all of trtlab shares.
        on_progress: Is told what happens, in the thread that reads the worker.
        on_verdict: Is given the report as soon as the survey has ended, before the look at the file: without findings, and without
            what these say of a refusal that gives no reason.
    """

    def __init__(
        self,
        model: ModelInput,
        *,
        flavour: str | None = None,
        limits: WorkerLimits | None = None,
        pool: WorkerPool | None = None,
        on_progress: Callable[[SurveyProgress], None] | None = None,
        on_verdict: Callable[[SupportReport], None] | None = None,
    ) -> None:
        self._source = ModelSource(model)
        self._flavour = flavour
        self._on_progress = on_progress or (lambda _: None)
        self._on_verdict = on_verdict
        self._lease = WorkerLease(limits=limits, pool=pool, on_event=self._take_event)
        self._last_message = ""
        self._journal = JournalReader()
        self._lock = threading.Lock()
        self.model: ModelDescription | None = None
        self.report: SupportReport | None = None

    def __enter__(self) -> SurveySession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """The model's file."""
        return self._source.path

    @property
    def from_memory(self) -> bool:
        """Whether the model was given as bytes, so that its file is a temporary one."""
        return self._source.from_memory

    def load(self) -> ModelDescription:
        """Read the model, if this was not done yet, and describe it.

        Raises:
            InputError: It cannot be read, or is no ONNX model.
        """
        with self._lock:
            self._lease.cancelled.clear()
            return self._loaded()

    def check(self, *, depth: Depth = "quick", profile: ShapeProfile | None = None) -> SupportReport:
        """Survey the model.

        Args:
            depth: `quick`: ask the parser; `full`: the builder too.
            profile: Shapes to build with; None takes proposals from the dimensions' names.

        Raises:
            InputError: The model cannot be read, or `depth` is neither.
            MissingError: There is no TensorRT here.
            CancelledError: It was cancelled.
            CheckError: The process that worked ended before it was done; `.diagnoses` say why.
        """
        if depth not in ("quick", "full"):
            raise InputError(f"depth={depth!r}: a check is 'quick' (the parser alone) or 'full' (the builder too).")
        with self._lock:
            self._lease.cancelled.clear()
            self.report = self._check(depth, profile)
            return self.report

    def call(self, action: str, **values: Any) -> Any:  # noqa: ANN401 - JSON values
        """Have the worker do something with the model, which it reads first if it has not."""
        with self._lock:
            self._lease.cancelled.clear()
            self._loaded()
            return self._call(action, **values)

    def outlive(self, action: str, **values: Any) -> Any:  # noqa: ANN401 - JSON values
        """The same with an action that keeps a journal (`trtlab.support.journal`), so that it can go on where TensorRT crashes."""
        with self._lock:
            self._lease.cancelled.clear()
            self._loaded()
            return self._outlive(action, values)

    def cancel(self) -> None:
        """Stop what runs."""
        self._lease.cancel()

    def close(self) -> None:
        """Give the worker back."""
        self._lease.give_back()
        self._source.close()

    def _call(self, action: str, **values: Any) -> Any:  # noqa: ANN401 - JSON values
        try:
            return self._lease.call(action, **values)
        except ActionCancelled as error:
            raise CancelledError("The check was cancelled.") from error
        except WorkerDied as error:
            diagnosis = diagnose_ending(error.ending, step="check", last_message=self._last_message)
            raise CheckError(f"The check broke off. {error.ending.text}", diagnoses=(diagnosis,)) from error
        except ActionError as error:
            raise CheckError(f"The check broke off: {error}", diagnoses=(_unexpected(error),)) from error

    def _loaded(self) -> ModelDescription:
        if self.model is None or "load" not in self._lease.held or not self._lease.has_worker:
            self._on_progress(SurveyProgress("reading the model"))
            described = self._call(
                f"{_MODEL}:load", path=str(self._source.path), show_path=not self._source.from_memory
            )
            self.model = from_dict(ModelDescription, described)
            self._lease.held.add("load")
        return self.model

    def _check(self, depth: Depth, profile: ShapeProfile | None) -> SupportReport:
        began = time.perf_counter()
        model = self._loaded()
        self._on_progress(SurveyProgress(_PARSER))
        record = self._survey(depth, profile)
        self._on_progress(SurveyProgress("looking at the model"))
        nodes = from_dict(NodeList, self._call(f"{_SUPPORT}:nodes"))
        evidence = Evidence(model, nodes.references(), *self._facts(record))
        if self._on_verdict is not None:
            self._on_verdict(_report(record, evidence, nodes, began=began))
        checked = self._findings(f"{_MODEL}:check")
        findings = [*checked, *self._opset_findings(model, record), *self._findings(f"{_SUPPORT}:findings")]
        operations = self._operations() if record.verdicts else None
        evidence = replace(evidence, findings=checked)
        return _report(record, evidence, nodes, findings=findings, operations=operations, began=began)

    def _survey(self, depth: Depth, profile: ShapeProfile | None) -> SurveyRecord:
        values = {"depth": depth, "flavour": self._flavour, "profile": profile.to_dict() if profile else None}
        return from_dict(SurveyRecord, self._outlive(f"{_ENGINE}:survey", values))

    def _outlive(self, action: str, values: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON values
        """Have the worker do something; where TensorRT kills it, again with a note of that."""
        self._journal = JournalReader()
        while True:
            try:
                return self._call(action, **values, journal=self._journal.journal.to_dict())
            except CheckError as error:  # noqa: PERF203 - a loop of a few starts
                died = error.__cause__
                if not isinstance(died, WorkerDied) or died.ending.kind != "crash" or not self._goes_on(died):
                    raise
                self._loaded()

    def _goes_on(self, died: WorkerDied) -> bool:
        return self._journal.note_crash(died.ending.text) and len(self._journal.journal.crashes) <= _MOST_CRASHES

    def _findings(self, action: str) -> list[Finding]:
        """Ask for findings. They are worth having; where looking for them breaks off, that is a finding, and no failure."""
        try:
            return [from_dict(Finding, item) for item in self._call(action)]
        except CancelledError:
            raise
        except CheckError as error:
            self._loaded()
            text = f"A look at the file broke off, so something may be missing here. {error}"
            return [Finding("support.not_looked_at", "info", text, original=repr(error.__cause__))]

    def _opset_findings(self, model: ModelDescription, record: SurveyRecord) -> list[Finding]:
        from trtlab.support.opset_limits import opset_finding

        if model.opset is None:  # operators of other domains alone
            return []
        found = opset_finding(model.opset, record.installation.flavour, record.installation.version)
        return [found] if found is not None else []

    def _facts(self, record: SurveyRecord) -> tuple[dict[int, RefusalFacts], dict[str, RefusalFacts]]:
        """Ask the model about what was refused. That is worth having, not worth failing for."""
        numbers = [number for number, verdict in record.verdicts if verdict.errors or verdict.messages][:_MOST_FACTS]
        blamed = [verdict.tensor for _, verdict in record.verdicts if verdict.because == "dtype"]
        names = dict.fromkeys(filter(None, [*map(refused_tensor, record.unplaced), *blamed]))
        tensors = list(names)[:_MOST_FACTS]
        if not numbers and not tensors:
            return {}, {}
        places = [*((number, "") for number in numbers), *((-1, name) for name in tensors)]
        try:
            found = [from_dict(RefusalFacts, item) for item in self._call(f"{_ENGINE}:node_facts", places=places)]
        except CancelledError:
            raise
        except CheckError:
            self._loaded()
            return {}, {}
        return dict(zip(numbers, found, strict=False)), dict(zip(tensors, found[len(numbers) :], strict=True))

    def _operations(self) -> Sequence[float | None] | None:
        try:
            found: Sequence[float | None] = self._call(f"{_GRAPH}:arithmetic")["operations"]
        except CancelledError:
            raise
        except CheckError:  # the parts are what matters
            return None
        return found

    def _take_event(self, event: Event) -> None:
        if isinstance(event, PhaseEvent) and self._journal.take(event.name):
            return
        if isinstance(event, PhaseEvent):
            self._on_progress(SurveyProgress(event.name, event.step, event.steps))
        elif isinstance(event, LogRecord) and event.source == "tensorrt":
            self._last_message = event.message


def _report(
    record: SurveyRecord,
    evidence: Evidence,
    nodes: NodeList,
    *,
    began: float,
    findings: Sequence[Finding] = (),
    operations: Sequence[float | None] | None = None,
) -> SupportReport:
    verdicts = node_verdicts(record, evidence)
    tensors, diagnoses = tensor_verdicts(record, evidence)
    count = nodes.counts[0] if nodes.counts else 0
    taken = [verdict.status == "supported" for verdict in verdicts[:count]]
    return SupportReport(
        supported=record.accepted and (record.depth == "quick" or bool(record.built)),
        accepted=record.accepted,
        depth=record.depth,
        model=evidence.model,
        installation=record.installation,
        nodes=verdicts,
        tensors=tensors,
        diagnoses=diagnoses,
        findings=tuple(sorted(dict.fromkeys(findings), key=lambda finding: _SEVERITIES[finding.severity])),
        partition=make_partition(nodes.sources, taken, operations[:count] if operations is not None else None),
        seconds=time.perf_counter() - began,
        survey_seconds=record.seconds,
        parse_seconds=record.parse_seconds,
        passes=record.passes,
        builds=record.builds,
    )


def _unexpected(error: ActionError) -> Diagnosis:
    return Diagnosis(
        "trtlab.unexpected",
        f"The check ended with {error.kind}: {str(error).splitlines()[0] if str(error) else 'no message'}",
        place=Place("check"),
        why="This is a fault of trtlab or of a library it uses; please report it with the details below.",
        original=error.details or str(error),
        sure=False,
    )
