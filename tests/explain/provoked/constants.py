"""Values that must be known while the engine is built, and are inputs of the network or computed from its data."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, numpy_helper

from tests import models
from tests.explain.provoked.case import Case, Inputs, one_node, several_nodes
from trtlab.build.plan import BuildPlan, shape_profile

FLOAT, INT64, INT8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT8
IMAGE = (1, 3, 8, 8)


def given(name: str, operator: str, inputs: Inputs, **options: Any) -> Case:
    """Return a case of one node that is given as an input what must be a constant."""
    return Case(name, "constants", "parse.datadependent", one_node(operator, inputs, **options))


def scalar(number: float, name: str, dtype: Any = np.int64) -> TensorProto:
    return numpy_helper.from_array(np.array(number, dtype), name)


def computed(name: str, operator: str, *, kind: int, inputs: Inputs, position: int, count: int, **options: Any) -> Case:
    """Return a case whose node reads a value that other nodes compute from data, at one of its `count` inputs."""
    names = ["x"] + [""] * (count - 1)
    names[position] = "value"
    nodes = [
        models.node("ReduceMax", ["data"], ["largest"], "largest", keepdims=1),
        models.node("Cast", ["largest"], ["value"], "to_integer", to=kind),
        models.node(operator, names, options.pop("outputs", ["y"]), "the_node", **options),
    ]
    return Case(name, "constants", "parse.datadependent", several_nodes(nodes, {**inputs, "data": (4,)}))


GIVEN = (
    given("axes of a sum", "ReduceSum", {"x": (2, 4), "a": ((1,), INT64)}),
    given("axes of a mean", "ReduceMean", {"x": (2, 4), "a": ((1,), INT64)}, opset=18),
    given("axes that are squeezed", "Squeeze", {"x": (1, 4), "a": ((1,), INT64)}),
    given("axes that are inserted", "Unsqueeze", {"x": (1, 4), "a": ((1,), INT64)}),
    given("largest along given axes", "ReduceMax", {"x": (2, 4), "a": ((1,), INT64)}, opset=18),
    given("scales of a resize", "Resize", {"x": IMAGE, "s": (4,)}, names=("x", "", "s")),
    given("scale of a quantization", "QuantizeLinear", {"x": (2, 4), "s": (), "z": ((), INT8)}, output_type=INT8),
    given("ratio of a dropout", "Dropout", {"x": (2, 4), "r": (), "t": ((), TensorProto.BOOL)}),
)  # fmt: skip
COMPUTED = (
    computed("axes that are computed", "ReduceSum", kind=INT64, inputs={"x": (2, 4)}, position=1, count=2),
    computed("squeezed axes that are computed", "Squeeze", kind=INT64, inputs={"x": (1, 4)}, position=1, count=2),
    computed("inserted axes that are computed", "Unsqueeze", kind=INT64, inputs={"x": (1, 4)}, position=1, count=2),
    computed("number of best that is computed", "TopK", kind=INT64, inputs={"x": (2, 6)}, position=1, count=2, outputs=["y", "i"]),
    computed("shape that is computed", "Reshape", kind=INT64, inputs={"x": (2, 4)}, position=1, count=2),
    computed("size that is computed", "Expand", kind=INT64, inputs={"x": (1,)}, position=1, count=2),
    computed("repeats that are computed", "Tile", kind=INT64, inputs={"x": (4,)}, position=1, count=2),
    computed("scale that is computed", "Resize", kind=FLOAT, inputs={"x": (8,)}, position=2, count=3),
)  # fmt: skip


def positions() -> Case:
    """Return a case whose result is as long as the data decide, and which then is a shape."""
    nodes = [
        models.node("NonZero", ["x"], ["n"], "positions"),
        models.node("Cast", ["n"], ["f"], "to_float", to=FLOAT),
        models.node("Transpose", ["f"], ["t"], "order", perm=[1, 0]),
        models.node("MatMul", ["t", "w"], ["y"], "product"),
    ]
    made = several_nodes(nodes, {"x": (4, 4)}, weights=(models.weight("w", 2, 3),))
    return Case("positions of what is not zero", "constants", "parse.datadependent", made)


def resized_by_an_input() -> Case:
    plan = BuildPlan(profiles=(shape_profile({"x": ((1, 3, 8, 8), (1, 3, 8, 8), (1, 3, 16, 16))}),))
    made = one_node("Resize", {"x": (1, 3, "h", "w"), "s": (4,)}, names=("x", "", "s"), mode="linear")
    return Case("scales of a resize of any size", "constants", "parse.datadependent", made, plan=plan)


CASES = (*GIVEN, *COMPUTED, positions(), resized_by_an_input())
