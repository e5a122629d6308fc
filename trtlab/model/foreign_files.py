"""Recognise files that are no ONNX models, so that the error says what they are and what to do.

TensorRT's parser takes empty files, web pages and text for valid networks without layers, and fails only at the build,
with a message about missing outputs.
"""

from __future__ import annotations

import mmap
import re

from trtlab._format import shorten_middle

_HEAD_BYTES = 512
_WEB_PAGE = (b"<!doctype html", b"<html", b"<?xml", b"<head", b"<!--")
# First bytes (at an offset), what such a file is, and the way out.
_SIGNATURES: tuple[tuple[int, tuple[bytes, ...], str], ...] = (
    (
        0,
        (b"version https://git-lfs",),
        "is a Git LFS pointer, not the model itself. Fetch the content with: git lfs pull",
    ),
    (
        0,
        (b"PK\x03\x04", b"PK\x05\x06"),
        "is a ZIP archive (a PyTorch checkpoint, an .npz file). Export the model with torch.onnx.export, or unpack it.",
    ),
    (
        0,
        (b"ftrt", b"vtrt", b"ptrt"),
        "is a TensorRT engine that was already built, not an ONNX model. Give the ONNX file it was built from.",
    ),
    (0, (b"\x89HDF\r\n\x1a\n",), "is an HDF5 file (Keras), not an ONNX model. Convert it with tf2onnx."),
    (4, (b"TFL3",), "is a TensorFlow Lite model, not an ONNX model. Convert it with tf2onnx --tflite."),
    (4, (b"ORTM",), "is a model in ONNX Runtime's own format (.ort). Give the ONNX file it was made from."),
    (0, (b"GGUF",), "is a GGUF file (llama.cpp), not an ONNX model. Export the original model to ONNX."),
    (
        8,
        (b'{"',),
        "is a safetensors file: weights without a graph. Export the model they belong to with torch.onnx.export.",
    ),
    (0, (b"\x93NUMPY",), "is a NumPy array, not a model."),
    (0, (b"\x1f\x8b",), "is gzip-compressed. Unpack it first: gunzip -k"),
    (
        0,
        (b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00", b"BZh", b"7z\xbc\xaf\x27\x1c"),
        "is a compressed file. Unpack it first.",
    ),
    (257, (b"ustar",), "is a tar archive. Unpack it, and give the .onnx file inside."),
    (
        0,
        (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        "is a Python pickle (an old PyTorch checkpoint), not an ONNX model. Export it with torch.onnx.export.",
    ),
)


def describe_foreign_content(content: bytes | mmap.mmap) -> str:
    """Return what a file is that is certainly no ONNX model, with the way out; empty if it may be one."""
    if not content:
        return "is empty (0 bytes). The export or the download did not finish; run it again."
    if not content[:_HEAD_BYTES].strip(b"\0"):
        return "begins with nothing but zeros. The download or the copy did not finish; run it again."
    head = content[:_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.lower().startswith(_WEB_PAGE):
        return (
            "is a web page, not a model. The download link led to a page (often a log-in or an error page); "
            "use the link of the raw file."
        )
    for offset, beginnings, what in _SIGNATURES:
        if (head if offset == 0 else content)[offset : offset + 32].startswith(beginnings):
            return what
    return ""


def describe_text(content: bytes | mmap.mmap) -> str:
    """Return what a text file is; empty if the content is no text. Only for files in which no graph was found."""
    text = _as_text(content[:_HEAD_BYTES])
    if text is None:
        return ""
    first = shorten_middle(text.strip().split("\n", maxsplit=1)[0].strip(), 80)
    if re.search(
        r'"(?:irVersion|opsetImport|ir_version)"|^\s*(?:ir_version|opset_import)\s*[:{]|<\s*ir_version',
        text,
        re.MULTILINE,
    ):
        return (
            "is an ONNX model in a text form; TensorRT reads the binary form only. Convert it: "
            "onnx.save(onnx.load(path, format='json' or 'textproto' or 'onnxtxt'), 'model.onnx')"
        )
    return (
        f"is a text file, not a model; it begins with {first!r}. If it was downloaded, the link led to a message instead of "
        "the file."
    )


def _as_text(head: bytes) -> str | None:
    """Return the text that `head` is, None if it is binary."""
    encoding = "utf-8"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding, head = "utf-16", head[: len(head) // 2 * 2]
    elif len(head) > 1 and 0 in (head[0], head[1]) and head[0] != head[1]:
        encoding, head = "utf-16-be" if head[0] == 0 else "utf-16-le", head[: len(head) // 2 * 2]
    try:
        text = head.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # the cut at the end may go through a character
            return None
        text = head[: error.start].decode(encoding)
    text = text.lstrip("\ufeff")
    return text if all(letter.isprintable() or letter in "\t\r\n\f" for letter in text) else None
