"""Read an ONNX file with clear errors for everything that is not one. Runs in the worker."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import queue
import stat
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtlab._errors import InputError
from trtlab._format import format_bytes, shorten_middle
from trtlab._memory import start_thread
from trtlab.model.external_data import ExternalData, locate_external_data
from trtlab.model.foreign_files import describe_foreign_content, describe_text
from trtlab.model.skeleton import skeleton
from trtlab.model.strict_text import REMARKS, texts_are_valid
from trtlab.model.walk import Scope, scopes

if TYPE_CHECKING:
    from onnx import ModelProto

# A protobuf message cannot be larger: https://protobuf.dev/programming-guides/proto-limits/
PROTOBUF_LIMIT_BYTES = 2**31 - 1
_HASH_BLOCK_BYTES = 1 << 22
_LARGE_BYTES = 1 << 22
# Of a file with more than this for each node most is weights.
_MOST_BYTES_OF_NODE = 2000
Content = bytes | mmap.mmap


class ModelFile:
    """A model file that was read: its bytes for the TensorRT parser, its message for everything else.

    Attributes:
        path: The file, absolute.
        content: The bytes of the file, what the TensorRT parser is given.
        proto: The parsed message, without the values of large tensors (`skeleton`).
        scopes: The graphs and functions of the message, which is not changed any more: what was looked up in them stays true.
        external_data: Where its external tensors lie, checked to be inside the model's folder.
        sha256: Digest of the file and of its external files.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        digest = hashlib.sha256()
        self.content = _read_bytes(path, digest)
        self.proto = _parse(self.content, path)
        self.scopes: tuple[Scope, ...] = tuple(scopes(self.proto))
        self.external_data: ExternalData = locate_external_data(self.scopes, path.parent)
        for file in self.external_data.files:
            _hash_file(digest, path.parent / file.location)
        self.sha256 = digest.hexdigest()

    @cached_property
    def tool_content(self) -> bytes | None:
        """The file for onnx's tools, which copy what they are given several times: None if its weights are large or lie outside."""
        content = self.content
        if self.external_data.files:
            return None
        if isinstance(content, bytes):
            return content
        nodes = sum(len(scope.nodes) for scope in self.scopes)
        return bytes(content) if len(content) <= _MOST_BYTES_OF_NODE * nodes else None

    @cached_property
    def inferred(self) -> ModelProto | None:
        """The model with what strict shape inference finds; None where it refuses the model, or should not be given it whole.

        Not to be changed: whoever asks shares it.
        """
        import onnx

        content = self.tool_content
        if content is None:
            return None
        refusals = (
            onnx.checker.ValidationError,
            onnx.shape_inference.InferenceError,
            ValueError,
            RuntimeError,
            TypeError,
        )
        try:
            return onnx.shape_inference.infer_shapes(content, check_type=True, strict_mode=True, data_prop=True)
        except refusals:
            return None


def _read_bytes(path: Path, digest: hashlib._Hash) -> Content:
    """Return the content of a file, having added it to a digest."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path} is a folder. Give the .onnx file inside it.")
        if not stat.S_ISREG(status.st_mode):  # a pipe or a device may never end
            raise InputError(f"{path} is a pipe or a device. Give a file, or the model's bytes.")
        if status.st_size > PROTOBUF_LIMIT_BYTES:
            raise InputError(
                f"{path} has {format_bytes(status.st_size)}; an ONNX file cannot be larger than 2 GiB (a protobuf limit). "
                "Save it with its weights beside it: onnx.save(model, path, save_as_external_data=True)."
            )
        return _read_and_hash(path, digest)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}. Check the path; relative paths start at {Path.cwd()}.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise InputError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _read_and_hash(path: Path, digest: hashlib._Hash) -> Content:
    with path.open("rb", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size < _LARGE_BYTES:
            content = stream.read()
            digest.update(content)
            return content
        memory = _large_memory(size)
        # Reading and hashing both let go of the interpreter lock: one thread hashes a block while the next one is read.
        blocks: queue.SimpleQueue[memoryview | None] = queue.SimpleQueue()
        hashing = start_thread(_hash_blocks, digest, blocks)
        end = 0
        try:
            with memoryview(memory) as view:
                while count := stream.readinto(view[end : end + _HASH_BLOCK_BYTES]):
                    blocks.put(view[end : end + count])
                    end += count
        finally:
            blocks.put(None)
            hashing.join()
    return memory if end == size else memory[:end]  # it became shorter meanwhile


def _large_memory(size: int) -> mmap.mmap:
    """Return memory in large pages, where the system has them: handing out small ones would take longer than reading."""
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError from error
    with contextlib.suppress(OSError, AttributeError):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def _hash_blocks(digest: hashlib._Hash, blocks: queue.SimpleQueue[memoryview | None]) -> None:
    while (block := blocks.get()) is not None:
        digest.update(block)


def _parse(content: Content, path: Path) -> ModelProto:
    what = describe_foreign_content(content)
    if what:
        raise InputError(f"{path.name} {what}")
    import onnx
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    kept = skeleton(content)
    try:
        model.ParseFromString(kept)
    except DecodeError as error:
        raise InputError(
            f"{path.name} "
            + (
                describe_text(content)
                or f"({format_bytes(len(content))}) is not a complete ONNX file: the protobuf message breaks off or is "
                "damaged. Copy or download it again, and compare its size and checksum with the original."
            )
        ) from error
    # Text and random bytes can be read as a message too: one of unknown fields only, or with an empty graph.
    if not model.graph.node and not model.graph.output:
        raise InputError(
            f"{path.name} "
            + (
                describe_text(content)
                or "holds no graph, or one without nodes and outputs, so it is no ONNX model (TensorRT's parser would accept "
                "it as an empty network). Check that the export finished and that this is the right file."
            )
        )
    field = "" if texts_are_valid(kept) else undecodable_field(model)
    if field:
        raise InputError(
            f"{path.name} is damaged, or was written by a program that breaks the rules of protobuf: {field} is not valid "
            "text (UTF-8). Copy or download it again, or export it with plain names."
        )
    return model


def undecodable_field(model: ModelProto) -> str:
    """Return which name in a model is not UTF-8; empty if all are.

    Protobuf for Python gives such a text as bytes, which every later use would stumble over.
    """
    waiting: list[Any] = [model]
    while waiting:
        message = waiting.pop()
        texts, messages = _texts_and_messages(message)
        waiting.extend(messages)
        for text in texts:
            if isinstance(text, bytes):
                return f"a text in a {message.DESCRIPTOR.name} ({shorten_middle(repr(text)[1:])})"
    return ""


def _texts_and_messages(message: Any) -> tuple[list[object], list[Any]]:  # noqa: ANN401 - any message of onnx.proto
    """Return the texts that a message holds itself, remarks left out, and the messages inside it."""
    if message.DESCRIPTOR.name == "TensorProto":  # looking at all its fields would copy the weights
        return [message.name], list(message.external_data)
    texts: list[object] = []
    messages: list[Any] = []
    for field, value in message.ListFields():
        if isinstance(value, (str, int, float)) or field.name in REMARKS:
            continue
        if hasattr(value, "ListFields"):
            messages.append(value)
        elif field.type == field.TYPE_MESSAGE:
            messages.extend(value)
        elif field.type == field.TYPE_STRING:
            texts += [value] if isinstance(value, bytes) else value
    return texts, messages


def _hash_file(digest: hashlib._Hash, path: Path) -> None:
    try:
        with path.open("rb") as stream:
            while block := stream.read(_HASH_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise InputError(f"The weights in {path} cannot be read: {error.strerror or error}.") from error
