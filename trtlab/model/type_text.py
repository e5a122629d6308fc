"""The type of a tensor as text: `float32 [batch x 3 x 224 x 224]`. Runs in the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trtlab._format import format_shape, shorten_middle
from trtlab.model.actions import describe_value, dtype_name
from trtlab.model.description import Dimension

if TYPE_CHECKING:
    from onnx import ValueInfoProto

_LONGEST_TYPE = 200
_DEEPEST_TYPE = 8


def type_text(value: ValueInfoProto) -> str:
    """Return the type of a tensor, sequence, map or optional; empty if the model does not say it."""
    kind = value.type.WhichOneof("value")
    if kind is None:
        return ""
    if kind in ("tensor_type", "sparse_tensor_type"):
        described = describe_value(value)
        text = tensor_text(described.dtype, described.shape)
        return text if kind == "tensor_type" else f"sparse {text}"
    return shorten_middle(_nested(value.type, 0), _LONGEST_TYPE)


def tensor_text(dtype: str, shape: tuple[Dimension, ...] | None) -> str:
    """Return the type of a tensor with this data type and shape."""
    if not shape:
        return f"{dtype} {format_shape(shape)}" if shape == () else f"{dtype}, {format_shape(shape)}"
    return shorten_middle(f"{dtype} [{format_shape(shape)}]", _LONGEST_TYPE)


def _nested(kind: Any, depth: int) -> str:  # noqa: ANN401 - TypeProto, in which types are nested
    import onnx

    name = kind.WhichOneof("value") or ""
    if depth > _DEEPEST_TYPE or not name:
        return "…"
    if name == "sequence_type":
        return f"sequence of {_nested(kind.sequence_type.elem_type, depth + 1)}"
    if name == "optional_type":
        return f"optional {_nested(kind.optional_type.elem_type, depth + 1)}"
    if name == "map_type":
        values = _nested(kind.map_type.value_type, depth + 1)
        return f"map from {dtype_name(kind.map_type.key_type)} to {values}"
    if name in ("tensor_type", "sparse_tensor_type"):
        return type_text(onnx.ValueInfoProto(type=kind))
    return name.removesuffix("_type")
