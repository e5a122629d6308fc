"""How each step is done. `BuildSession` decides which one runs and keeps its record; this does the work."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trtlab._engine_results import BuiltEngine, InspectResult, ParseResult, WrittenEngine
from trtlab._errors import PlanError
from trtlab._format import format_bytes, plural
from trtlab._results import from_dict
from trtlab.build.cache import CacheEntry, EngineCache, cache_key, now_utc
from trtlab.build.failures import ParserRefused
from trtlab.build.files import link_or_copy, remove_leftovers, temporary_path
from trtlab.build.model_source import ModelSource
from trtlab.build.plan import BuildPlan
from trtlab.build.report import BuildReport, EngineFile, group_messages
from trtlab.build.saving import FileSignature, check_output, engine_note, save_engine
from trtlab.build.steps import StepName, StepRecord
from trtlab.build.validation import validate
from trtlab.model.description import Finding, ModelDescription
from trtlab.worker import ActionCancelled, Event, Worker, WorkerDied, WorkerLimits, WorkerPool, shared_pool

_ENGINE_ACTIONS = "trtlab.engine.actions"
_MODEL_ACTIONS = "trtlab.model.actions"
# What the worker must hold for each step, in the order in which it is made.
_NEEDS: dict[StepName, tuple[StepName, ...]] = {
    "load": (),
    "check": ("load",),
    "parse": ("load",),
    "configure": ("load", "parse"),
    "build": ("load", "parse", "configure"),
    "save": ("load", "parse", "configure", "build"),
    "inspect": ("load", "parse", "configure", "build"),
}


@dataclass(frozen=True)
class StepOutcome:
    """How a step ended well: `state`, one line, the result, and whether it came from the cache."""

    line: str
    result: Any = None
    state: Literal["done", "skipped"] = "done"
    from_cache: bool = False


class StepRunner:
    """Runs steps in a worker, holds their results, and knows what the worker holds.

    When the worker was lost (a crash, a cancel), the steps whose results lived only in it are repeated before the next one.
    """

    def __init__(  # noqa: PLR0913 - made by BuildSession alone, which documents these
        self, source: ModelSource, *, plan: BuildPlan, output: Path | None, flavour: str | None, cache: EngineCache | None,
        overwrite: bool, limits: WorkerLimits | None, pool: WorkerPool | None, on_event: Callable[[Event], None],
    ) -> None:  # fmt: skip
        self.source, self.plan, self.output, self.flavour = source, plan, output, flavour
        self.cache, self.overwrite = cache, overwrite
        self._limits, self._pool, self._on_event = limits, pool or shared_pool(), on_event
        self._worker: Worker | None = None
        self._held: set[StepName] = set()
        self._cancelled = False
        self._began = 0.0
        self._saved: FileSignature | None = None
        self._cached: CacheEntry | None = None
        self._key = ""
        self._date = ""
        self.model: ModelDescription | None = None
        self.findings: tuple[Finding, ...] = ()
        self.parsed: ParseResult | None = None
        self.built: BuiltEngine | None = None
        self.engine: EngineFile | None = None
        self.inspected: InspectResult | None = None

    # For the session

    def run(self, name: StepName) -> StepOutcome:
        """Run one step. Raises what went wrong."""
        self._cancelled = False
        steps: dict[StepName, Callable[[], StepOutcome]] = {
            "load": self._load, "check": self._check, "parse": self._parse, "configure": self._configure,
            "build": self._build, "save": self._save, "inspect": self._inspect,
        }  # fmt: skip
        return steps[name]()

    def cancel(self) -> None:
        """Stop the step that runs."""
        self._cancelled = True
        worker = self._worker
        if worker is not None:
            worker.cancel()

    def forget(self, name: StepName) -> None:
        """Drop the result of a step that has to run again."""
        self._held.discard(name)
        if name == "load":
            self.model = None
        elif name == "check":
            self.findings = ()
        elif name == "parse":
            self.parsed = None
        elif name == "build":
            self.built, self._cached, self._date = None, None, ""
        elif name == "save":
            self.engine = None
        elif name == "inspect":
            self.inspected = None

    def partial_result(self, name: StepName) -> Any:  # noqa: ANN401 - the result type of the step
        """Return what a failed step found out all the same."""
        return self.parsed if name == "parse" else None

    def close(self) -> None:
        """Give the worker back."""
        worker, self._worker = self._worker, None
        self._held.clear()
        if worker is not None:
            self._pool.release(worker)

    def report(self, steps: tuple[StepRecord, ...]) -> BuildReport:
        """Return the report of the steps so far."""
        built = steps[-3].state in ("done", "skipped") and steps[-2].state in ("done", "skipped")
        inspected = self.inspected
        memory = inspected.memory if inspected else self.built.memory if self.built else None
        return BuildReport(
            ok=bool(built and self.built),
            steps=steps,
            plan=self.plan,
            model=self.model,
            installation=self.parsed.installation if self.parsed else None,
            findings=self.findings,
            engine=self.engine,
            memory=memory,
            layers=inspected.layers if inspected else (),
            layers_source=inspected.source if inspected else "",
            layers_note=inspected.note if inspected else "",
            warnings=group_messages(steps),
            diagnoses=tuple(diagnosis for step in steps for diagnosis in step.diagnoses),
            from_cache=self._cached is not None,
            date=self._date,
        )

    # The worker

    def _call(self, action: str, **values: Any) -> Any:  # noqa: ANN401 - JSON values
        if self._worker is None or not self._worker.alive:
            self._held.clear()
            self._worker = self._pool.acquire(limits=self._limits)
        if self._cancelled:  # asked for while the worker started
            raise ActionCancelled(worker_ended=False)
        try:
            return self._worker.call(action, values, on_event=self._on_event)
        except (WorkerDied, ActionCancelled):
            if not self._worker.alive:
                self._lose_worker()
            raise

    def _lose_worker(self) -> None:
        if self._worker is not None:
            self._worker.close()
        self._worker = None
        self._held.clear()

    def _provide(self, name: StepName) -> None:
        """Bring the worker to hold what step `name` needs, repeating steps whose results were lost with a worker."""
        if self._worker is None or not self._worker.alive:
            self._held.clear()
        for needed in _NEEDS[name]:
            if needed not in self._held:
                self._make(needed)

    def _make(self, name: StepName) -> Any:  # noqa: ANN401 - JSON values
        """Have the worker do the part of a step whose result it keeps."""
        self._held.discard(name)
        if name == "load":
            self._held.clear()
            result = self._call(
                f"{_MODEL_ACTIONS}:load", path=str(self.source.path), show_path=not self.source.from_memory
            )
        elif name == "parse":
            # Weak typing, where there is a choice, only if the plan asks for precisions: then they mean something.
            result = self._call(f"{_ENGINE_ACTIONS}:parse", flavour=self.flavour, strongly_typed=False)
            self._held -= {"configure", "build"}
        elif name == "configure":
            result = self._call(f"{_ENGINE_ACTIONS}:configure", plan=self.plan.to_dict())
            self._held.discard("build")
        else:
            result = self._build_in_worker()
        self._held.add(name)
        return result

    # The steps

    def _load(self) -> StepOutcome:
        self._began = time.time()
        self.model = from_dict(ModelDescription, self._make("load"))
        return StepOutcome(self.model.summary(), self.model)

    def _check(self) -> StepOutcome:
        self._provide("check")
        self.findings = tuple(from_dict(Finding, item) for item in self._call(f"{_MODEL_ACTIONS}:check"))
        counts = Counter(finding.severity for finding in self.findings)
        line = ", ".join(plural(counts[severity], severity) for severity in ("error", "warning") if counts[severity])
        return StepOutcome(
            line or ("valid ONNX" if not self.findings else plural(len(self.findings), "remark")), self.findings
        )

    def _parse(self) -> StepOutcome:
        self._provide("parse")
        self.parsed = from_dict(ParseResult, self._make("parse"))
        if not self.parsed.ok:
            self._held.discard("parse")
            raise ParserRefused(self.parsed.errors)
        return StepOutcome(
            f"accepted by {self.parsed.installation.title}: {plural(self.parsed.layers, 'layer')}", self.parsed
        )

    def _configure(self) -> StepOutcome:
        self._provide("configure")
        assert self.model is not None  # noqa: S101 - for the type checker: load came before
        assert self.parsed is not None  # noqa: S101
        problems = validate(self.plan, self.model, self.parsed.installation, self.parsed.inputs)
        if problems:
            raise PlanError("\n".join(problem.text for problem in problems), problems=problems)
        self._make("configure")
        return StepOutcome(self._plan_line())

    def _plan_line(self) -> str:
        assert self.parsed is not None  # noqa: S101 - for the type checker: parse came before
        gpu = self.parsed.installation.gpu
        if self.plan.targets:
            target = f"for {', '.join(self.plan.targets)}"
        elif self.parsed.installation.flavour == "tensorrt_rtx":
            target = "portable: for Ampere and newer GPUs"
        else:
            target = f"for {gpu.name}" if gpu else "for the GPU that is here"
        return f"{plural(len(self.plan.profiles), 'shape profile')}, {target}"

    def _build(self) -> StepOutcome:
        assert self.model is not None  # noqa: S101 - for the type checker: load came before
        assert self.parsed is not None  # noqa: S101
        self._key = cache_key(self.model.sha256, self.plan, self.parsed.installation)
        self._cached = self.cache.find(self._key) if self.cache else None
        if self._cached is not None:
            self.built = from_dict(BuiltEngine, self._cached.report["built"])
            self._date = self._cached.report["date"]
            line = f"nothing changed since {self._date}: engine of {format_bytes(self.built.engine_bytes)} taken from the cache"
            return StepOutcome(line, self.built, from_cache=True)
        self._provide("build")
        self.built = from_dict(BuiltEngine, self._make("build"))
        self._date = now_utc()
        activation = self.built.memory.activation_bytes
        needs = f", activations {format_bytes(activation)}" if activation is not None else ""
        return StepOutcome(f"engine of {format_bytes(self.built.engine_bytes)}{needs}", self.built)

    def _build_in_worker(self) -> Any:  # noqa: ANN401 - JSON values
        if not self.plan.timing_cache:
            return self._call(f"{_ENGINE_ACTIONS}:build")
        timing_cache = Path(self.plan.timing_cache).absolute()
        temporary = temporary_path(timing_cache)
        try:
            result = self._call(f"{_ENGINE_ACTIONS}:build", timing_cache=str(temporary))
            if temporary.exists():
                os.replace(temporary, timing_cache)  # noqa: PTH105
        finally:
            temporary.unlink(missing_ok=True)
        return result

    def _save(self) -> StepOutcome:
        if self.output is not None:
            self._check_output(self.output)
        if self._cached is not None:
            return self._save_cached(self._cached)
        self._provide("save")
        if self.output is None:
            return self._keep_in_cache()
        assert self.model is not None  # noqa: S101 - for the type checker
        assert self.parsed is not None  # noqa: S101
        self.engine = save_engine(
            self.output, self._write, engine_note(self.model, self.plan, self.parsed.installation, date=self._date)
        )
        self._saved = FileSignature.of(self.output)
        note = self._store(self.output)
        return StepOutcome(f"{self.output} ({format_bytes(self.engine.bytes)}){note}", self.engine)

    def _check_output(self, output: Path) -> None:
        path = "" if self.source.from_memory else str(self.source.path)
        check_output(output, model_path=path, since=self._began, own=self._saved, overwrite=self.overwrite)

    def _write(self, path: Path) -> tuple[int, str]:
        written = from_dict(WrittenEngine, self._call(f"{_ENGINE_ACTIONS}:write", path=str(path)))
        return written.engine_bytes, written.sha256

    def _save_cached(self, entry: CacheEntry) -> StepOutcome:
        assert self.model is not None  # noqa: S101 - for the type checker
        assert self.parsed is not None  # noqa: S101
        stored = entry.report["engine"]
        if self.output is None:
            self.engine = EngineFile(str(entry.engine), stored["bytes"], stored["sha256"])
            return StepOutcome(f"in the cache: {entry.engine}", self.engine, from_cache=True)

        def copy(path: Path) -> tuple[int, str]:
            link_or_copy(entry.engine, path)
            return stored["bytes"], stored["sha256"]

        self.engine = save_engine(
            self.output, copy, engine_note(self.model, self.plan, self.parsed.installation, date=self._date)
        )
        self._saved = FileSignature.of(self.output)
        return StepOutcome(
            f"{self.output} ({format_bytes(self.engine.bytes)}), copied from the cache", self.engine, from_cache=True
        )

    def _keep_in_cache(self) -> StepOutcome:
        if self.cache is None:
            return StepOutcome("not saved: no output was named and the cache is off", state="skipped")
        self.cache.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.cache.folder)
        temporary = temporary_path(self.cache.folder / self._key)
        try:
            size, sha256 = self._write(temporary)
            self.engine = EngineFile("", size, sha256)
            entry = self.cache.store(self._key, temporary, self._cache_report())
        finally:
            temporary.unlink(missing_ok=True)
        self.engine = EngineFile(str(entry.engine), size, sha256)
        return StepOutcome(f"in the cache: {entry.engine}", self.engine)

    def _store(self, engine: Path) -> str:
        """Store the saved engine in the cache too; a cache that is full or gone is worth a remark, not a failure."""
        if self.cache is None:
            return ""
        try:
            self.cache.store(self._key, engine, self._cache_report())
        except OSError as error:
            return f"; not kept in the cache ({error.strerror or error})"
        return ""

    def _cache_report(self) -> dict[str, Any]:
        assert self.built is not None  # noqa: S101 - for the type checker: build came before
        assert self.engine is not None  # noqa: S101
        return {
            "date": self._date,
            "built": self.built.to_dict(),
            "engine": {"bytes": self.engine.bytes, "sha256": self.engine.sha256},
            "inspected": self.inspected.to_dict() if self.inspected else None,
        }

    def _inspect(self) -> StepOutcome:
        stored = self._cached.report.get("inspected") if self._cached else None
        if stored:
            self.inspected = from_dict(InspectResult, stored)
        else:
            self._provide("inspect")
            self.inspected = from_dict(InspectResult, self._call(f"{_ENGINE_ACTIONS}:inspect"))
            if self.cache is not None and self.engine is not None:
                self.cache.complete(self._key, self._cache_report())
        nodes = {node for layer in self.inspected.layers for node in layer.onnx_nodes}
        line = f"{plural(len(self.inspected.layers), 'layer')} computing {plural(len(nodes), 'ONNX node')} ({self.inspected.source})"
        return StepOutcome(line, self.inspected, from_cache=bool(stored))
