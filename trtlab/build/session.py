"""A build as a person does it: step by step, stopped and taken up again, changed and run again from any step."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from trtlab._engine_results import Installation
from trtlab._errors import InputError
from trtlab.build.cache import EngineCache
from trtlab.build.failures import explain_failure
from trtlab.build.plan import BuildPlan
from trtlab.build.progress import Progress
from trtlab.build.report import BuildReport
from trtlab.build.step_runner import StepOutcome, StepRunner
from trtlab.build.steps import STEP_NAMES, StepName, StepRecord
from trtlab.model.model_source import ModelInput, ModelSource
from trtlab.worker import ActionCancelled, Event, LogRecord, WorkerLimits, WorkerPool

_ENDED = ("done", "skipped")
_RUN_END_SECONDS = 1.0


class SessionListener(Protocol):
    """Is told what a session does, in the threads that do it. Must return quickly."""

    def step_changed(self, record: StepRecord) -> None:
        """A step took another state."""

    def logged(self, step: StepName, record: LogRecord) -> None:
        """A log line came in."""

    def progressed(self, progress: Progress) -> None:
        """TensorRT's progress monitor spoke."""


class BuildSession:
    """Builds one model into an engine, one step at a time.

    Methods that run steps block until these have ended, and never raise for a failure of the model or of TensorRT: that
    stands in the step's record. `cancel` may be called from any thread.

    Args:
        model: Path of an ONNX file, its bytes, or an `onnx.ModelProto`.
        plan: What to build; can be changed later with `set_plan`.
        output: Where the engine goes; None keeps it only in the cache.
        flavour: `tensorrt` or `tensorrt_rtx`; None chooses what can build here.
        cache: Where engines are kept and found again; None: nowhere.
        overwrite: Whether `output` may be replaced even if it is newer than this build, or no engine.
        limits: Memory and time limits of the worker process.
        listener: Is told what happens.
        pool: Where workers come from; None: the one all of trtlab shares.
    """

    def __init__(  # noqa: PLR0913 - options are keyword-only, and most callers give one or two
        self,
        model: ModelInput,
        *,
        plan: BuildPlan | None = None,
        output: str | Path | None = None,
        flavour: str | None = None,
        cache: EngineCache | None = None,
        overwrite: bool = False,
        limits: WorkerLimits | None = None,
        listener: SessionListener | None = None,
        pool: WorkerPool | None = None,
    ) -> None:  # fmt: skip
        self._listener = listener
        self._source = ModelSource(model)
        self._records: dict[StepName, StepRecord] = {name: StepRecord(name) for name in STEP_NAMES}
        self._logs: dict[StepName, list[LogRecord]] = {name: [] for name in STEP_NAMES}
        self._running: StepName | None = None
        self._run_lock = threading.Lock()
        self._progress: Progress | None = None
        self._last_sign = 0.0
        self._runner = StepRunner(
            self._source, plan=plan or BuildPlan(), output=Path(output).absolute() if output else None, flavour=flavour,
            cache=cache, overwrite=overwrite, limits=limits, pool=pool, on_event=self._take_event,
        )  # fmt: skip

    # What it is

    @property
    def plan(self) -> BuildPlan:
        """The plan that the next configure step uses."""
        return self._runner.plan

    @property
    def steps(self) -> tuple[StepRecord, ...]:
        """All steps as they stand, without their log lines; `step(name)` and `report()` have those."""
        return tuple(self._records.values())

    def step(self, name: StepName) -> StepRecord:
        """One step as it stands, with its log lines."""
        return replace(self._records[name], log=tuple(self._logs[name]))

    @property
    def busy(self) -> bool:
        """Whether a step runs now."""
        return self._running is not None

    @property
    def progress(self) -> Progress | None:
        """Where the step that runs is, None when none runs."""
        progress = self._progress
        # Put together when it is asked for: a build logs ten thousands of lines, and each is a sign of life.
        return None if progress is None else replace(progress, last_sign=self._last_sign)

    @property
    def next_step(self) -> StepName | None:
        """The first step that has not ended well, None after the last."""
        return next((name for name in STEP_NAMES if self._records[name].state not in _ENDED), None)

    def report(self) -> BuildReport:
        """Return what was done so far and what came out."""
        return self._runner.report(tuple(self.step(name) for name in STEP_NAMES))

    def describe_installation(self) -> Installation:
        """Choose and load TensorRT, and return what it is and what it offers, without building anything.

        Raises:
            MissingError: No TensorRT can build here.
        """
        with self._change():
            self._runner.lease.cancelled.clear()
            return self._runner.describe_installation()

    # Running

    def next(self) -> StepRecord | None:
        """Run the next step and return its record; None if all have run."""
        name = self.next_step
        if name is not None:
            self._run((name,))
            return self.step(name)
        return None

    def run_to(self, last: StepName) -> StepRecord:
        """Run every step up to `last` that has not run yet; stops at the first that fails."""
        names = STEP_NAMES[: STEP_NAMES.index(_known(last)) + 1]
        self._run(name for name in names if self._records[name].state not in _ENDED)
        return self.step(last)

    def run_all(self) -> BuildReport:
        """Run every step that has not run yet; stops at the first that fails."""
        self.run_to(STEP_NAMES[-1])
        return self.report()

    def rerun(self, first: StepName) -> BuildReport:
        """Run `first` and every step after it again, whatever state they are in."""
        position = STEP_NAMES.index(_known(first))
        with self._change():
            self._reset(STEP_NAMES[position:])
        return self.run_all()

    def cancel(self) -> None:
        """Stop what runs, within a second; the step is then `cancelled`. Does nothing when nothing runs."""
        if self._run_lock.locked():  # also between two steps
            self._runner.lease.cancel()

    def set_plan(self, plan: BuildPlan) -> None:
        """Change the plan. Steps from `configure` on have to run again, from `parse` on if the typing changed."""
        with self._change():
            if plan != self._runner.plan:
                first: StepName = "configure" if plan.strongly_typed == self._runner.plan.strongly_typed else "parse"
                self._runner.plan = plan
                self._reset(STEP_NAMES[STEP_NAMES.index(first) :])

    def set_output(self, output: str | Path | None, *, overwrite: bool = False) -> None:
        """Change where the engine goes, or agree to replace what is there. The step `save` has to run again."""
        with self._change():
            self._runner.output = Path(output).absolute() if output else None
            self._runner.overwrite = overwrite
            self._reset(STEP_NAMES[STEP_NAMES.index("save") :])

    def close(self) -> None:
        """Cancel what runs, give the worker back, and remove temporary files. Safe to call twice."""
        self.cancel()
        with self._run_lock:
            self._runner.lease.give_back()
            self._source.close()

    def __enter__(self) -> BuildSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Inside

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        """Keep other threads out; the end of a run, which a listener hears of a moment before, is waited for."""
        if self.busy or not self._run_lock.acquire(timeout=_RUN_END_SECONDS):
            raise InputError("A step is running. Cancel it, or wait until it has ended.")
        try:
            yield
        finally:
            self._run_lock.release()

    def _reset(self, names: Iterable[StepName]) -> None:
        for name in names:
            self._logs[name] = []
            self._runner.forget(name)
            self._set(StepRecord(name))

    def _run(self, names: Iterable[StepName]) -> None:
        with self._change():
            self._runner.lease.cancelled.clear()
            for name in list(names):
                if self._run_one(name) not in _ENDED:
                    return

    def _run_one(self, name: StepName) -> str:
        self._reset(STEP_NAMES[STEP_NAMES.index(name) :])
        self._running = name
        started, clock = time.time(), time.perf_counter()
        try:
            self._set(StepRecord(name, "running", started))
            self._progress, self._last_sign = Progress(name, started=started, last_sign=started), started
            record = self._attempt(name)
        except BaseException:  # Ctrl-C, or a fault of the listener
            self._running = None
            self._set(StepRecord(name, "cancelled", started, time.perf_counter() - clock, "interrupted"))
            raise
        finally:
            self._running, self._progress = None, None
        self._set(replace(record, started=started, seconds=time.perf_counter() - clock))
        return record.state

    def _attempt(self, name: StepName) -> StepRecord:
        """Run one step; whatever happens becomes a record. Only an interrupt of the kernel itself goes on upwards."""
        try:
            if self._runner.lease.cancelled.is_set():
                raise ActionCancelled(worker_ended=False)
            outcome: StepOutcome = self._runner.run(name)
        except ActionCancelled:
            return StepRecord(name, "cancelled", line="cancelled")
        except Exception as error:  # noqa: BLE001 - every failure of a step is explained in its record
            checked = self.step("check").result
            findings = checked if isinstance(checked, tuple) else ()
            parsed = self._runner.parsed
            diagnoses = explain_failure(
                name,
                error,
                log=self._logs[name],
                model=self._runner.model,
                findings=findings,
                installation=parsed.installation if parsed else None,
            )
            return StepRecord(
                name, "failed", line=diagnoses[0].title, result=self._runner.partial_result(name), diagnoses=diagnoses
            )
        return StepRecord(name, outcome.state, line=outcome.line, result=outcome.result, from_cache=outcome.from_cache)

    def _set(self, record: StepRecord) -> None:
        self._records[record.name] = record
        if self._listener is not None:
            self._listener.step_changed(record)

    def _take_event(self, event: Event) -> None:
        step = self._running
        if step is None:
            return
        self._last_sign = event.time
        if isinstance(event, LogRecord):
            self._logs[step].append(event)
            if self._listener is not None:
                self._listener.logged(step, event)
        elif self._progress is not None:
            self._progress = progress = self._progress.after(event)
            if self._listener is not None:
                self._listener.progressed(progress)


def _known(name: Any) -> StepName:  # noqa: ANN401 - what a user gave
    if name not in STEP_NAMES:
        raise InputError(f"There is no step {name!r}. The steps are: {', '.join(STEP_NAMES)}.")
    return name  # type: ignore[no-any-return]
