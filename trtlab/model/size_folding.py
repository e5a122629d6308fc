"""Compute the sizes that a model computes itself, where its inputs have known shapes. Runs in the worker.

Exporters write `Shape -> Gather -> Slice` and the like, at which ONNX's shape inference stops. When the shape of a tensor is
known, such values are constants: they are put in, and inference is run again, as long as that brings something new.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

# Operators that sizes are computed with. None makes more than it reads, so hostile values cannot fill the memory.
_OPERATORS = frozenset(
    {
        "Add", "Sub", "Mul", "Div", "Mod", "Neg", "Abs", "Min", "Max", "Floor", "Ceil", "Cast", "Concat", "Gather", "Slice", "Squeeze",
        "Unsqueeze", "Identity", "Reshape", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Not", "And", "Or", "Where",
        "ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin",
    }
)  # fmt: skip
_MOST_ELEMENTS = 64
# Each round runs inference over the whole model.
_MOST_ROUNDS, _MOST_NODES_IN_ALL = 16, 40_000
_MOST_FOLDED = 3000


def infer_with_sizes(model: ModelProto) -> ModelProto:
    """Return a model with inferred shapes; its nodes that compute sizes become constants, in `model` too.

    Args:
        model: A model without large weights and with known shapes of its inputs. It is changed.

    Raises:
        onnx.shape_inference.InferenceError: As `onnx.shape_inference.infer_shapes` does.
    """
    import onnx

    rounds = max(1, min(_MOST_ROUNDS, _MOST_NODES_IN_ALL // max(len(model.graph.node), 1)))
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    left = _MOST_FOLDED
    for _ in range(rounds):
        folded = _fold(model, inferred, left)
        if not folded:
            break
        left -= folded
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    return inferred


def _fold(model: ModelProto, inferred: ModelProto, most: int) -> int:
    """Turn nodes of the main graph into constants whose values follow from shapes; return how many."""
    from onnx import numpy_helper

    values: dict[str, Any] = {}
    for tensor in model.graph.initializer:
        with contextlib.suppress(ValueError, TypeError):
            _keep(values, tensor.name, numpy_helper.to_array(tensor))
    shapes = _known_shapes((*inferred.graph.input, *inferred.graph.value_info))
    version = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 1)
    folded = 0
    for node in model.graph.node:  # sorted: LightCopy has seen to that
        if folded >= most:
            break
        if node.domain not in ("", "ai.onnx") or len(node.output) != 1:
            continue
        if node.op_type == "Constant":
            held = next((item.t for item in node.attribute if item.name == "value"), None)
            if held is not None and held.ByteSize():
                with contextlib.suppress(ValueError, TypeError):
                    _keep(values, node.output[0], numpy_helper.to_array(held))
            continue
        found = _value(node, values, shapes, version)
        if found is not None and _keep(values, node.output[0], found):
            _become_constant(node, found)
            folded += 1
    return folded


def _keep(values: dict[str, Any], name: str, array: Any) -> bool:  # noqa: ANN401 - a NumPy array
    if array.size > _MOST_ELEMENTS or array.dtype.kind not in "biuf":
        return False
    values[name] = array
    return True


def _known_shapes(described: Sequence[ValueInfoProto]) -> dict[str, tuple[int, ...]]:
    found = {}
    for value in described:
        if value.type.HasField("tensor_type") and value.type.tensor_type.HasField("shape"):
            sizes = value.type.tensor_type.shape.dim
            if all(size.HasField("dim_value") for size in sizes):
                found[value.name] = tuple(size.dim_value for size in sizes)
    return found


def _value(node: NodeProto, values: dict[str, Any], shapes: dict[str, tuple[int, ...]], version: int) -> Any:  # noqa: ANN401
    """Return what a node computes, None if that does not follow from shapes and constants."""
    import numpy as np

    if node.op_type in ("Shape", "Size"):
        shape = shapes.get(node.input[0]) if node.input else None
        if shape is None:
            return None
        if node.op_type == "Size":
            return np.array(np.prod(shape, dtype=np.int64))
        bounds = {item.name: item.i for item in node.attribute}
        return np.array(shape[bounds.get("start", 0) : bounds.get("end", len(shape))], np.int64)
    if node.op_type not in _OPERATORS or not all(name in values for name in node.input if name):
        return None
    return _computed(node, values, version)


def _computed(node: NodeProto, values: dict[str, Any], version: int) -> Any:  # noqa: ANN401
    import numpy as np
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    inputs = {name: values[name] for name in node.input if name}
    described = [helper.make_value_info(name, helper.make_empty_tensor_value_info("").type) for name in inputs]
    result = helper.make_empty_tensor_value_info(node.output[0])
    graph = helper.make_graph([node], "size", described, [result])
    # Whatever ONNX's reference implementation does not like stays unknown.
    with contextlib.suppress(Exception), np.errstate(all="ignore"):
        one = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
        results: Any = ReferenceEvaluator(one).run(None, inputs)
        return np.asarray(results[0])
    return None


def _become_constant(node: NodeProto, array: Any) -> None:  # noqa: ANN401
    from onnx import helper, numpy_helper

    tensor = numpy_helper.from_array(array)
    node.op_type = "Constant"
    del node.input[:]
    del node.attribute[:]
    node.attribute.append(helper.make_attribute("value", tensor))
