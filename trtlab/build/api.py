"""`trtlab.build(model)`: all steps in one call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trtlab._errors import BuildError, InputError
from trtlab.build.cache import EngineCache
from trtlab.build.plan import BuildPlan, ShapesArgument, shape_profile
from trtlab.build.proposals import proposed_profile
from trtlab.build.session import BuildSession

if TYPE_CHECKING:
    from trtlab.build.report import BuildReport
    from trtlab.build.session import SessionListener
    from trtlab.model.model_source import ModelInput
    from trtlab.worker import WorkerLimits


def build(  # noqa: PLR0913 - options are keyword-only, and most callers give one or two
    model: ModelInput,
    *,
    shapes: ShapesArgument | Literal["propose"] | None = None,
    plan: BuildPlan | None = None,
    output: str | Path | None = None,
    flavour: str | None = None,
    cache: bool | EngineCache = True,
    overwrite: bool = False,
    limits: WorkerLimits | None = None,
    listener: SessionListener | None = None,
) -> BuildReport:
    """Build a TensorRT engine from an ONNX model.

    Args:
        model: Path of an ONNX file, its bytes, or an `onnx.ModelProto`.
        shapes: One shape profile: for each dynamic input one shape, or three (min, opt, max). `"propose"` takes trtlab's
            proposals, a guess from the dimensions' names. Not together with profiles in `plan`.
        plan: All other options, see `BuildPlan`.
        output: Where the engine goes, with a `.json` note beside it; None keeps it only in the cache.
        flavour: `tensorrt` or `tensorrt_rtx`; None takes what `TRTLAB_TENSORRT` says, else what can build here.
        cache: Whether an engine that was built before from the same model and plan is taken instead of built again.
        overwrite: Whether `output` may be replaced even if it changed after this build began, or is no engine.
        limits: Memory and time limits of the worker process.
        listener: Is told what happens, while it happens.

    Returns:
        The report, with `ok` True.

    Raises:
        BuildError: A step failed; `.report` says what was done, `.diagnoses` why it failed.
        InputError: The arguments cannot be used.
    """
    plan = plan or BuildPlan()
    if shapes is not None and plan.profiles:
        raise InputError("Shapes were given twice: as 'shapes' and as profiles of the plan. Give one of them.")
    if isinstance(shapes, str) and shapes != "propose":
        raise InputError(f"shapes={shapes!r} is not understood. Give a dictionary of shapes, or 'propose'.")
    if shapes is not None and not isinstance(shapes, str):
        plan = plan.with_profiles(shape_profile(shapes))
    engines = cache if isinstance(cache, EngineCache) else EngineCache() if cache else None
    with BuildSession(
        model,
        plan=plan,
        output=output,
        flavour=flavour,
        cache=engines,
        overwrite=overwrite,
        limits=limits,
        listener=listener,
    ) as session:
        if shapes == "propose":
            _propose(session)
        report = session.run_all()
    if not report.ok:
        raise BuildError(_message(report), report=report, diagnoses=report.diagnoses)
    return report


def _propose(session: BuildSession) -> None:
    described = session.run_to("load").result
    if described is not None and described.dynamic_inputs:
        profile = proposed_profile(described)
        if profile is not None:
            session.set_plan(session.plan.with_profiles(profile))


def _message(report: BuildReport) -> str:
    lines = [report.headline, *(repr(diagnosis) for diagnosis in report.diagnoses[:3])]
    if len(report.diagnoses) > 3:  # noqa: PLR2004
        lines.append(f"... and {len(report.diagnoses) - 3} more in .diagnoses")
    if any(step.name in ("parse", "build") and step.state == "failed" for step in report.steps):
        lines.append("TensorRT stops early; every node that it does not take: trtlab.check(model)")
    return "\n".join(lines)
