"""Small ONNX models that the tests are made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.backend.test
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str | None]
LIGHT_MODELS = sorted((Path(onnx.backend.test.__file__).parent / "data" / "light").glob("*.onnx"))
SAMPLES = Path(__file__).parent.parent / "sample_models"


def value(name: str, shape: Shape | None = ("batch", 4), dtype: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    """Return the description of an input or output."""
    return helper.make_tensor_value_info(name, dtype, shape)


def weight(name: str, *shape: int, dtype: Any = np.float32) -> TensorProto:
    """Return an initializer of ones."""
    return numpy_helper.from_array(np.ones(shape, dtype), name)


def integers(name: str, *numbers: int) -> TensorProto:
    """Return a one-dimensional int64 initializer."""
    return numpy_helper.from_array(np.array(numbers, np.int64), name)


def node(
    operator: str, inputs: Sequence[str], outputs: Sequence[str], name: str = "", **attributes: Any
) -> onnx.NodeProto:
    """Return a node."""
    return helper.make_node(operator, list(inputs), list(outputs), name=name, **attributes)


def graph(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto] = (),
    outputs: Sequence[onnx.ValueInfoProto] = (),
    initializers: Sequence[TensorProto] = (),
) -> onnx.GraphProto:
    """Return a graph, for instance the branch of an If."""
    return helper.make_graph(list(nodes), "graph", list(inputs), list(outputs), initializer=list(initializers))


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto] | None = None,
    outputs: Sequence[onnx.ValueInfoProto] | None = None,
    initializers: Sequence[TensorProto] = (),
    *,
    opsets: dict[str, int] | None = None,
    functions: Sequence[onnx.FunctionProto] = (),
) -> onnx.ModelProto:
    """Return a model; without inputs and outputs given it has `x` and `y`, both `batch x 4` floats."""
    body = graph(nodes, inputs or [value("x")], outputs or [value("y")], initializers)
    imports = [helper.make_opsetid(domain, version) for domain, version in (opsets or {"": 17}).items()]
    return helper.make_model(body, opset_imports=imports, functions=list(functions), ir_version=8)


def relu(shape: Shape = ("batch", 4), dtype: int = TensorProto.FLOAT) -> onnx.ModelProto:
    """Return the smallest model that builds: y = Relu(x)."""
    return model([node("Relu", ["x"], ["y"], "relu")], [value("x", shape, dtype)], [value("y", shape, dtype)])


def chain(length: int) -> onnx.ModelProto:
    """Return a chain of `length` named Relu nodes."""
    nodes = [node("Relu", [f"t{index}"], [f"t{index + 1}"], f"relu_{index}") for index in range(length)]
    return model(nodes, [value("t0")], [value(f"t{length}")])


def convolution() -> onnx.ModelProto:
    """Return Conv, Relu, GlobalAveragePool and Flatten on an image with a dynamic batch."""
    nodes = [
        node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
        node("Relu", ["c"], ["r"], "relu"),
        node("GlobalAveragePool", ["r"], ["p"], "pool"),
        node("Flatten", ["p"], ["y"], "flatten"),
    ]
    return model(nodes, [value("x", ("batch", 3, 8, 8))], [value("y", ("batch", 4))], [weight("w", 4, 3, 3, 3)])


def branches(then_nodes: Sequence[onnx.NodeProto], else_nodes: Sequence[onnx.NodeProto]) -> onnx.ModelProto:
    """Return an If on the input `condition`; the last output of each branch is its result."""

    def branch(nodes: Sequence[onnx.NodeProto]) -> onnx.GraphProto:
        return graph(nodes, outputs=[value(nodes[-1].output[0], None)])

    choice = node("If", ["condition"], ["y"], "choice", then_branch=branch(then_nodes), else_branch=branch(else_nodes))
    return model([choice], [value("x"), value("condition", (), TensorProto.BOOL)])


def baked_batch() -> onnx.ModelProto:
    """Return a model that declares its batch free and reshapes to a batch of one."""
    nodes = [node("Relu", ["x"], ["r"], "relu"), node("Reshape", ["r", "target"], ["y"], "reshape")]
    return model(nodes, initializers=[integers("target", 1, 4)])


def external(
    tensor: TensorProto, location: str, *, offset: int | None = None, length: int | None = None
) -> TensorProto:
    """Return `tensor` with its data said to lie in a file."""
    moved = TensorProto(
        name=tensor.name, data_type=tensor.data_type, dims=tensor.dims, data_location=TensorProto.EXTERNAL
    )
    for key, text in (("location", location), ("offset", offset), ("length", length)):
        if text is not None:
            entry = moved.external_data.add()
            entry.key, entry.value = key, str(text)
    return moved


def save(proto: onnx.ModelProto, path: Path) -> Path:
    """Write a model as it is, without looking at it, and return where."""
    path.write_bytes(proto.SerializeToString())
    return path
