"""Turn whatever ended a step into diagnoses. Every failure of a build passes through here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from trtlab._engine_results import Installation, ParserError
from trtlab._errors import ActionError, InputError, MissingError, OutputExistsError, PlanError, TrtlabError
from trtlab._format import format_bytes
from trtlab.build.files import shown_path
from trtlab.build.proposals import proposed_profile
from trtlab.build.steps import StepName
from trtlab.build.validation import PlanProblem
from trtlab.explain.building import diagnose_build, diagnose_ending, diagnose_file_error
from trtlab.explain.diagnosing import diagnosis_of
from trtlab.explain.diagnosis import Cause, Diagnosis, Place, Remedy
from trtlab.explain.parsing import diagnose_parse
from trtlab.model.description import Finding, ModelDescription
from trtlab.model.node_description import RefusalFacts
from trtlab.worker import LogRecord, WorkerDied

_ERRORS = ("error", "internal_error")
# What TensorRT's words also come to when it did not get the memory it wanted.
_UNCLEAR_IDS = ("build.failed", "build.myelin_internal", "build.internal_error", "build.no_implementation")


class ParserRefused(TrtlabError):  # noqa: N818 - an event, named as what happened
    """The ONNX parser refused the model; `errors` is all that it said, `evidence` what the model says about each."""

    def __init__(self, errors: tuple[ParserError, ...], *, evidence: tuple[RefusalFacts, ...] = ()) -> None:
        super().__init__(f"The parser refused the model with {len(errors)} errors.")
        self.errors = errors
        self.evidence = evidence


def explain_failure(
    step: StepName,
    error: Exception,
    *,
    log: Sequence[LogRecord],
    model: ModelDescription | None,
    findings: Sequence[Finding] = (),
    installation: Installation | None = None,
) -> tuple[Diagnosis, ...]:
    """Return at least one diagnosis of what ended a step.

    Args:
        step: The step that failed.
        error: What was raised.
        log: The step's log lines.
        model: The model, if it could be read.
        findings: What the check step found in it.
        installation: The TensorRT that builds, if it is known by then: remedies hold code for it alone.
    """
    version = installation.release if installation is not None else ""
    if isinstance(error, ParserRefused):
        return _parser(error, log, model, findings, version)
    if isinstance(error, PlanError):
        problems = [problem for problem in error.problems if isinstance(problem, PlanProblem)]
        return tuple(_plan_problem(problem, model, version) for problem in problems)
    if isinstance(error, WorkerDied):
        last = next((record.message for record in reversed(log) if record.source == "tensorrt"), "")
        return (diagnose_ending(error.ending, step=step, last_message=last),)
    if isinstance(error, OSError):
        return (diagnose_file_error(error, step=step, path=shown_path(str(error.filename or "The file"))),)
    if isinstance(error, ActionError):
        return (_action(step, error, log, version),)
    if isinstance(error, TrtlabError):
        return (_own_error(step, error),)
    return (_unexpected(step, type(error).__name__, str(error), ""),)


def _parser(
    error: ParserRefused,
    log: Sequence[LogRecord],
    model: ModelDescription | None,
    findings: Sequence[Finding],
    version: str,
) -> tuple[Diagnosis, ...]:
    # The parser writes some reasons only to C standard error (seen with TensorRT-RTX 1.7.1); they belong to the errors without a node.
    output = "\n".join(record.message for record in log if record.source in ("stdout", "stderr"))
    errors = tuple(replace(item, output=output) if output and item.node_index < 0 else item for item in error.errors)
    messages = [record.message for record in log if record.severity in _ERRORS]
    if errors:
        return diagnose_parse(
            errors, model, evidence=error.evidence, findings=findings, messages=messages, version=version
        )
    messages = messages or ["The parser refused the model and gave no reason."]
    return (diagnose_build(messages, step="parse", version=version),)


_PLAN_IDS = {
    "missing_input": "config.profile_missing",
    "option": "config.option",
    "target": "env.unsupported_gpu",
    "memory_limit": "config.workspace",
}


def _plan_problem(problem: PlanProblem, model: ModelDescription | None, version: str) -> Diagnosis:
    remedy = Remedy("Change this in the plan and run the step again; TensorRT has not seen the plan yet.")
    if problem.id == "missing_input" and model is not None:
        remedy = _proposal(model) or remedy
    identifier = _PLAN_IDS.get(problem.id, "config.profile_range")
    page = diagnosis_of(identifier, version=version)
    place = Place("configure", tensor=problem.tensor)
    return replace(page, title=problem.text, place=place, remedies=(remedy, *page.remedies))


def _proposal(model: ModelDescription) -> Remedy | None:
    profile = proposed_profile(model)
    if profile is None:
        return None
    shapes = {name: (shape.min, shape.opt, shape.max) for name, shape in profile.shapes.items()}
    return Remedy(
        "Give shapes (min, opt, max). A proposal from the dimensions' names:", f"trtlab.build(model, shapes={shapes!r})"
    )


def _action(step: StepName, error: ActionError, log: Sequence[LogRecord], version: str) -> Diagnosis:
    if error.kind in ("BuildRefused", "ConfigurationRefused"):
        messages = [record.message for record in log if record.severity in _ERRORS]
        diagnosis = diagnose_build(messages or [str(error)], step=step, version=version)
        return _with_memory_limit(diagnosis, error.facts.get("memory_limit_bytes"))
    if "errno" in error.facts:
        path = shown_path(error.facts["path"]) or "The file"
        return diagnose_file_error(
            OSError(error.facts["errno"], os.strerror(error.facts["errno"])), step=step, path=path
        )
    return _unexpected(step, error.kind, str(error), error.details)


def _with_memory_limit(diagnosis: Diagnosis, limit: int | None) -> Diagnosis:
    """Name the memory limit of the worker, where it may be or is what TensorRT ran into."""
    is_memory = diagnosis.id == "build.out_of_memory"
    if not limit or not (is_memory or diagnosis.id in _UNCLEAR_IDS):
        return diagnosis
    cause = Cause(
        f"The worker ran with a memory limit of {format_bytes(limit)}. When TensorRT is refused memory, it can say just this.",
        "It does not happen without the limit.",
    )
    remedies = (Remedy("Raise the limit of the worker's memory."), *diagnosis.remedies)
    why = f"{diagnosis.why} The worker's memory limit is {format_bytes(limit)}." if is_memory else diagnosis.why
    return replace(
        diagnosis, why=why, causes=(cause, *diagnosis.causes), remedies=remedies, sure=diagnosis.sure and is_memory
    )


def _own_error(step: StepName, error: TrtlabError) -> Diagnosis:
    title, _, rest = str(error).partition("\n")
    if isinstance(error, MissingError):
        return Diagnosis("env.library_missing", "No TensorRT that can build here", place=Place(step), why=str(error))
    if isinstance(error, OutputExistsError):
        remedy = Remedy("Save under another name, or agree to replace it (overwrite=True).")
        return Diagnosis(
            "file.newer", title, place=Place(step), why="It may hold somebody's newer work.", remedies=(remedy,)
        )
    if isinstance(error, InputError) and step == "load":
        return Diagnosis("parse.invalid_model", "The model cannot be read", place=Place(step), why=str(error))
    return Diagnosis(f"{step}.failed", title, place=Place(step), why=rest)


def _unexpected(step: StepName, kind: str, text: str, details: str) -> Diagnosis:
    return Diagnosis(
        "trtlab.unexpected",
        f"{step} ended with {kind}: {text.splitlines()[0] if text else 'no message'}",
        place=Place(step),
        why="This is a fault of trtlab or of a library it uses; please report it with the details below.",
        causes=(Cause("Details", details),) if details else (),
        original=details or text,
        sure=False,
    )
