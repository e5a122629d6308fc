"""Failures that were written after the rules, and that no rule was changed for since: what the others cannot show.

Whoever changes a rule so that one of these is recognised moves it to the module of its family and writes another.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from onnx import TensorProto, numpy_helper

from tests import models
from tests.explain.provoked.api_use import BARE, script
from tests.explain.provoked.building import without
from tests.explain.provoked.case import one_node, several_nodes
from tests.explain.provoked.configuring import contradicting, plan_of
from tests.explain.provoked.constants import given
from tests.explain.provoked.custom_operators import custom
from tests.explain.provoked.data_types import mixed, old, wrong_type
from tests.explain.provoked.files import file, graph
from tests.explain.provoked.operators import refused
from tests.explain.provoked.shapes import wrong
from trtlab.build.plan import BuildPlan

INT32, INT64, INT8, UINT8 = TensorProto.INT32, TensorProto.INT64, TensorProto.INT8, TensorProto.UINT8
FLOAT, HALF, BOOL = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BOOL

# Earlier sets of this kind are in `further`: their misses led to more rules.
CASES = tuple(
    replace(case, name=f"held out: {case.name}")
    for case in (
        refused("split to a sequence", "SplitToSequence", {"x": (4, 2)}),
        refused("scattered maximum", "ScatterND", {"x": (4, 4), "i": ((2, 1), INT64), "u": (2, 4)}, opset=18, reduction="max"),
        refused("pyramid with mean and deviation", "LayerNormalization", {"x": (2, 3, 4)}, axis=1, weights=(models.weight("s", 3, 4),),
              outputs=("y", "m")),
        custom("mask of an attention", "CausalMask", "com.company.llm", {"x": (1, 4, 4)}),
        custom("decoder of a speech model", "BeamSearch", "com.microsoft", {"x": (1, 4)}),
        mixed("equality of Boolean and float", "Equal", BOOL, FLOAT, output_type=BOOL),
        wrong_type("pooled integers", one_node("MaxPool", {"x": ((1, 1, 8, 8), INT32)}, kernel_shape=[2, 2], output_type=INT32)),
        wrong_type("batch normalization of integers", one_node(
            "BatchNormalization", {"x": ((1, 3, 8, 8), INT32)}, output_type=INT32,
            weights=tuple(models.weight(name, 3) for name in "sbmv"))),
        wrong_type("float positions of elements", one_node("GatherElements", {"x": (2, 3), "i": (2, 3)})),
        old("quotient along an axis, opset 6", "Div", {"x": (2, 3, 4), "w": (3,)}, opset=6, broadcast=1, axis=1),
        wrong("minimum of different lengths", "Min", {"x": (4,), "w": (5,)}),
        wrong("axis of a log softmax", "LogSoftmax", {"x": (2, 3)}, axis=-5),
        wrong("axis of one-hot vectors", "OneHot", {"x": ((4,), INT64)}, axis=7, weights=(models.integers("d", 3), models.weight("v", 2))),
        wrong("updates of another shape", "ScatterElements", {"x": (4, 4), "i": ((2, 4), INT64), "u": (3, 4)}, opset=16),
        wrong("joined images of different heights", "Concat", {"x": (1, 3, 8, 8), "w": (1, 3, 6, 8)}, axis=1),
        wrong("pool of a matrix", "AveragePool", {"x": (8, 8)}, kernel_shape=[2, 2]),
        wrong("bias of a deconvolution", "ConvTranspose", {"x": (1, 3, 8, 8)},
              weights=(models.weight("w", 3, 4, 3, 3), models.weight("b", 9))),
        wrong("layers to normalize that are not there", "LayerNormalization", {"x": (2, 4)}, axis=5, weights=(models.weight("s", 4),)),
        wrong("axis that is squeezed twice", "Squeeze", {"x": (1, 3)}, weights=(models.integers("a", 4),)),
        wrong("dimensions of an expansion", "Expand", {"x": (2, 3, 4)}, weights=(models.integers("s", 3, 3, 4),)),
        wrong("masked attention", "Where", {"m": ((1, 5), BOOL), "x": (2, 4), "w": (2, 4)}),
        graph("label that an Einstein sum does not have", one_node("Einsum", {"x": (2, 3)}, equation="ij->ik")),
        wrong_type("recurrent network of integers", one_node("LSTM", {"x": ((5, 2, 4), INT32)}, hidden_size=3, output_type=INT32, weights=(
            models.weight("w", 1, 12, 4), models.weight("r", 1, 12, 3)))),
        wrong_type("resized Booleans", one_node("Resize", {"x": ((1, 3, 8, 8), BOOL)}, names=("x", "", "s"), output_type=BOOL, weights=(
            numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "s"),))),
        mixed("remainder of float and integer", "Mod", FLOAT, INT32, fmod=1),
        given("axes of a sum of squares", "ReduceSumSquare", {"x": (2, 4), "a": ((1,), INT64)}, opset=18),
        given("axes of a smallest value", "ReduceMin", {"x": (2, 4), "a": ((1,), INT64)}, opset=18),
        given("axes of a logarithm of sums", "ReduceLogSumExp", {"x": (2, 4), "a": ((1,), INT64)}, opset=18),
        file("saved page with a byte order mark", lambda: "\ufeff<html><body>Sign in to continue</body></html>".encode() * 30),
        graph("weight that two nodes miss", several_nodes(
            [models.node("Mul", ["x", "scale"], ["a"], "scaled"), models.node("Add", ["a", "scale"], ["y"], "shifted")], {"x": (2, 4)})),
        contradicting("half of an image", models.convolution, plan_of({"x": ((1, 3, 8, 4), (2, 3, 8, 4), (4, 3, 8, 4))})),
        without("general product on Turing", one_node("Gemm", {"x": (8, 16)}, weights=(models.weight("w", 16, 8),)),
              BuildPlan(targets=("sm75",))),
        script("flag for rejecting empty algorithms", "api.removed", "config.set_flag(trt.BuilderFlag.REJECT_EMPTY_ALGORITHMS)\n"),
        script("device of the weights", "api.removed", "print(trt.ICudaEngine.max_batch_size)\n", head=BARE),
        script("input by its name", "api.misuse", "network.remove_tensor('x')\n"),
        script("logger's level as the logger", "api.misuse", "runtime = trt.Runtime(trt.Logger.WARNING)\n"),
    )
)  # fmt: skip
