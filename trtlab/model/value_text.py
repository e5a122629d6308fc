"""Attributes and small tensors as bounded text. Runs in the worker."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING

from trtlab._format import plural, shorten_middle
from trtlab.model.actions import dtype_name
from trtlab.model.tensor_rules import data_problem

if TYPE_CHECKING:
    from onnx import AttributeProto, TensorProto

_LONGEST_VALUE = 200
_MOST_NUMBERS = 16
# Attributes whose number is the number of a data type.
_DTYPE_ATTRIBUTES = frozenset(
    {"to", "dtype", "output_dtype", "output_datatype", "precision", "softmax_precision", "stash_type"}
)
_ONNX_ERRORS = (ValueError, RuntimeError, TypeError, AttributeError)


def attribute_text(attribute: AttributeProto, *, longest: int = _LONGEST_VALUE, with_count: bool = False) -> str:
    """Return the value of an attribute: numbers, names of data types, the beginning of what is long.

    Args:
        attribute: The attribute, with a value of its own.
        longest: The most characters.
        with_count: Whether a list that is cut off says how many elements it has.
    """
    return shorten_middle(_plain_text(attribute, longest, with_count), longest)


def _plain_text(attribute: AttributeProto, longest: int, with_count: bool) -> str:
    kind = attribute.type
    if kind == attribute.INT:
        return dtype_name(attribute.i) if attribute.name in _DTYPE_ATTRIBUTES else str(attribute.i)
    if kind == attribute.FLOAT:
        return f"{attribute.f:g}"
    if kind == attribute.STRING:
        return _decoded(attribute.s, longest)
    if kind in (attribute.INTS, attribute.FLOATS, attribute.STRINGS):
        return _list_text(attribute, longest, with_count)
    if kind in (attribute.TENSOR, attribute.SPARSE_TENSOR):
        tensor = attribute.t if kind == attribute.TENSOR else attribute.sparse_tensor.values
        return f"{dtype_name(tensor.data_type)} {list(tensor.dims)} {tensor_values(tensor)}".strip()
    if kind == attribute.GRAPH:
        return f"graph of {plural(len(attribute.g.node), 'node')}"
    return "…"


def _list_text(attribute: AttributeProto, longest: int, with_count: bool) -> str:
    parts = attribute.ints or attribute.floats or attribute.strings
    shown = [
        _decoded(part, longest) if isinstance(part, bytes) else f"{part:g}" if isinstance(part, float) else str(part)
        for part in parts[:_MOST_NUMBERS]
    ]
    is_cut = len(parts) > _MOST_NUMBERS
    count = f" ({len(parts)} elements)" if is_cut and with_count else ""
    return f"[{', '.join(shown)}{', …' if is_cut else ''}]{count}"


def _decoded(text: bytes, longest: int) -> str:
    return shorten_middle(text[: 4 * longest].decode("utf-8", "replace"), longest)


def tensor_values(tensor: TensorProto) -> str:
    """Return the values of a small tensor that the model file holds, else nothing."""
    import onnx

    if (
        math.prod(tensor.dims) > _MOST_NUMBERS
        or tensor.data_location == tensor.EXTERNAL
        or data_problem(tensor) is not None
    ):
        return ""
    with contextlib.suppress(*_ONNX_ERRORS):
        return numbers_text(onnx.numpy_helper.to_array(tensor).tolist())
    return ""


def numbers_text(values: object) -> str:
    """Return nested lists of numbers or texts as one bounded text."""
    return shorten_middle(_numbers(values), _LONGEST_VALUE)


def _numbers(values: object) -> str:
    if isinstance(values, list):
        return f"[{', '.join(map(_numbers, values))}]"
    if isinstance(values, float):
        return f"{values:g}"
    return values.decode("utf-8", "replace") if isinstance(values, bytes) else str(values)
