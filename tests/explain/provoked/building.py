"""What parses and cannot be built: no implementation, too little memory or workspace, branches and loops, quantization."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests import models
from tests.explain.provoked.case import Case, Inputs, one_node, several_nodes
from trtlab.build.plan import BuildPlan
from trtlab.worker import WorkerLimits

FLOAT, HALF, BF16, FP8, FP4 = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.FLOAT8E4M3FN,
                               TensorProto.FLOAT4E2M1)  # fmt: skip
INT4, INT8, INT64, BOOL = TensorProto.INT4, TensorProto.INT8, TensorProto.INT64, TensorProto.BOOL
TURING = BuildPlan(targets=("sm75",))


def without(name: str, make: Callable[[], onnx.ModelProto], plan: BuildPlan | None = None, **options: Any) -> Case:
    return Case(name, "implementations", "build.no_implementation", make, plan=plan or BuildPlan(), **options)


def heads(
    *, opset: int = 23, kind: int = FLOAT, sizes: Sequence[int] = (2, 3, 4, 8), **attributes: Any
) -> Callable[[], onnx.ModelProto]:
    inputs: Inputs = {name: (tuple(sizes), kind) for name in ("x", "k", "v")}
    return one_node("Attention", inputs, opset=opset, output_type=kind, **attributes)


def suppression(boxes: int, classes: int) -> Callable[[], onnx.ModelProto]:
    return one_node(
        "NonMaxSuppression",
        {"boxes": (1, boxes, 4), "scores": (1, classes, boxes)},
        weights=(models.integers("count", 3),),
        output_type=INT64,
    )


def suppression_behind_a_detector() -> onnx.ModelProto:
    nodes = [
        models.node("Sigmoid", ["x"], ["scores"], "scores"),
        models.node("NonMaxSuppression", ["boxes", "scores", "count", "overlap", "least"], ["y"], "suppression"),
    ]
    weights = [models.integers("count", 100), numpy_helper.from_array(np.array([0.5], np.float32), "overlap"),
               numpy_helper.from_array(np.array([0.25], np.float32), "least")]  # fmt: skip
    inputs = [models.value("boxes", (1, 100, 4)), models.value("x", (1, 80, 100))]
    return models.model(nodes, inputs, [models.value("y", None, INT64)], weights)


IMPLEMENTATIONS = (
    without("attention in FP32", heads()),
    without("causal attention in FP32", heads(is_causal=1)),
    without("scaled attention in FP32", heads(scale=0.5, sizes=(1, 8, 64, 64))),
    without("suppression of boxes", suppression(6, 1)),
    without("suppression of many classes", suppression(100, 80)),
    without("suppression behind a detector", suppression_behind_a_detector),
    without("product on Turing", one_node("MatMul", {"x": (8, 16), "w": (16, 8)}), TURING),
    without("product with weights on Turing", one_node("MatMul", {"x": (8, 16)}, weights=(models.weight("w", 16, 8),)), TURING),
    without("bfloat16 on Turing", one_node("Softmax", {"x": ((2, 4), BF16)}, output_type=BF16), TURING),
    without("bfloat16 product on Turing", one_node("MatMul", {"x": ((8, 16), BF16), "w": ((16, 8), BF16)}, output_type=BF16), TURING),
)  # fmt: skip


def narrow(name: str, kind: int, opset: int) -> Case:
    """Return a case whose output has a narrow type that no quantization made."""
    make = one_node("Cast", {"x": (2, 4)}, to=kind, opset=opset, output_type=kind)
    return Case(name, "types", "parse.dtype", make)


NARROW = (
    narrow("output of FP8 from a cast", FP8, 19),
    narrow("output of FP4 from a cast", FP4, 23),
    narrow("output of INT4 from a cast", INT4, 21),
    Case("input of FP8 that nothing dequantizes", "types", "parse.dtype", one_node("Cast", {"x": ((2, 4), FP8)}, to=FLOAT, opset=19)),
    Case("input of INT4 that nothing dequantizes", "types", "parse.dtype", one_node("Cast", {"x": ((2, 4), INT4)}, to=FLOAT, opset=21)),
)  # fmt: skip


# Memory


def workspace(name: str, make: Callable[[], onnx.ModelProto], size: int = 1024) -> Case:
    return Case(name, "memory", "config.workspace", make, plan=BuildPlan(memory_limits={"workspace": size}))


def large(name: str, make: Callable[[], onnx.ModelProto], plan: BuildPlan | None = None, **options: Any) -> Case:
    return Case(name, "memory", "build.out_of_memory", make, plan=plan or BuildPlan(), **options)


MEMORY = (
    workspace("product in a kilobyte of workspace", one_node("MatMul", {"x": (256, 1024), "w": (1024, 512)})),
    workspace("convolution in a kilobyte of workspace", one_node("Conv", {"x": (1, 64, 56, 56)},
              weights=(models.weight("w", 64, 64, 3, 3),))),
    workspace("batched product in a kilobyte of workspace", one_node("MatMul", {"x": (8, 256, 512), "w": (8, 512, 256)})),
    large("tensor of too many elements", one_node("Expand", {"x": (1, 1)}, weights=(models.integers("s", 2**21, 2**20),))),
    large("input of too many elements", one_node("Relu", {"x": (2**21, 2**20)})),
    large("image of billions of pixels", one_node("Conv", {"x": (1, 1, 2**17, 2**17)}, weights=(models.weight("w", 1, 1, 3, 3),))),
    large("weights that are filled in", several_nodes(
        [models.node("ConstantOfShape", ["s"], ["w"], "fill"), models.node("Conv", ["x", "w"], ["y"], "conv")], {"x": (1, 2**17, 1, 1)},
        weights=(models.integers("s", 2**17, 2**17, 1, 1),))),
    large("weights that are spread out", several_nodes(
        [models.node("Expand", ["c", "s"], ["w"], "spread"), models.node("Conv", ["x", "w"], ["y"], "conv")], {"x": (1, 2**17, 1, 1)},
        weights=(models.weight("c", 1, 1, 1, 1), models.integers("s", 2**17, 2**17, 1, 1)))),
    large("limit of the worker's memory", lambda: _heavy(256), limits=WorkerLimits(memory_bytes=1 << 30), plain=False),
)  # fmt: skip


def _heavy(megabytes: int) -> onnx.ModelProto:
    """Return a product with so many megabytes of weights."""
    values = np.linspace(-1, 1, megabytes << 18, dtype=np.float32).reshape(1024, -1)
    make = one_node("MatMul", {"x": (1, 1024)}, weights=(numpy_helper.from_array(values, "w"),))
    return make()


# Branches and loops


def choice(name: str, truth: str, then: list[onnx.NodeProto], other: list[onnx.NodeProto], **options: Any) -> Case:
    def make() -> onnx.ModelProto:
        proto = models.branches(then, other)
        proto.graph.input[0].CopyFrom(models.value("x", (2, 4)))
        return proto

    return Case(name, "control flow", truth, make, **options)


def node(operator: str, output: str, **attributes: Any) -> list[onnx.NodeProto]:
    return [models.node(operator, ["x"], [output], f"in_{output}", **attributes)]


FLOW = (
    choice("branches of different rank", "parse.shape", node("Relu", "t"), node("ReduceSum", "e", keepdims=0)),
    choice("branch that flattens", "parse.shape", node("Relu", "t"),
           [models.node("ReduceMax", ["x"], ["e"], "in_e", axes=[1], keepdims=0)]),
    choice("branches of different type", "parse.dtype", node("Relu", "t"), node("Cast", "e", to=TensorProto.INT32)),
    choice("branches of half and float", "parse.dtype", node("Cast", "t", to=HALF), node("Relu", "e")),
    choice("operator that is refused in a branch", "parse.unsupported_node", node("Relu", "t"), [models.node("Det", ["x"], ["e"], "in_e")]),
)  # fmt: skip


# Quantization


def scale(name: str, *numbers: float) -> TensorProto:
    return numpy_helper.from_array(np.array(numbers if len(numbers) > 1 else numbers[0], np.float32), name)


def zero(kind: Any = np.int8, *shape: int, value: int = 0) -> TensorProto:
    return numpy_helper.from_array(np.full(shape, value, kind), "z")


def quantized(name: str, truth: str, weights: tuple[TensorProto, ...], **attributes: Any) -> Case:
    """Return a case with a pair of quantize and dequantize nodes before a convolution."""
    nodes = [
        models.node("QuantizeLinear", ["x", "s", "z"], ["q"], "quantize", **attributes),
        models.node("DequantizeLinear", ["q", "s", "z"], ["d"], "dequantize", **attributes),
        models.node("Conv", ["d", "w"], ["y"], "conv"),
    ]
    make = several_nodes(nodes, {"x": (1, 3, 8, 8)}, weights=(*weights, models.weight("w", 4, 3, 3, 3)))
    return Case(name, "quantization", truth, make)


QUANTIZATION = (
    Case("scale that is an input", "quantization", "parse.datadependent",
         one_node("QuantizeLinear", {"x": (2, 4), "s": (), "z": ((), INT8)}, output_type=INT8)),
    Case("scale of the wrong length", "quantization", "parse.shape",
         one_node("QuantizeLinear", {"x": (1, 3, 8, 8)}, weights=(scale("s", 1, 2, 3, 4, 5), zero(np.int8, 5)), axis=1, output_type=INT8)),
    Case("quantized to 16 bits", "quantization", "parse.dtype",
         one_node("QuantizeLinear", {"x": (2, 4)}, weights=(scale("s", 0.5), zero(np.int16)), opset=21, output_type=TensorProto.INT16)),
    Case("quantized to unsigned 16 bits", "quantization", "parse.dtype",
         one_node("QuantizeLinear", {"x": (2, 4)}, weights=(scale("s", 0.5), zero(np.uint16)), opset=21, output_type=TensorProto.UINT16)),
    quantized("zero point that is not zero", "parse.unsupported_node", (scale("s", 0.1), zero(value=3))),
    Case("integer convolution of a quantizer", "quantization", "parse.unsupported_node", one_node(
        "QLinearConv", {"x": ((1, 1, 7, 7), TensorProto.UINT8)}, output_type=TensorProto.UINT8,
        weights=tuple(numpy_helper.from_array(np.array(number, kind).reshape(shape), name) for name, number, kind, shape in (
            ("xs", 1, np.float32, ()), ("xz", 0, np.uint8, ()), ("w", 1, np.uint8, (1, 1, 1, 1)), ("ws", 1, np.float32, ()),
            ("wz", 0, np.uint8, ()), ("ys", 1, np.float32, ()), ("yz", 0, np.uint8, ()))))),
    Case("integer product of a quantizer", "quantization", "parse.unsupported_node",
         one_node("MatMulInteger", {"x": ((4, 4), INT8), "w": ((4, 4), INT8)}, output_type=TensorProto.INT32)),
)  # fmt: skip


def loop_that_grows() -> onnx.ModelProto:
    """Return a loop whose carried value gets longer with each turn."""
    body = helper.make_graph(
        [models.node("Concat", ["carried", "carried"], ["next"], "grow", axis=0), models.node("Identity", ["go"], ["on"], "on")],
        "body",
        [models.value("i", (), INT64), models.value("go", (), BOOL), models.value("carried", None)],
        [models.value("on", (), BOOL), models.value("next", None)],
    )  # fmt: skip
    nodes = [models.node("Loop", ["turns", "start", "x"], ["y"], "loop", body=body)]
    start = numpy_helper.from_array(np.array(True), "start")
    turns = numpy_helper.from_array(np.array(3, np.int64), "turns")
    return models.model(nodes, [models.value("x", (2, 4))], [models.value("y", None)], [turns, start])


LOOP = Case("loop whose value grows", "control flow", "parse.shape", loop_that_grows)
CASES = (*IMPLEMENTATIONS, *NARROW, *MEMORY, *FLOW, LOOP, *QUANTIZATION)
