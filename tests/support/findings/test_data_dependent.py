"""A size that depends on values is told from one that depends on shapes, through arithmetic and branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests import models
from tests.support.findings.looking import array, findings_of, found


@pytest.mark.parametrize("operator", ["NonZero", "Unique", "Compress", "NonMaxSuppression"])
def test_operators_whose_output_has_any_size(operator: str) -> None:
    proto = models.model([models.node(operator, ["x"] * (2 if operator != "NonZero" else 1), ["y"], "odd")])
    (finding,) = findings_of(proto)
    assert (finding.id, finding.node and finding.node.name) == ("support.data_dependent_operator", "odd")


def expanded(size: Sequence[onnx.NodeProto], inputs: Sequence[onnx.ValueInfoProto]) -> onnx.ModelProto:
    """Return a model that makes `k` with the nodes given and expands `one` to it."""
    weights = [
        models.weight("one", 1),
        models.integers("axes", 0),
        models.integers("two", 2),
        array("first", 0, np.int64),
    ]
    return models.model(
        [*size, models.node("Expand", ["one", "k"], ["y"], "expand")], inputs, [models.value("y", None)], weights
    )


def test_values_of_a_float_input() -> None:
    size = [
        models.node("ReduceMax", ["x"], ["m"], keepdims=0),
        models.node("Cast", ["m"], ["c"], to=TensorProto.INT64),
        models.node("Unsqueeze", ["c", "axes"], ["k"]),
    ]
    (finding,) = findings_of(expanded(size, [models.value("x", (2, 3))]))
    assert (finding.severity, finding.id, finding.tensor) == ("warning", "support.data_dependent_size", "k")
    assert "the input 'x'" in finding.text


def test_values_of_an_integer_input_make_a_shape_tensor() -> None:
    size = [models.node("Mul", ["n", "two"], ["k"])]
    assert found(expanded(size, [models.value("n", (1,), TensorProto.INT64)])) == [("info", "shape_input", "n")]


@pytest.mark.parametrize("operator", ["ReduceSum", "Squeeze", "OneHot"])
def test_axes_and_depths_must_be_constant(operator: str) -> None:
    more = ["values"] if operator == "OneHot" else []
    nodes = [models.node(operator, ["x", "k", *more], ["y"])]
    inputs = [models.value("x", (1, 4), TensorProto.INT64), models.value("k", (1,), TensorProto.INT64)]
    values = array("values", [0, 1], np.int64)
    outputs = [models.value("y", None, TensorProto.INT64)]
    weights = [values] if more else []
    asked = models.model(nodes, inputs, outputs, weights)
    fixed = models.model(nodes, inputs[:1], outputs, [*weights, array("k", [0], np.int64)])
    assert found(asked) == [("warning", "data_dependent_axes", "k")]
    assert found(fixed) == []


def test_shapes_are_no_values() -> None:
    size = [
        models.node("Relu", ["x"], ["r"]),
        models.node("Shape", ["r"], ["s"]),
        models.node("Gather", ["s", "first"], ["g"], axis=0),
        models.node("Unsqueeze", ["g", "axes"], ["k"]),
    ]
    assert found(expanded(size, [models.value("x", ("batch", 3))])) == []


def branch(nodes: Sequence[onnx.NodeProto]) -> onnx.GraphProto:
    return models.graph(nodes, outputs=[models.value(nodes[-1].output[0], (1,), TensorProto.INT64)])


@pytest.mark.parametrize(
    ("condition", "inner", "expected"),
    [
        ([models.node("Shape", ["x"], ["s"]), models.node("Cast", ["s"], ["c"], to=9)], "Shape", []),
        (
            [models.node("Shape", ["x"], ["s"]), models.node("Cast", ["s"], ["c"], to=9)],
            "Cast",
            ["data_dependent_size"],
        ),
        ([models.node("Cast", ["x"], ["c"], to=9)], "Shape", ["data_dependent_size"]),
    ],
)
def test_branches(condition: list[onnx.NodeProto], inner: str, expected: list[str]) -> None:
    attributes: dict[str, Any] = {"to": TensorProto.INT64} if inner == "Cast" else {}
    choice = helper.make_node(
        "If",
        ["c"],
        ["k"],
        then_branch=branch([models.node(inner, ["x"], ["t"], **attributes)]),
        else_branch=branch([models.node("Shape", ["x"], ["e"])]),
    )
    assert [item[1] for item in found(expanded([*condition, choice], [models.value("x", (1,))]))] == expected


def test_a_region_of_interest_is_no_size() -> None:
    resize = models.node("Resize", ["x", "roi", "scales"], ["y"], mode="nearest")
    inputs = [models.value("x", (1, 1, 4, 4)), models.value("roi", (8,))]
    assert found(models.model([resize], inputs, [models.value("y", None)], [array("scales", [1, 1, 2, 2])])) == []
