"""Read a log of any size in blocks of whole lines, from text, bytes, a file or a stream."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trtlab._errors import InputError

_BLOCK_BYTES = 1 << 20
# A line that goes on and on (a dump without line breaks) is cut here: a message of TensorRT is never as long.
_LONGEST_LINE_BYTES = 1 << 20
_SNIFFED_BYTES = 1 << 14
_BINARY_PORTION = 0.02
_UTF16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

LogSource = str | bytes | os.PathLike[str] | IO[bytes] | IO[str]


@dataclass(frozen=True)
class Block:
    """Some whole lines of a log.

    Attributes:
        content: UTF-8, lines end with a line feed.
        first_line: Number of the first line, counted from 1.
        is_last: Whether the log ends here.
    """

    content: bytes
    first_line: int
    is_last: bool


def blocks(source: LogSource) -> Iterator[Block]:
    """Yield a log in blocks of about 1 MiB.

    Args:
        source: The log's text, its bytes, a file's path (an `os.PathLike`), or an open file.

    Raises:
        InputError: The file cannot be read, or is not text.
    """
    if isinstance(source, str):
        yield from _text_blocks(source)
    elif isinstance(source, bytes):
        yield from _stream_blocks(io.BytesIO(source), "This")
    elif isinstance(source, os.PathLike):
        path = Path(source)
        try:
            with path.open("rb") as stream:
                yield from _stream_blocks(stream, path.name)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    else:
        yield from _stream_blocks(_BytesOf(source), "This")


def _text_blocks(text: str) -> Iterator[Block]:
    """Yield a text that is in memory already; encoded piece by piece, so that it is not there twice."""

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(text), _BLOCK_BYTES):
            yield text[start : start + _BLOCK_BYTES].encode("utf-8", "replace")

    yield from _whole_lines(pieces())


def _stream_blocks(stream: IO[bytes] | _BytesOf, name: str) -> Iterator[Block]:
    head = stream.read(_SNIFFED_BYTES)
    encoding = next((name for mark, name in _UTF16_MARKS.items() if head.startswith(mark)), None)
    if encoding is None and _is_binary(head):
        raise InputError(f"{name} is not a log: it is binary. Give the text that the program wrote.")

    def pieces() -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        data = head.removeprefix(codecs.BOM_UTF8) if encoding is None else head[2:]
        while data:
            yield data if decoder is None else decoder.decode(data).encode()  # the mark itself is no part of the text
            data = stream.read(_BLOCK_BYTES)

    yield from _whole_lines(pieces())


def _is_binary(head: bytes) -> bool:
    odd = sum(head.count(code) for code in range(32) if code not in (7, 8, 9, 10, 12, 13, 27))
    return odd > _BINARY_PORTION * len(head)


def _whole_lines(pieces: Iterator[bytes]) -> Iterator[Block]:
    rest, line = b"", 1
    for piece in pieces:
        data = rest + piece
        end = data.rfind(b"\n") + 1
        if end == 0 and len(data) > _LONGEST_LINE_BYTES:
            end = len(data)
        content, rest = data[:end], data[end:]
        if b"\r" in content:
            content = _with_line_feeds(content)
        if content:
            yield Block(content, line, is_last=False)
            line += content.count(b"\n")
    yield Block(_with_line_feeds(rest), line, is_last=True)


def _with_line_feeds(content: bytes) -> bytes:
    """Drop carriage returns: of Windows at the ends of lines, and what a progress bar wrote over before the last one."""
    content = content.replace(b"\r\n", b"\n")
    if b"\r" not in content:
        return content
    return b"\n".join(line.rstrip(b"\r").rpartition(b"\r")[2] for line in content.split(b"\n"))


class _BytesOf:
    """Reads bytes from a stream of text or bytes."""

    def __init__(self, stream: IO[bytes] | IO[str]) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        """Return up to about `size` bytes."""
        data = self._stream.read(size)
        return data.encode("utf-8", "replace") if isinstance(data, str) else data
