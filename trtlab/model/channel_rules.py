"""Convolutions whose weights do not fit the channels of their input. ONNX's shape inference does not compare the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trtlab._format import shorten_middle
from trtlab.model.description import Finding
from trtlab.model.walk import Scope, scopes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

    from trtlab.model.light_copy import LightCopy

    _Value = ValueInfoProto | TensorProto

_FEWEST_DIMENSIONS = 3  # batch, channels, and one of space
Shape = list[int | None]


def channel_findings(light: LightCopy, inferred: ModelProto) -> Iterator[Finding]:
    """Return every convolution that was made for another number of channels than it is fed with.

    Args:
        light: The copy that was inferred; tells which node of the model each of its nodes is.
        inferred: What shape inference made of it.
    """
    for node, problem in channel_problems(list(scopes(inferred))):
        reference = light.node_reference(node)
        yield Finding("model.channels", "error", f"Node {reference.label}: {problem}", reference, node.input[1])


def channel_problems(all_scopes: Sequence[Scope]) -> Iterator[tuple[NodeProto, str]]:
    """Yield those convolutions of a model with inferred shapes, given by its scopes, each with what is wrong."""
    convolutions = {scope.path: [node for node in scope.nodes if _is_convolution(node)] for scope in all_scopes}
    wanted = {name for nodes in convolutions.values() for node in nodes for name in node.input[:2]}
    values: dict[str, dict[str, _Value]] = {}
    for scope in all_scopes:
        around = values.get(scope.parent.path, {}) if scope.parent else {}
        values[scope.path] = {**around, **dict(_values_with_shape(scope, wanted))}
        for node in convolutions[scope.path]:
            problem = _problem(node, values[scope.path])
            if problem:
                yield node, problem


def _is_convolution(node: NodeProto) -> bool:
    return node.op_type in ("Conv", "ConvTranspose") and node.domain in ("", "ai.onnx")


def _values_with_shape(scope: Scope, wanted: set[str]) -> Iterator[tuple[str, _Value]]:
    """Yield what says a shape of the wanted tensors, by name."""
    body: Any = scope.body
    for value in (*getattr(body, "value_info", ()), *body.input, *body.output):
        if not isinstance(value, str) and value.name in wanted and value.type.tensor_type.HasField("shape"):
            yield value.name, value
    for tensor in getattr(body, "initializer", ()):
        if tensor.name in wanted:
            yield tensor.name, tensor


def _shape(value: _Value | None) -> Shape:
    if value is None:
        return []
    if hasattr(value, "dims"):
        return list(value.dims)
    return [size.dim_value if size.HasField("dim_value") else None for size in value.type.tensor_type.shape.dim]


def _problem(node: NodeProto, values: dict[str, _Value]) -> str:
    if len(node.input) < 2:  # noqa: PLR2004 - without weights the checker complains
        return ""
    data, weights = _shape(values.get(node.input[0])), _shape(values.get(node.input[1]))
    if len(data) < _FEWEST_DIMENSIONS or len(weights) < _FEWEST_DIMENSIONS:
        return ""
    groups = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
    transposed = node.op_type == "ConvTranspose"
    made_for = weights[0] if transposed else weights[1]
    if made_for is None or data[1] is None:
        return ""
    made_for = made_for if transposed else made_for * groups
    if made_for == data[1]:
        return ""
    return (
        f"its weights '{shorten_middle(node.input[1])}' {weights} are made for {made_for} channels, its input "
        f"'{shorten_middle(node.input[0])}' {['?' if size is None else size for size in data]} has {data[1]}."
    )
