"""Shapes that contradict each other or the operator, in static models and in models that were exported for one size."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from tests import models
from tests.explain.provoked.case import Case, Inputs, one_node, several_nodes
from trtlab.build.plan import BuildPlan, shape_profile

INT64 = TensorProto.INT64
BATCH = BuildPlan(profiles=(shape_profile({"x": ((1, 4), (2, 4), (4, 4))}),))


def wrong(name: str, operator: str, inputs: Inputs, **options: Any) -> Case:
    return Case(name, "shapes", "parse.shape", one_node(operator, inputs, **options))


def scalar(number: float, name: str, dtype: Any = np.int64) -> TensorProto:
    return numpy_helper.from_array(np.array(number, dtype), name)


def floats(name: str, *numbers: float) -> TensorProto:
    return numpy_helper.from_array(np.array(numbers, np.float32), name)


OPERANDS = (
    wrong("matrix product", "MatMul", {"x": (2, 3), "w": (4, 5)}),
    wrong("batched matrix product", "MatMul", {"x": (2, 3, 4), "w": (3, 4, 5)}),
    wrong("sum of three and four", "Add", {"x": (2, 3), "w": (2, 4)}),
    wrong("product of different batches", "Mul", {"x": (2, 3, 4), "w": (3, 3, 4)}),
    wrong("choice of different shapes", "Where", {"c": ((2, 3), TensorProto.BOOL), "x": (2, 3), "w": (4, 3)}),
    wrong("slope per channel", "PRelu", {"x": (1, 3, 8, 8), "w": (5, 1, 1)}),
    wrong("comparison", "Less", {"x": (5,), "w": (6,)}, output_type=TensorProto.BOOL),
    wrong("largest of two", "Max", {"x": (2, 3), "w": (2, 5)}),
    wrong("general product", "Gemm", {"x": (2, 3), "w": (4, 5)}),
    wrong("bias of a general product", "Gemm", {"x": (2, 3), "w": (3, 5), "b": (4,)}),
    wrong("Einstein sum", "Einsum", {"x": (2, 3), "w": (4, 5)}, equation="ij,jk->ik"),
    wrong("concatenation", "Concat", {"x": (2, 3), "w": (3, 3)}, axis=1),
    wrong("concatenation of different ranks", "Concat", {"x": (2, 3), "w": (2, 3, 1)}, axis=0),
    wrong("expansion", "Expand", {"x": (2, 3)}, weights=(models.integers("s", 2, 4),)),
)
CHANNELS = (
    wrong("channels of a convolution", "Conv", {"x": (1, 3, 8, 8)}, weights=(models.weight("w", 4, 4, 3, 3),)),
    wrong("channels of a grouped convolution", "Conv", {"x": (1, 6, 8, 8)}, group=3, weights=(models.weight("w", 6, 6, 3, 3),)),
    wrong("channels of a deconvolution", "ConvTranspose", {"x": (1, 3, 8, 8)}, weights=(models.weight("w", 4, 2, 3, 3),)),
    wrong("convolution of a matrix", "Conv", {"x": (8, 8)}, weights=(models.weight("w", 4, 3, 3, 3),)),
    wrong("kernel larger than the image", "Conv", {"x": (1, 3, 2, 2)}, weights=(models.weight("w", 4, 3, 5, 5),)),
    wrong("pool larger than the image", "MaxPool", {"x": (1, 3, 2, 2)}, kernel_shape=[5, 5]),
    wrong("pooling of a vector", "GlobalAveragePool", {"x": (8,)}),
    wrong("channels of a batch normalization", "BatchNormalization", {"x": (1, 3, 8, 8)},
          weights=tuple(models.weight(name, 4) for name in ("s", "b", "m", "v"))),
    wrong("channels of an instance normalization", "InstanceNormalization", {"x": (1, 3, 8, 8)},
          weights=(models.weight("s", 5), models.weight("b", 5))),
    wrong("scale of a layer normalization", "LayerNormalization", {"x": (2, 4, 8)}, weights=(models.weight("s", 6), models.weight("b", 6))),
    wrong("groups that do not divide the channels", "GroupNormalization", {"x": (1, 6, 4, 4)}, opset=21, num_groups=4,
          weights=(models.weight("s", 6), models.weight("b", 6))),
    wrong("depth that blocks do not divide", "DepthToSpace", {"x": (1, 6, 4, 4)}, blocksize=2),
)  # fmt: skip
RESHAPES = (
    wrong("number of elements", "Reshape", {"x": (2, 3)}, weights=(models.integers("s", 4, 2),)),
    wrong("two free dimensions", "Reshape", {"x": (2, 3)}, weights=(models.integers("s", -1, -1),)),
    wrong("free dimension that does not divide", "Reshape", {"x": (2, 3)}, weights=(models.integers("s", -1, 4),)),
    wrong("squeezed axis of three", "Squeeze", {"x": (2, 3)}, weights=(models.integers("a", 1),)),
    wrong("permutation that repeats an axis", "Transpose", {"x": (2, 3, 4)}, perm=[0, 0, 1]),
    wrong("axis of a concatenation", "Concat", {"x": (2, 3), "w": (2, 3)}, axis=5),
    wrong("axis of a softmax", "Softmax", {"x": (2, 3)}, axis=4),
    wrong("axis of a reduction", "ReduceMean", {"x": (2, 3)}, axes=[3]),
    wrong("axis of a gather", "Gather", {"x": (2, 3)}, axis=3, weights=(models.integers("i", 0),)),
    wrong("axis that is inserted", "Unsqueeze", {"x": (2, 3)}, weights=(models.integers("a", 7),)),
    wrong("axis of a flattening", "Flatten", {"x": (2, 3)}, axis=4),
    wrong("pads of another rank", "Pad", {"x": (2, 3)}, weights=(models.integers("p", 1, 1),)),
    wrong("repeats of another rank", "Tile", {"x": (2, 3)}, weights=(models.integers("r", 2, 2, 2),)),
    wrong("scales of another rank", "Resize", {"x": (1, 3, 8, 8)}, names=("x", "", "s"), weights=(floats("s", 2, 2),)),
    wrong("sizes of another rank", "Resize", {"x": (1, 3, 8, 8)}, names=("x", "", "", "s"), weights=(models.integers("s", 16, 16),)),
    wrong("more of the best than there are", "TopK", {"x": (2, 3)}, weights=(models.integers("k", 10),), outputs=("y", "i")),
    wrong("axis of a cumulative sum with two numbers", "CumSum", {"x": (2, 4)}, weights=(models.integers("axis", 0, 1),)),
    wrong("grid of another rank", "GridSample", {"x": (1, 3, 8, 8), "g": (1, 4, 2)}),
    wrong("indices longer than the rank", "GatherND", {"x": (2, 3), "i": ((2, 5), INT64)}),
    wrong("hidden size of an LSTM", "LSTM", {"x": (5, 2, 4)}, hidden_size=3,
          weights=(models.weight("w", 1, 12, 6), models.weight("r", 1, 12, 3))),
)  # fmt: skip


# Exported for one size


def exported_for_one(name: str, nodes: list[onnx.NodeProto], inputs: Inputs, plan: BuildPlan, **options: Any) -> Case:
    return Case(name, "shapes", "parse.shape", several_nodes(nodes, inputs, **options), plan=plan)


def images(*batches: int) -> BuildPlan:
    smallest, common, largest = ((batch, 3, 8, 8) for batch in batches)
    return BuildPlan(profiles=(shape_profile({"x": (smallest, common, largest)}),))


FIXED = (
    Case("batch of one in a Reshape", "shapes", "config.profile_range", models.baked_batch, plan=BATCH),
    exported_for_one(
        "batch of one before a classifier",
        [models.node("GlobalAveragePool", ["x"], ["p"], "pool"), models.node("Reshape", ["p", "s"], ["f"], "flatten"),
         models.node("Gemm", ["f", "w"], ["y"], "classifier")],
        {"x": ("batch", 3, 8, 8)}, images(1, 4, 8), weights=(models.integers("s", 1, 3), models.weight("w", 3, 10)),
    ),
    exported_for_one(
        "window of a vision transformer",
        [models.node("Reshape", ["x", "s"], ["p"], "windows"), models.node("Transpose", ["p"], ["y"], "order", perm=[0, 2, 1])],
        {"x": ("batch", 3, 8, 8)}, images(1, 2, 4), weights=(models.integers("s", 1, 3, 64),),
    ),
)  # fmt: skip
CASES = (*OPERANDS, *CHANNELS, *RESHAPES, *FIXED)
