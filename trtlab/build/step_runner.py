"""How each step is done. `BuildSession` decides which one runs and keeps its record; this does the work."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from trtlab._engine_results import BuiltEngine, InspectResult, Installation, ParserError, ParseResult, WrittenEngine
from trtlab._errors import ActionError, InputError, PlanError, TrtlabError, WorkerError
from trtlab._format import format_bytes, plural
from trtlab._results import from_dict
from trtlab.build.cache import CacheEntry, EngineCache, cache_key, now_utc
from trtlab.build.failures import ParserRefused
from trtlab.build.files import link_or_copy, remove_leftovers, temporary_path
from trtlab.build.plan import BuildPlan
from trtlab.build.report import BuildReport, EngineFile, group_messages
from trtlab.build.saving import FileSignature, check_output, engine_note, save_engine
from trtlab.build.steps import StepName, StepRecord
from trtlab.build.validation import validate
from trtlab.explain.refusals import facts_requests
from trtlab.model.description import Finding, ModelDescription
from trtlab.model.model_source import ModelSource
from trtlab.model.node_description import RefusalFacts
from trtlab.worker import ActionCancelled, Event, WorkerLimits, WorkerPool
from trtlab.worker.lease import WorkerLease

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
        self.lease = WorkerLease(limits=limits, pool=pool, on_event=on_event)
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
        steps: dict[StepName, Callable[[], StepOutcome]] = {
            "load": self._load, "check": self._check, "parse": self._parse, "configure": self._configure,
            "build": self._build, "save": self._save, "inspect": self._inspect,
        }  # fmt: skip
        return steps[name]()

    def forget(self, name: StepName) -> None:
        """Drop the result of a step that has to run again."""
        self.lease.held.discard(name)
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

    def describe_installation(self) -> Installation:
        """Have the worker choose and load TensorRT, and say what it offers."""
        return from_dict(
            Installation, self.lease.call(f"{_ENGINE_ACTIONS}:describe_installation", flavour=self.flavour)
        )

    # The worker

    def _provide(self, name: StepName) -> None:
        """Bring the worker to hold what step `name` needs, repeating steps whose results were lost with a worker."""
        if not self.lease.has_worker:
            self.lease.lose()
        for needed in _NEEDS[name]:
            if needed not in self.lease.held:
                self._make(needed)

    def _make(self, name: StepName) -> Any:  # noqa: ANN401 - JSON values
        """Have the worker do the part of a step whose result it keeps."""
        self.lease.held.discard(name)
        if name == "load":
            self.lease.held.clear()
            result = self.lease.call(
                f"{_MODEL_ACTIONS}:load", path=str(self.source.path), show_path=not self.source.from_memory
            )
            if self.model is not None and result["sha256"] != self.model.sha256:
                raise InputError(
                    "The model was changed after it was loaded.\nRun the build again from the step 'load'."
                )
        elif name == "parse":
            # Weak typing, where there is a choice, only if the plan asks for precisions: then they mean something.
            result = self.lease.call(
                f"{_ENGINE_ACTIONS}:parse", flavour=self.flavour, strongly_typed=self.plan.strongly_typed
            )
            self.lease.held -= {"configure", "build"}
        elif name == "configure":
            result = self.lease.call(f"{_ENGINE_ACTIONS}:configure", plan=self.plan.to_dict())
            self.lease.held.discard("build")
        else:
            result = self._build_in_worker()
            if self._cached is None:
                self.built, self._date = from_dict(BuiltEngine, result), now_utc()
        self.lease.held.add(name)
        return result

    # The steps

    def _load(self) -> StepOutcome:
        self._began = time.time()
        self.model = from_dict(ModelDescription, self._make("load"))
        return StepOutcome(self.model.summary(), self.model)

    def _check(self) -> StepOutcome:
        self._provide("check")
        self.findings = tuple(from_dict(Finding, item) for item in self.lease.call(f"{_MODEL_ACTIONS}:check"))
        counts = Counter(finding.severity for finding in self.findings)
        line = ", ".join(plural(counts[severity], severity) for severity in ("error", "warning") if counts[severity])
        return StepOutcome(
            line or ("valid ONNX" if not self.findings else plural(len(self.findings), "remark")), self.findings
        )

    def _parse(self) -> StepOutcome:
        self._provide("parse")
        self.parsed = from_dict(ParseResult, self._make("parse"))
        if not self.parsed.ok:
            self.lease.held.discard("parse")
            raise ParserRefused(self.parsed.errors, evidence=self._evidence(self.parsed.errors))
        installation = self.parsed.installation
        line = f"accepted by {installation.title}: {plural(self.parsed.layers, 'layer')}"
        if installation.limitations:
            line += f". Not offered with this release: {' '.join(installation.limitations)}"
        return StepOutcome(line, self.parsed)

    def _evidence(self, errors: tuple[ParserError, ...]) -> tuple[RefusalFacts, ...]:
        """Ask the model about what was refused. That is worth having, not worth failing for."""
        try:
            found = self.lease.call(f"{_MODEL_ACTIONS}:refusal_facts", refused=facts_requests(errors))
        except ActionCancelled:
            raise
        except (ActionError, WorkerError):
            return ()
        return tuple(from_dict(RefusalFacts, item) for item in found)

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
        if self._take_from_cache():
            assert self.built is not None  # noqa: S101 - for the type checker: it was taken from there
            line = f"nothing changed since {self._date}: engine of {format_bytes(self.built.engine_bytes)} taken from the cache"
            return StepOutcome(line, self.built, from_cache=True)
        self._provide("build")
        self._make("build")
        assert self.built is not None  # noqa: S101 - for the type checker: it was made
        activation = self.built.memory.activation_bytes
        needs = f", activations {format_bytes(activation)}" if activation is not None else ""
        return StepOutcome(f"engine of {format_bytes(self.built.engine_bytes)}{needs}", self.built)

    def _take_from_cache(self) -> bool:
        entry = self.cache.find(self._key, check=self._check_cancelled) if self.cache else None
        if self.cache is None or entry is None:
            return False
        try:
            self.built, self._date = from_dict(BuiltEngine, entry.report["built"]), str(entry.report["date"])
        except (LookupError, TypeError, ValueError):  # whole, but not of trtlab's making
            self.cache.remove(self._key)
            return False
        self._cached = entry
        return True

    def _check_cancelled(self) -> None:
        if self.lease.cancelled.is_set():
            raise ActionCancelled(worker_ended=False)

    def _build_in_worker(self) -> Any:  # noqa: ANN401 - JSON values
        if not self.plan.timing_cache:
            return self.lease.call(f"{_ENGINE_ACTIONS}:build")
        timing_cache = Path(self.plan.timing_cache).absolute()
        temporary = temporary_path(timing_cache)
        remove_leftovers(timing_cache.parent)
        try:
            result = self.lease.call(f"{_ENGINE_ACTIONS}:build", timing_cache=str(temporary))
            if temporary.exists():
                os.replace(temporary, timing_cache)  # noqa: PTH105
        finally:
            temporary.unlink(missing_ok=True)
        return result

    def _save(self) -> StepOutcome:
        if self._cached is not None and not self._cached.engine.exists():
            self._cached = None  # somebody has emptied the cache since the step 'build'
        if self.output is None:
            return self._keep_in_cache()
        try:
            self._check_output(self.output)
            return self._save_to(self.output)
        except WorkerError:
            raise
        except (OSError, TrtlabError):
            self._rescue()
            raise

    def _save_to(self, output: Path) -> StepOutcome:
        assert self.model is not None  # noqa: S101 - for the type checker: load came before
        assert self.parsed is not None  # noqa: S101
        entry = self._cached
        if entry is None:
            self._provide("save")
        note = engine_note(self.model, self.plan, self.parsed.installation, date=self._date)
        self.engine = save_engine(output, self._write if entry is None else partial(self._copy, entry), note)
        self._saved = FileSignature.of(output)
        remark = self._store(output, self.engine) if entry is None else ", copied from the cache"
        line = f"{output} ({format_bytes(self.engine.bytes)}){remark}"
        return StepOutcome(line, self.engine, from_cache=entry is not None)

    def _rescue(self) -> None:
        """Keep an engine that could not be saved where it was wanted: the next attempt need not build it again."""
        if self.cache is not None and "build" in self.lease.held:
            with contextlib.suppress(OSError, TrtlabError):
                self._keep_in_cache()
        self.engine = None

    def _check_output(self, output: Path) -> None:
        path = "" if self.source.from_memory else str(self.source.path)
        check_output(output, model_path=path, since=self._began, own=self._saved, overwrite=self.overwrite)

    def _write(self, path: Path) -> tuple[int, str]:
        written = from_dict(WrittenEngine, self.lease.call(f"{_ENGINE_ACTIONS}:write", path=str(path)))
        return written.engine_bytes, written.sha256

    def _copy(self, entry: CacheEntry, path: Path) -> tuple[int, str]:
        link_or_copy(entry.engine, path, check=self._check_cancelled)
        return entry.report["engine"]["bytes"], entry.report["engine"]["sha256"]

    def _keep_in_cache(self) -> StepOutcome:
        if self.cache is None:
            return StepOutcome("not saved: no output was named and the cache is off", state="skipped")
        entry = self._cached or self._write_to_cache(self.cache)
        facts = entry.report["engine"]
        self.engine = EngineFile(str(entry.engine), facts["bytes"], facts["sha256"])
        return StepOutcome(f"in the cache: {entry.engine}", self.engine, from_cache=self._cached is not None)

    def _write_to_cache(self, cache: EngineCache) -> CacheEntry:
        self._provide("save")
        cache.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(cache.folder)
        temporary = temporary_path(cache.folder / self._key)
        try:
            engine = EngineFile("", *self._write(temporary))
            return cache.store(self._key, temporary, self._cache_report(engine))
        finally:
            temporary.unlink(missing_ok=True)

    def _store(self, path: Path, engine: EngineFile) -> str:
        """Store the saved engine in the cache too; a cache that is full or gone is worth a remark, not a failure."""
        if self.cache is None:
            return ""
        try:
            self.cache.store(self._key, path, self._cache_report(engine))
        except OSError as error:
            return f"; not kept in the cache ({error.strerror or error})"
        return ""

    def _cache_report(self, engine: EngineFile) -> dict[str, Any]:
        assert self.built is not None  # noqa: S101 - for the type checker: build came before
        return {
            "date": self._date,
            "built": self.built.to_dict(),
            "engine": {"bytes": engine.bytes, "sha256": engine.sha256},
            "inspected": self.inspected.to_dict() if self.inspected else None,
        }

    def _inspect(self) -> StepOutcome:
        stored = self._cached.report.get("inspected") if self._cached else None
        if stored:
            self.inspected = from_dict(InspectResult, stored)
        else:
            self._provide("inspect")
            self.inspected = from_dict(InspectResult, self.lease.call(f"{_ENGINE_ACTIONS}:inspect"))
            if self.cache is not None and self.engine is not None:
                self.cache.complete(self._key, self._cache_report(self.engine))
        nodes = {node for layer in self.inspected.layers for node in layer.onnx_nodes}
        line = f"{plural(len(self.inspected.layers), 'layer')} computing {plural(len(nodes), 'ONNX node')} ({self.inspected.source})"
        return StepOutcome(line, self.inspected, from_cache=bool(stored))
