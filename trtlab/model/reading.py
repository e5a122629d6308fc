"""Read an ONNX file with clear errors for everything that is not one. Runs in the worker."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from trtlab._errors import InputError
from trtlab._format import format_bytes
from trtlab.model.external_data import ExternalData, locate_external_data

if TYPE_CHECKING:
    from onnx import ModelProto

# A protobuf message cannot be larger: https://protobuf.dev/programming-guides/proto-limits/
PROTOBUF_LIMIT_BYTES = 2**31 - 1
_HASH_BLOCK_BYTES = 1 << 22


class ModelFile:
    """A model file that was read: its bytes for the TensorRT parser, its message for everything else.

    Attributes:
        path: The file, absolute.
        content: The bytes of the file, what the TensorRT parser is given.
        proto: The parsed message.
        external_data: Where its external tensors lie, checked to be inside the model's folder.
        sha256: Digest of the file and of its external files.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content = _read_bytes(path)
        digest = hashlib.sha256()
        # hashlib releases the GIL: hashing costs no time while protobuf parses on another core.
        hashing = threading.Thread(target=digest.update, args=(self.content,))
        hashing.start()
        try:
            self.proto = _parse(self.content, path)
            self.external_data: ExternalData = locate_external_data(self.proto, path.parent)
        finally:
            hashing.join()
        for file in self.external_data.files:
            _hash_file(digest, path.parent / file.location)
        self.sha256 = digest.hexdigest()


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise InputError(f"{path} is a folder. Give the .onnx file inside it.")
    try:
        size = path.stat().st_size
        if size > PROTOBUF_LIMIT_BYTES:
            raise InputError(
                f"{path} has {format_bytes(size)}; an ONNX file cannot be larger than 2 GiB (a protobuf limit). "
                "Save it with its weights beside it: onnx.save(model, path, save_as_external_data=True)."
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}. Check the path; relative paths start at {Path.cwd()}.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def _parse(content: bytes, path: Path) -> ModelProto:
    what = describe_foreign_content(content)
    if what:
        raise InputError(f"{path.name} {what}")
    import onnx
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError as error:
        raise InputError(
            f"{path.name} ({format_bytes(len(content))}) is not a complete ONNX file: the protobuf message breaks off "
            "or is damaged. Copy or download it again, and compare its size and checksum with the original."
        ) from error
    if not model.HasField("graph"):
        raise InputError(
            f"{path.name} holds no graph, so it is no ONNX model (TensorRT's parser would accept it as an empty "
            "network). Check that the export finished and that this is the right file."
        )
    return model


def describe_foreign_content(content: bytes) -> str:
    """Return what a file is that is certainly no ONNX model, with the way out; empty if it may be one.

    TensorRT's parser takes empty files, web pages and text for valid networks without layers, and fails only at the
    build, with a message about missing outputs. So the beginning of the file is looked at here.
    """
    if not content:
        return "is empty (0 bytes). The export or the download did not finish; run it again."
    head = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the model itself. Fetch the content with: git lfs pull"
    lowered = head.lower()
    if lowered.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head", b"<!--")):
        return (
            "is a web page, not a model. The download link led to a page (often a log-in or an error page); "
            "use the link of the raw file."
        )
    if content[:2] == b"PK":
        return (
            "is a ZIP archive: a PyTorch checkpoint (.pt), an .npz file or a packed folder. Export the model with "
            "torch.onnx.export, or unpack the archive and give the .onnx file inside."
        )
    if content[:4] in (b"ftrt", b"vtrt", b"ptrt"):
        return "is a TensorRT engine that was already built, not an ONNX model. Give the ONNX file it was built from."
    if content[:8] == b"\x89HDF\r\n\x1a\n":
        return "is an HDF5 file (Keras), not an ONNX model. Convert it with tf2onnx."
    if content[4:8] == b"TFL3":
        return "is a TensorFlow Lite model, not an ONNX model. Convert it with tf2onnx --tflite."
    if content[:2] == b"\x1f\x8b":
        return "is gzip-compressed. Unpack it first: gunzip -k"
    if content[:1] == b"\x80" and content[1:2] in b"\x02\x03\x04\x05":
        return "is a Python pickle (an old PyTorch checkpoint), not an ONNX model. Export it with torch.onnx.export."
    return ""


def _hash_file(digest: hashlib._Hash, path: Path) -> None:
    with path.open("rb") as stream:
        while block := stream.read(_HASH_BLOCK_BYTES):
            digest.update(block)
