"""Have protobuf itself look whether the texts of a model are UTF-8. Runs in the worker.

ONNX's messages are of the kind that takes any bytes for a text. Those of proto3 do not, and are the same on the wire: a model
that is read as such messages too needs no visit of each of its texts from Python, which takes twenty times as long.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.message import Message

# Fields whose text nothing depends on; some exporters write them in the encoding of their machine.
REMARKS = frozenset({"doc_string", "producer_name", "producer_version", "metadata_props"})


def texts_are_valid(serialized: bytes) -> bool:
    """Whether every text in a serialized model is known to be UTF-8. If it is not known, `undecodable_field` finds out."""
    strict = _strict_model_class()
    return strict is not None and _accepts(strict, serialized)


def _accepts(strict: type[Message], serialized: bytes) -> bool:
    from google.protobuf.message import DecodeError

    try:
        strict.FromString(serialized)
    except (DecodeError, UnicodeDecodeError):
        return False
    return True


@functools.cache
def _strict_model_class() -> type[Message] | None:
    """Return the class of models with checked texts, None where this protobuf cannot make it or does not check."""
    import onnx

    try:
        strict = _make_class(onnx.ModelProto.DESCRIPTOR)
    except Exception:  # noqa: BLE001 - what a release of protobuf raises that knows no such thing; there is another way
        return None
    damaged = onnx.ModelProto(domain="text").SerializeToString().replace(b"text", b"\xff\xfe\xff\xfe")
    return None if _accepts(strict, damaged) else strict


def _make_class(model: Any) -> type[Message]:  # noqa: ANN401 - a protobuf descriptor
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto()
    model.file.CopyToProto(file)
    file.syntax = "proto3"
    for message in file.message_type:
        _check_texts(message)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    strict: type[Message] = message_factory.GetMessageClass(pool.FindMessageTypeByName(model.full_name))
    return strict


def _check_texts(message: Any) -> None:  # noqa: ANN401 - a DescriptorProto
    del message.extension_range[:], message.reserved_range[:]  # proto3 has none, and nothing here needs them
    for field in message.field:
        field.ClearField("default_value")
        field.ClearField("options")
        if field.name in REMARKS:
            field.type = field.TYPE_BYTES  # looks the same, whatever it holds
            field.ClearField("type_name")
    for nested in message.nested_type:
        _check_texts(nested)
