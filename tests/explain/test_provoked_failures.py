"""Each kind of failure is provoked in the real parser and builder, and is recognised for what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from tests import models
from trtlab.build.plan import BuildPlan, ShapeProfile, shape_profile
from trtlab.build.report import BuildReport
from trtlab.build.session import BuildSession
from trtlab.build.steps import StepName
from trtlab.worker import WorkerLimits

BATCH = shape_profile({"x": ((1, 4), (2, 4), (4, 4))})


@dataclass(frozen=True)
class Case:
    """A failure: how it is provoked, and what has to be said of it.

    Attributes:
        make: Makes the model.
        step: Where it fails.
        id: The diagnosis.
        says: What has to stand in title, place or reason.
        plan: What to build.
        limits: Limits of the worker.
    """

    make: Callable[[], onnx.ModelProto]
    step: StepName
    id: str
    says: tuple[str, ...] = ()
    plan: BuildPlan = field(default_factory=BuildPlan)
    limits: WorkerLimits | None = None


def one(
    operator: str,
    shape: models.Shape = (2, 4, 4),
    dtype: int = TensorProto.FLOAT,
    *,
    domain: str = "",
    **attributes: Any,
) -> onnx.ModelProto:
    """Return a model of one node on one input."""
    node = models.node(operator, ["x"], ["y"], "the node", domain=domain, **attributes)
    opsets = {"": 17, domain: 1} if domain else None
    return models.model([node], [models.value("x", shape, dtype)], [models.value("y", None, dtype)], opsets=opsets)


def two_inputs(operator: str, first: models.Shape, second: models.Shape, **attributes: Any) -> onnx.ModelProto:
    node = models.node(operator, ["x", "w"], ["y"], "the node", **attributes)
    return models.model([node], [models.value("x", first), models.value("w", second)], [models.value("y", None)])


def computed_axes() -> onnx.ModelProto:
    nodes = [models.node("ReduceSum", ["x", "axes"], ["y"], "the node")]
    inputs = [models.value("x", (2, 4)), models.value("axes", (1,), TensorProto.INT64)]
    return models.model(nodes, inputs, [models.value("y", None)])


def wrong_channels() -> onnx.ModelProto:
    node = models.node("Conv", ["x", "w"], ["y"], "the node")
    return models.model(
        [node], [models.value("x", (1, 3, 8, 8))], [models.value("y", None)], [models.weight("w", 4, 4, 3, 3)]
    )


def missing_weight() -> onnx.ModelProto:
    proto = wrong_channels()
    del proto.graph.initializer[:]
    return proto


def cycle() -> onnx.ModelProto:
    nodes = [models.node("Add", ["x", "b"], ["a"], "one"), models.node("Relu", ["a"], ["b"], "two")]
    return models.model(nodes, [models.value("x", (2, 4))], [models.value("b", (2, 4))])


def different_ranks() -> onnx.ModelProto:
    proto = models.branches(
        [models.node("Relu", ["x"], ["t"], "then")], [models.node("ReduceSum", ["x"], ["e"], "else", keepdims=0)]
    )
    proto.graph.input[0].CopyFrom(models.value("x", (2, 4)))
    return proto


def suppression() -> onnx.ModelProto:
    node = models.node("NonMaxSuppression", ["boxes", "scores", "count"], ["y"], "the node")
    inputs = [models.value("boxes", (1, 6, 4)), models.value("scores", (1, 1, 6))]
    weights = [models.integers("count", 3)]
    return models.model([node], inputs, [models.value("y", ("n", 3), TensorProto.INT64)], weights)


def attention() -> onnx.ModelProto:
    node = models.node("Attention", ["x", "k", "v"], ["y"], "the node")
    inputs = [models.value(name, (2, 3, 4, 8)) for name in ("x", "k", "v")]
    return models.model([node], inputs, [models.value("y", (2, 3, 4, 8))], opsets={"": 23})


def narrow_cast() -> onnx.ModelProto:
    node = models.node("Cast", ["x"], ["y"], "the node", to=TensorProto.FLOAT8E4M3FN)
    return models.model(
        [node], [models.value("x", (2, 4))], [models.value("y", (2, 4), TensorProto.FLOAT8E4M3FN)], opsets={"": 19}
    )


def quantized_by_an_input() -> onnx.ModelProto:
    node = models.node("QuantizeLinear", ["x", "scale", "zero"], ["y"], "the node")
    inputs = [models.value("x", (2, 4)), models.value("scale", ()), models.value("zero", (), TensorProto.INT8)]
    return models.model([node], inputs, [models.value("y", (2, 4), TensorProto.INT8)])


def empty_gather() -> onnx.ModelProto:
    """Return a table of eight positions, read at as many positions as the input is long."""
    nodes = [
        models.node("Shape", ["x"], ["shape"], "shape"),
        models.node("Gather", ["shape", "one"], ["length"], "length"),
        models.node("Sub", ["length", "one"], ["last"], "last"),
        models.node("Gather", ["table", "last"], ["row"], "the node"),
        models.node("Reshape", ["x", "row"], ["y"], "reshape"),
    ]
    table = numpy_helper.from_array(np.arange(1, 9, dtype=np.int64), "table")
    return models.model(
        nodes, [models.value("x", (1, "n"))], [models.value("y", None)], [table, models.integers("one", 1)]
    )


CASES = {
    "operator that the parser refuses": Case(
        lambda: one("Det"), "parse", "parse.unsupported_node", ("Det", "the node")
    ),
    "attribute that it refuses": Case(
        lambda: one("MaxPool", (1, 3, 8, 8), kernel_shape=[3, 3], dilations=[2, 2]),
        "parse",
        "parse.unsupported_node",
        ("dilations",),
    ),
    "custom operator": Case(
        lambda: one("MySwish", domain="my.ops"), "parse", "parse.plugin_missing", ("MySwish", "the node")
    ),
    "standard operator without an importer": Case(
        lambda: one("BitCast", to=TensorProto.INT32), "parse", "parse.unsupported_node", ("BitCast",)
    ),
    "type of an input": Case(
        lambda: one("Identity", dtype=TensorProto.INT16), "parse", "parse.dtype", ("int16", "'x'")
    ),
    "type of an operator's input": Case(
        lambda: one("Cast", to=TensorProto.COMPLEX64), "parse", "parse.dtype", ("the node",)
    ),
    "axes that are an input": Case(computed_axes, "parse", "parse.datadependent", ("the node", "constant")),
    "channels": Case(wrong_channels, "parse", "parse.shape", ("the node", "broadcast")),
    "shapes of a product": Case(lambda: two_inputs("MatMul", (2, 3), (4, 5)), "parse", "parse.shape", ("the node",)),
    "missing weight": Case(missing_weight, "parse", "parse.invalid_model", ("the node", "nothing makes")),
    "cycle": Case(cycle, "parse", "parse.invalid_model", ("circle",)),
    "baked batch": Case(models.baked_batch, "build", "parse.shape", ("baked", "reshape"), BuildPlan(profiles=(BATCH,))),
    "branches of different rank": Case(different_ranks, "build", "parse.shape", ("choice", "[2,4]")),
    "no implementation": Case(suppression, "build", "build.no_implementation", ("the node",)),
    "attention in FP32": Case(attention, "build", "build.no_implementation"),
    "narrow type": Case(narrow_cast, "build", "parse.dtype", ("'y'", "FP8", "produced")),
    "quantization by an input": Case(quantized_by_an_input, "build", "parse.datadependent"),
    "length over a table": Case(
        empty_gather,
        "build",
        "config.profile_range",
        ("OPT",),
        BuildPlan(profiles=(shape_profile({"x": ((1, 1), (1, 20), (1, 30))}),)),
    ),
    "too little workspace": Case(
        lambda: two_inputs("MatMul", (256, 1024), (1024, 512)),
        "build",
        "config.workspace",
        ("workspace",),
        BuildPlan(memory_limits={"workspace": 1024}),
    ),
    "FP32 product on Turing": Case(
        lambda: two_inputs("MatMul", (8, 16), (16, 8)),
        "build",
        "build.no_implementation",
        ("Turing", "the node"),
        BuildPlan(targets=("sm75",)),
    ),
    "bfloat16 on Turing": Case(
        lambda: one("Softmax", dtype=TensorProto.BFLOAT16),
        "build",
        "build.no_implementation",
        ("sm75", "b16"),
        BuildPlan(targets=("sm75",)),
    ),
    "no profile": Case(models.relu, "configure", "config.profile_missing", ("'x'",)),
    "profile that does not fit": Case(
        models.relu,
        "configure",
        "config.profile_range",
        ("Axis 1",),
        BuildPlan(profiles=(shape_profile({"x": (1, 5)}),)),
    ),
    "unknown target": Case(
        lambda: models.relu((1, 4)), "configure", "env.unsupported_gpu", ("sm90",), BuildPlan(targets=("sm90",))
    ),
    "unknown flavour": Case(lambda: models.relu((1, 4)), "parse", "parse.failed"),
}


def built(name: str) -> BuildReport:
    case = CASES[name]
    flavour = "tensort" if name == "unknown flavour" else None
    with BuildSession(case.make(), plan=case.plan, limits=case.limits, flavour=flavour) as session:
        return session.run_all()


@pytest.mark.parametrize("name", CASES)
def test_it_is_recognised(name: str) -> None:
    case, report = CASES[name], built(name)
    assert [step.name for step in report.steps if step.state == "failed"] == [case.step], report
    diagnosis = report.diagnoses[0]
    assert diagnosis.id == case.id, diagnosis.original
    assert diagnosis.place.step == case.step
    shown = " ".join((diagnosis.title, *diagnosis.place.lines(), diagnosis.why))
    for words in case.says:
        assert words in shown
    assert "cudaError" not in shown, "the driver that is missing here has nothing to do with it"
    assert "/_src/" not in shown, "places in TensorRT's source help nobody"
    assert diagnosis.title == diagnosis.title.strip()
    assert len(diagnosis.title) < 160
    if case.id != "parse.failed":
        assert diagnosis.remedies, "there is always a way on"
    assert len(repr(report).splitlines()) <= 5


def test_a_time_limit_is_said_to_be_that() -> None:
    with BuildSession(
        models.SAMPLES / "light_resnet50.onnx", plan=resnet_plan(), limits=WorkerLimits(seconds=0.6)
    ) as session:
        report = session.run_all()
    assert not report.ok
    assert report.diagnoses[0].id == "worker.time_limit"
    assert "600 ms" in report.diagnoses[0].why
    assert "kernel was not affected" in report.diagnoses[0].why


def resnet_plan() -> BuildPlan:
    shapes = ((1, 3, 224, 224), (4, 3, 224, 224), (8, 3, 224, 224))
    return BuildPlan(profiles=(shape_profile({"gpu_0/data_0": shapes}),))


def test_a_model_that_crashes_the_parser() -> None:
    """TensorRT-RTX 1.7.1 reads past its inputs here. A release that refuses the model instead is fine too."""
    step = models.graph(
        [models.node("Relu", ["row"], ["out"])], [models.value("row", (4,))], [models.value("out", (4,))]
    )
    scan = models.node("Scan", ["x"], ["y"], "scan", body=step, num_scan_inputs=2**62)
    with BuildSession(models.model([scan])) as session:
        report = session.run_all()
    assert [finding.node.name for finding in report.findings if finding.node] == ["scan"], "the check said so before"
    diagnosis = report.diagnoses[0]
    assert diagnosis.id == "worker.crash" or diagnosis.id.startswith("parse.")
    if diagnosis.id == "worker.crash":
        assert diagnosis.tensorrt_code == "SIGSEGV"
        assert "the check step" in diagnosis.remedies[0].text
    with BuildSession(models.relu((1, 4))) as session:
        assert session.run_all().ok, "the next build has a new worker"


def test_several_refusals_are_several_diagnoses() -> None:
    nodes = [models.node("Det", ["x"], ["a"], "one"), models.node("MySwish", ["x"], ["y"], "two", domain="my.ops")]
    proto = models.model(nodes, [models.value("x", (2, 4, 4))], [models.value("y", None)], opsets={"": 17, "my.ops": 1})
    with BuildSession(proto) as session:
        report = session.run_all()
    assert [(item.id, item.place.node) for item in report.diagnoses] == [
        ("parse.unsupported_node", "one"),
        ("parse.plugin_missing", "two"),
    ]


def test_an_empty_profile_is_a_missing_one() -> None:
    with BuildSession(models.relu(), plan=BuildPlan(profiles=(ShapeProfile({}),))) as session:
        report = session.run_all()
    assert report.diagnoses[0].id == "config.profile_missing"
