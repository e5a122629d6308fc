"""Rules about tensors in a model: does the data fit the shape and the type? Runs in the worker."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from trtlab._format import shorten_middle
from trtlab.model.description import Finding
from trtlab.model.skeleton import raw_bytes
from trtlab.model.walk import Scope, node_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import TensorProto

# The narrow types are packed: two or four elements share a byte (onnx.proto, TensorProto.raw_data).
_PACKED_BITS = {"INT4": 4, "UINT4": 4, "FLOAT4E2M1": 4, "INT2": 2, "UINT2": 2}
# These are packed in raw_data only.
_RAW_BITS = {**_PACKED_BITS, "FLOAT6E2M3": 6, "FLOAT6E3M2": 6}
# Which field holds the elements of a type that are not in raw_data (onnx.proto); all others are in int32_data.
_DATA_FIELDS = {
    "FLOAT": "float_data", "COMPLEX64": "float_data", "DOUBLE": "double_data", "COMPLEX128": "double_data",
    "INT64": "int64_data", "UINT32": "uint64_data", "UINT64": "uint64_data", "STRING": "string_data",
}  # fmt: skip
_BYTE_BITS = 8


def tensor_findings(scope: Scope) -> Iterator[Finding]:
    """Return every tensor of a scope whose data do not fit its shape or type."""
    for tensor, index in scope.tensors:
        problem = data_problem(tensor)
        if problem is None:
            continue
        if index < 0:
            where = f" in {scope.path}" if scope.path else ""
            yield Finding(
                "model.initializer",
                "error",
                f"Initializer '{shorten_middle(tensor.name)}'{where}: {problem}",
                tensor=tensor.name,
            )
        else:
            reference = node_reference(scope.body.node[index], index, scope.path)
            yield Finding("model.constant", "error", f"The tensor in node {reference.label}: {problem}", reference)


def data_problem(tensor: TensorProto) -> str | None:
    """Return what is wrong with the data of a tensor, or None."""
    shape = list(tensor.dims)
    if any(size < 0 for size in shape):
        return f"a negative size in its shape {shape}."
    name = type_name(tensor.data_type)
    if name is None:
        return f"its data type has the number {tensor.data_type}, which ONNX does not have."
    bits = tensor_bits(tensor.data_type)
    count = math.prod(shape)
    if tensor.data_location == tensor.EXTERNAL:
        return _external_problem(tensor, bits, count)
    raw = raw_bytes(tensor)
    if raw:
        expected = None if bits is None else _bytes(count, bits)
        if expected in (None, raw):
            return None
        return f"its shape {shape} needs {expected} bytes, the file has {raw}."
    return _typed_problem(tensor, name, count)


def _external_problem(tensor: TensorProto, bits: int | None, count: int) -> str | None:
    length = next((entry.value for entry in tensor.external_data if entry.key == "length"), "")
    if bits is None or not length.isdecimal() or int(length) == _bytes(count, bits):
        return None
    return f"its shape {list(tensor.dims)} needs {_bytes(count, bits)} bytes, its external data have {int(length)}."


def _typed_problem(tensor: TensorProto, name: str, count: int) -> str | None:
    field = _DATA_FIELDS.get(name, "int32_data")
    found = len(getattr(tensor, field))
    expected = count * 2 if name.startswith("COMPLEX") else count
    if name in _PACKED_BITS:
        expected = _bytes(count, _PACKED_BITS[name])  # each entry holds one byte of packed elements
    if found == expected:
        return None
    if found == 0:
        return f"its shape {list(tensor.dims)} needs {expected} values, the file has none."
    return f"its shape {list(tensor.dims)} needs {expected} values, the file has {found}."


def _bytes(count: int, bits: int) -> int:
    return (count * bits + _BYTE_BITS - 1) // _BYTE_BITS


@functools.cache
def type_name(data_type: int) -> str | None:
    """Return ONNX's name of a data type, None for a number that it does not have (UNDEFINED included)."""
    import onnx

    try:
        name = str(onnx.TensorProto.DataType.Name(data_type))
    except ValueError:
        return None
    return None if name == "UNDEFINED" else name


@functools.cache
def tensor_bits(data_type: int) -> int | None:
    """Return the bits of one element of an ONNX data type, None for strings and unknown types."""
    import onnx

    name = type_name(data_type)
    if name in (None, "STRING"):
        return None
    return _RAW_BITS.get(str(name)) or int(onnx.helper.tensor_dtype_to_np_dtype(data_type).itemsize) * _BYTE_BITS


def tensor_bytes(tensor: TensorProto) -> int:
    """Return how many bytes the data of a tensor have, as raw data."""
    raw = raw_bytes(tensor)
    if raw:
        return raw
    bits = tensor_bits(tensor.data_type)
    return int(tensor.ByteSize()) if bits is None else _bytes(max(math.prod(tensor.dims), 0), bits)
