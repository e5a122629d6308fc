"""`trtlab.check(model)`: every node that TensorRT does not take, in one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trtlab.build.plan import ShapesArgument, shape_profile
from trtlab.support.session import SurveyProgress, SurveySession

if TYPE_CHECKING:
    from trtlab.model.model_source import ModelInput
    from trtlab.support.report import SupportReport
    from trtlab.support.verdicts import Depth
    from trtlab.worker import WorkerLimits


def check(
    model: ModelInput,
    *,
    depth: Depth = "full",
    shapes: ShapesArgument | None = None,
    flavour: str | None = None,
    limits: WorkerLimits | None = None,
    progress: Callable[[SurveyProgress], None] | None = None,
) -> SupportReport:
    """Find every node of an ONNX model that TensorRT does not take, and say why.

    The real parser looks at every node, past each failure; in a full check the real builder, too.

    Args:
        model: Path of an ONNX file, its bytes, or an `onnx.ModelProto`.
        depth: `full`: ask the parser and the builder; `quick`: the parser alone.
        shapes: Shapes to build with, as for `trtlab.build`; None takes proposals from the dimensions' names.
        flavour: `tensorrt` or `tensorrt_rtx`; None takes what `TRTLAB_TENSORRT` says, else what can build here.
        limits: Memory and time limits of the worker process.
        progress: Is told what happens, while it happens.

    Returns:
        The report; a model that TensorRT refuses is a result, not an error.

    Raises:
        InputError: The model cannot be read, or an argument cannot be used.
        MissingError: There is no TensorRT here; the message says what to install.
        CheckError: The process that worked ended before it was done.
    """
    profile = shape_profile(shapes) if shapes else None
    with SurveySession(model, flavour=flavour, limits=limits, on_progress=progress) as session:
        report = session.check(depth=depth, profile=profile)
    return report.with_source(model)
