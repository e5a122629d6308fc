"""Data types that TensorRT-RTX does not have, or not at that operator, and operators in editions that its parser does not read."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests import models
from tests.explain.provoked.case import Case, Inputs, one_node, several_nodes

NAMES = {
    "int16": TensorProto.INT16, "uint16": TensorProto.UINT16, "uint32": TensorProto.UINT32, "uint64": TensorProto.UINT64,
    "complex64": TensorProto.COMPLEX64, "complex128": TensorProto.COMPLEX128, "string": TensorProto.STRING,
}  # fmt: skip
ARRAYS = {"int16": np.int16, "uint16": np.uint16, "uint32": np.uint32, "uint64": np.uint64, "complex64": np.complex64}


def wrong_type(name: str, make: Any, truth: str = "parse.dtype") -> Case:
    return Case(name, "types", truth, make)


def as_input(name: str) -> Case:
    kind = NAMES[name]
    return wrong_type(f"{name} input", one_node("Identity", {"x": ((2, 4), kind)}, output_type=kind))


def as_weight(name: str) -> Case:
    """Return a case whose constant has the type; what reads it makes floats of it."""
    weight = numpy_helper.from_array(np.ones((2, 4), ARRAYS[name]), "w")
    nodes = [
        models.node("Cast", ["w"], ["f"], "to_float", to=TensorProto.FLOAT),
        models.node("Add", ["x", "f"], ["y"], "sum"),
    ]
    return wrong_type(f"{name} weight", several_nodes(nodes, {"x": (2, 4)}, weights=(weight,)))


def as_cast(name: str) -> Case:
    kind = NAMES[name]
    nodes = [
        models.node("Cast", ["x"], ["c"], "narrow", to=kind),
        models.node("Cast", ["c"], ["y"], "wide", to=TensorProto.FLOAT),
    ]
    return wrong_type(f"cast to {name}", several_nodes(nodes, {"x": (2, 4)}))


def strings_as_weight() -> onnx.ModelProto:
    words = numpy_helper.from_array(np.array(["a", "b"], dtype=object), "w")
    nodes = [
        models.node("Equal", ["w", "w"], ["e"], "equal"),
        models.node("Cast", ["e"], ["y"], "cast", to=TensorProto.FLOAT),
    ]
    return models.model(nodes, [models.value("x", (2,))], [models.value("y", None)], [words], opsets={"": 19})


def mixed(name: str, operator: str, first: int, second: int, **options: Any) -> Case:
    inputs: Inputs = {"x": ((4, 4), first), "w": ((4, 4), second)}
    return wrong_type(name, one_node(operator, inputs, **options))


def constant_of(name: str, kind: int) -> Case:
    """Return a case whose Constant node holds the type."""
    tensor = helper.make_tensor("value", kind, [2], np.array([1, 2]))
    nodes = [
        models.node("Constant", [], ["c"], "constant", value=tensor),
        models.node("Cast", ["c"], ["f"], "cast", to=TensorProto.FLOAT),
        models.node("Mul", ["x", "f"], ["y"], "product"),
    ]
    return wrong_type(name, several_nodes(nodes, {"x": (2,)}))


FLOAT, INT32, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL
FLOAT16, INT8, UINT8 = TensorProto.FLOAT16, TensorProto.INT8, TensorProto.UINT8
TYPES = (
    *map(as_input, NAMES),
    *map(as_weight, ARRAYS),
    *(as_cast(name) for name in ("int16", "uint16", "uint32", "uint64", "complex64")),
    wrong_type("string weight", strings_as_weight),
    constant_of("uint32 constant", TensorProto.UINT32),
    constant_of("int16 constant", TensorProto.INT16),
    mixed("sum of float and integer", "Add", FLOAT, INT32),
    mixed("product of float and half", "MatMul", FLOAT, FLOAT16),
    mixed("float beside a Boolean", "Mul", FLOAT, BOOL),
    mixed("logical operator on floats", "And", FLOAT, FLOAT, output_type=BOOL),
    wrong_type("float condition", one_node("Where", {"c": (2, 4), "x": (2, 4), "w": (2, 4)})),
    wrong_type("float indices", one_node("Gather", {"x": (4, 4), "i": (2,)})),
    wrong_type("sigmoid of integers", one_node("Sigmoid", {"x": ((2, 4), INT32)}, output_type=INT32)),
    wrong_type("convolution of integers", one_node("Conv", {"x": ((1, 1, 4, 4), INT32), "w": ((1, 1, 2, 2), INT32)}, output_type=INT32)),
    wrong_type("sum of Booleans", one_node("ReduceSum", {"x": ((2, 4), BOOL)}, output_type=BOOL)),
    wrong_type("negated Boolean", one_node("Neg", {"x": ((2, 4), BOOL)}, output_type=BOOL)),
    wrong_type("bytes added", one_node("Add", {"x": ((2, 4), UINT8), "w": ((2, 4), UINT8)}, output_type=UINT8)),
    wrong_type("softmax of integers", one_node("Softmax", {"x": ((2, 4), INT64)}, output_type=INT64)),
    wrong_type("not of floats", one_node("Not", {"x": (2, 4)}, output_type=BOOL)),
)  # fmt: skip


# Editions of operators


def old(name: str, operator: str, inputs: Inputs, **options: Any) -> Case:
    return Case(name, "opsets", "parse.opset", one_node(operator, inputs, **options))


OPSETS = (
    old("addition along an axis, opset 6", "Add", {"x": (2, 3, 4), "w": (3,)}, opset=6, broadcast=1, axis=1),
    old("product along an axis, opset 6", "Mul", {"x": (2, 3, 4), "w": (2, 3)}, opset=6, broadcast=1, axis=0),
    old("power along an axis, opset 6", "Pow", {"x": (2, 3, 4), "w": (3,)}, opset=6, broadcast=1, axis=1),
    old("comparison along an axis, opset 1", "Greater", {"x": (2, 3, 4), "w": (3,)}, opset=1, broadcast=1, axis=1, output_type=BOOL),
    old("matrix product with a bias along an axis, opset 6", "Sub", {"x": (2, 3, 4, 5), "w": (3, 4)}, opset=6, broadcast=1, axis=1),
)  # fmt: skip
CASES = (*TYPES, *OPSETS)
