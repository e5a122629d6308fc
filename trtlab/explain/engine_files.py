"""What the head of a file and the serialization numbers of a message say: which kind of file, built by which TensorRT.

NVIDIA documents none of this. Where each number was seen stands beside it, and whoever shows it says how sure it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trtlab._results import Result
from trtlab.explain.catalog import Language

Basis = Literal["measured", "reported"]
HEAD_BYTES = 64
_VERSION_BYTES = slice(24, 28)


@dataclass(frozen=True)
class SerializationTag(Result):
    """Releases that write a serialization tag.

    Attributes:
        releases: In words.
        basis: `measured`: read from an engine of that release; `reported`: tag and release stand together in public reports, so
            that other releases may share it.
    """

    releases: str
    basis: Basis


# TensorRT's tags, from threads that name the tag and the release: NVIDIA/TensorRT#2072 and #4479, Ar-Ray-code/YOLOX-ROS#40,
# NVIDIA/TensorRT#3898. 237 was seen for an early 8.5 and for 10.1, so it is left out, as are those never seen with a release.
_TENSORRT_TAGS = {
    205: SerializationTag("TensorRT 8.2", "reported"),
    213: SerializationTag("TensorRT 8.4.1", "reported"),
    232: SerializationTag("TensorRT 8.5.1", "reported"),
    236: SerializationTag("TensorRT 8.6", "reported"),
    239: SerializationTag("TensorRT 10.8–10.10", "reported"),
    240: SerializationTag("TensorRT 10.11–10.16", "reported"),
    243: SerializationTag("TensorRT 11.2", "reported"),
    244: SerializationTag("TensorRT 11.3", "reported"),
}
# TensorRT-RTX counts on its own. Read on an H100 (benchmarks/recordings) and from an engine that 1.7.1 built.
_RTX_TAGS = {
    98: SerializationTag("TensorRT-RTX 1.6.1", "measured"),
    100: SerializationTag("TensorRT-RTX 1.7.1", "measured"),
}


def release_of_tag(tag: int) -> SerializationTag | None:
    """Return the releases that write a serialization tag; None where that is not known."""
    return _TENSORRT_TAGS.get(tag) or _RTX_TAGS.get(tag)


def tag_in_words(tag: int, *, language: Language) -> str:
    """Return how sure it is which release a tag stands for; empty for an unknown tag."""
    found = release_of_tag(tag)
    if found is None:
        return ""
    if found.basis == "measured":
        sure = {"en": "read from an engine of that release", "zh": "从该版本构建的引擎中读出"}
    else:
        sure = {
            "en": "from public reports, not from NVIDIA; other releases may share it",
            "zh": "来自公开的问题报告，并非 NVIDIA 的说明；其他版本也可能使用同一标签",
        }
    gap = {
        "en": f"Tag {tag}: {found.releases} ({sure['en']}).",
        "zh": f"标签 {tag}：{found.releases}（{sure['zh']}）。",
    }
    return gap[language]


@dataclass(frozen=True)
class FileKind(Result):
    """What a file is by its first bytes.

    Attributes:
        name: In words that hold in every language: `ONNX`, `HTML`, `ZIP (PyTorch)`.
        is_engine: Whether it is an engine of TensorRT or TensorRT-RTX.
        flavour: `tensorrt` or `tensorrt_rtx` of an engine, else empty.
        version: The version that built an engine, empty where the file does not say it.
    """

    name: str
    is_engine: bool = False
    flavour: str = ""
    version: str = ""


# ftrt and vtrt were seen at the start of engines, ptrt at the start of the archive that is inside them.
_ENGINES = {
    b"ftrt": ("TensorRT engine", "tensorrt"),
    b"vtrt": ("TensorRT-RTX engine", "tensorrt_rtx"),
    b"ptrt": ("TensorRT engine", ""),
}
_HEADS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "ZIP (PyTorch)"), (b"<htm", "HTML"), (b"<HTM", "HTML"), (b"<!do", "HTML"), (b"<!DO", "HTML"), (b"<?xm", "XML"),
    (b"vers", "Git LFS pointer"), (b"\x1f\x8b", "gzip"), (b"\x80\x02", "pickle (PyTorch)"), (b"\x80\x04", "pickle (PyTorch)"),
    (b"\x7fELF", "ELF library"), (b"{", "JSON"), (b"\x89HDF", "HDF5 (Keras)"),
)  # fmt: skip
# An ONNX file begins with its IR version (field 1) or, seldom, with another small field of the model.
_ONNX_HEADS = (b"\x08", b"\x12", b"\x1a", b"\x3a", b"\x42")
# Ultralytics writes the length of its metadata, four bytes, and then JSON.
_LONGEST_METADATA = 1 << 16


def kind_of_head(head: bytes) -> FileKind | None:
    """Return what a file is whose first bytes (4 at least, 64 say more) are `head`; None where they say nothing."""
    if head[:4] in _ENGINES:
        name, flavour = _ENGINES[head[:4]]
        numbers = head[_VERSION_BYTES]
        version = ".".join(map(str, numbers)) if len(numbers) == 4 and head[:4] != b"ptrt" else ""  # noqa: PLR2004 - four numbers
        return FileKind(name, is_engine=True, flavour=flavour, version=version)
    if 0 < int.from_bytes(head[:4], "little") < _LONGEST_METADATA and (head[4:5] in (b"{", b"")):
        return FileKind("Ultralytics engine (metadata before the engine)")
    for start, name in _HEADS:
        if head.startswith(start):
            return FileKind(name)
    return FileKind("ONNX") if head.startswith(_ONNX_HEADS) else None


def kind_of_file(path: Path) -> FileKind | None:
    """Return what a file is; None where its first bytes say nothing or it cannot be read."""
    try:
        with path.open("rb") as stream:
            return kind_of_head(stream.read(HEAD_BYTES))
    except OSError:
        return None


def kind_of_number(number: int) -> FileKind | None:
    """Return what a file is whose first four bytes TensorRT printed as a number ("incompatible serialization version (A != B)")."""
    if not 0 < number < 1 << 32:
        return None
    return kind_of_head(number.to_bytes(4, "little"))
