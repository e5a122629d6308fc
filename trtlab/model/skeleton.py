"""Leave large weights out of a serialized model, before protobuf reads it.

Nothing in trtlab's worker looks at the values of large tensors; the TensorRT parser gets the file as it is. But protobuf copies
them when it reads a message, and again each time one is looked at (`tensor.raw_data` is a copy), which for hundreds of
megabytes takes longer than all the rest of a check. So they are cut out of the bytes, and a note of their size is put in
their place.
"""

from __future__ import annotations

import functools
import mmap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import TensorProto

# Smaller tensors stay: shape inference reads the target of a Reshape, the axes of a Squeeze and the like.
KEPT_TENSOR_BYTES = 4096
# Below this, copying costs less than looking for what to leave out.
_WORTHWHILE_BYTES = 1 << 22
_NOTE_KEY = "trtlab.left_out_bytes"
_PLACE_KEY = "trtlab.left_out_at"
# Protobuf refuses deeper nesting.
_MAXIMUM_DEPTH = 100
# Wire types, https://protobuf.dev/programming-guides/encoding/
_VARINT, _EIGHT_BYTES, _LENGTH_DELIMITED, _FOUR_BYTES = 0, 1, 2, 5
_LONGEST_VARINT_BITS = 63


class _NotRead(Exception):  # noqa: N818 - a reason to take the other way, not an error
    """These bytes are no message, or an unusual one. Protobuf itself decides what they are."""


def skeleton(content: bytes | mmap.mmap) -> bytes:
    """Return a serialized model without the values of its large tensors; the whole of it if that is not worth while."""
    if len(content) < _WORTHWHILE_BYTES:
        return content[:]
    import onnx

    try:
        with memoryview(content) as view:
            return b"".join(_pieces(view, 0, len(view), onnx.ModelProto.DESCRIPTOR, 0))
    except (_NotRead, IndexError):
        return content[:]


def raw_bytes(tensor: TensorProto) -> int:
    """Return the size of a tensor's `raw_data` in the file, whether it was left out or not; 0 if it has none."""
    if tensor.HasField("raw_data"):
        return len(tensor.raw_data)
    return _noted(tensor, _NOTE_KEY) or 0


def left_out_part(tensor: TensorProto) -> tuple[int, int] | None:
    """Return where in the file the values begin that were left out of a tensor, and their size in bytes; None for one that is whole."""
    size, place = _noted(tensor, _NOTE_KEY), _noted(tensor, _PLACE_KEY)
    return None if size is None or place is None else (place, size)


def restore_data(tensor: TensorProto, content: bytes | mmap.mmap) -> None:
    """Put back into a tensor what was left out of it; nothing happens to one that is whole.

    Args:
        tensor: A tensor of a model that was read without its large weights, or a copy of it.
        content: The bytes of the file that it was read from.
    """
    part = left_out_part(tensor)
    if part is None:
        return
    place, size = part
    kept = [entry for entry in tensor.metadata_props if entry.key not in (_NOTE_KEY, _PLACE_KEY)]
    tensor.ClearField("metadata_props")
    tensor.metadata_props.extend(kept)
    tensor.raw_data = bytes(content[place : place + size])


def _noted(tensor: TensorProto, key: str) -> int | None:
    text = next((entry.value for entry in tensor.metadata_props if entry.key == key), "")
    return int(text) if text.isascii() and text.isdigit() else None


def _pieces(view: memoryview, start: int, end: int, descriptor: Any, depth: int) -> list[memoryview | bytes]:  # noqa: ANN401
    """Return what stays of the message of type `descriptor` that lies between `start` and `end`."""
    if depth > _MAXIMUM_DEPTH:
        raise _NotRead
    pieces: list[memoryview | bytes] = []
    kept_from = position = start
    inner_types, raw_data = _fields(descriptor)
    while position < end:
        tag_at = position
        tag, position = _varint(view, position)
        wire_type = tag & 7
        if wire_type == _LENGTH_DELIMITED:
            length_at = position
            length, position = _varint(view, position)
            body, position = position, position + length
            if length <= KEPT_TENSOR_BYTES or position > end:
                continue
            if tag >> 3 == raw_data:
                pieces += [view[kept_from:tag_at], _note(length, body)]
                kept_from = position
            elif tag >> 3 in inner_types:
                inner = _pieces(view, body, position, inner_types[tag >> 3], depth + 1)
                pieces += [view[kept_from:length_at], _varint_bytes(sum(map(len, inner))), *inner]
                kept_from = position
        elif wire_type == _VARINT:
            _, position = _varint(view, position)
        elif wire_type in (_EIGHT_BYTES, _FOUR_BYTES):
            position += 8 if wire_type == _EIGHT_BYTES else 4
        else:
            raise _NotRead
    if position != end:
        raise _NotRead
    pieces.append(view[kept_from:end])
    return pieces


@functools.cache
def _fields(descriptor: Any) -> tuple[dict[int, Any], int]:  # noqa: ANN401 - a protobuf descriptor
    """Return the types of the messages inside a message by field number, and the number of `raw_data` in a tensor (else 0)."""
    inner = {field.number: field.message_type for field in descriptor.fields if field.message_type is not None}
    raw_data = descriptor.fields_by_name.get("raw_data") if descriptor.name == "TensorProto" else None
    return inner, raw_data.number if raw_data is not None else 0


def _varint(view: memoryview, position: int) -> tuple[int, int]:
    """Return the number that begins at `position`, and where it ends."""
    byte = view[position]
    if byte < 0x80:  # noqa: PLR2004 - the highest bit says that more follows
        return byte, position + 1
    value, shift = byte & 0x7F, 7
    while True:
        position += 1
        byte = view[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004
            return value, position + 1
        shift += 7
        if shift > _LONGEST_VARINT_BITS:
            raise _NotRead


def _varint_bytes(value: int) -> bytes:
    result = bytearray()
    while value > 0x7F:  # noqa: PLR2004
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


def _note(size: int, place: int) -> bytes:
    """Return the fields, as they stand in a serialized tensor, that say how many bytes were left out, and where they lie."""
    import onnx

    entries = [
        onnx.StringStringEntryProto(key=key, value=str(value))
        for key, value in ((_NOTE_KEY, size), (_PLACE_KEY, place))
    ]
    return onnx.TensorProto(metadata_props=entries).SerializeToString()
