"""Python source as it is checked: a script or the cells of a notebook, its tree, and exact places in its text."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import tokenize
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trtlab._errors import InputError

_LARGEST_BYTES = 20 * 2**20
_LONGEST_PATH = 4096
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
# A line that IPython runs itself, not Python: magics, shell commands, help.
_MAGIC = re.compile(r"^\s*(?:[%!]|\w[\w.]*\?{1,2}\s*$|\?)|^\s*[\w, ]+=\s*[%!]")
# Magics of a whole cell whose body is Python still.
_PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%trt_watch", "%%python", "%%python3")


@dataclass(frozen=True)
class Piece:
    """A script, or one code cell of a notebook.

    Attributes:
        text: Its source, newlines as they are.
        cell: Index of the cell in the notebook, counted from 1 over all cells; None for a script.
        first_line: How many lines stand before it in the joined tree.
    """

    text: str
    cell: int | None
    first_line: int
    starts: tuple[int, ...]
    lines: tuple[str, ...]


@dataclass
class Source:
    """What is checked.

    Attributes:
        name: For messages: the file's name, or what the caller called it.
        tree: All pieces as one module. Line numbers count through the pieces.
        pieces: In order.
        unread: Cells that are not Python, with the reason.
    """

    name: str
    tree: ast.Module
    pieces: tuple[Piece, ...]
    unread: tuple[tuple[int, str], ...] = ()
    notebook: dict[str, Any] | None = None
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def piece_of(self, line: int) -> int:
        """Return the index of the piece that a line of the tree belongs to."""
        return max(index for index, piece in enumerate(self.pieces) if line > piece.first_line)

    def place(self, line: int, byte_column: int) -> tuple[int, int]:
        """Return (piece, offset in its text) of a place as `ast` gives it: its columns count bytes of UTF-8."""
        index = self.piece_of(line)
        piece = self.pieces[index]
        own = line - piece.first_line - 1
        if own >= len(piece.lines):
            return index, len(piece.text)
        column = len(piece.lines[own].encode()[:byte_column].decode(errors="ignore"))
        return index, piece.starts[own] + column

    def span(self, node: ast.AST) -> tuple[int, int, int]:
        """Return (piece, start, end) of a node's text."""
        piece, start = self.place(node.lineno, node.col_offset)  # type: ignore[attr-defined]
        _, end = self.place(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        return piece, start, end

    def text_of(self, node: ast.AST) -> str:
        """Return a node's text."""
        piece, start, end = self.span(node)
        return self.pieces[piece].text[start:end]

    def line_and_column(self, piece: int, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, both counted from 1 in the piece, the column in characters."""
        starts = self.pieces[piece].starts
        line = max(index for index, start in enumerate(starts) if start <= offset) if starts else 0
        return line + 1, offset - (starts[line] if starts else 0) + 1


def read_source(source: str | os.PathLike[str], *, name: str) -> Source:
    """Return Python source to check.

    Args:
        source: Source text, or a path of a `.py` or `.ipynb` file (a string that ends so and has one line, or a `Path`).
        name: What to call source text in messages.

    Raises:
        InputError: The file cannot be read, or is not Python.
    """
    path = _path_of(source)
    if path is None:
        return _script(str(source), name)
    content = _read(path)
    if path.suffix.lower() == ".ipynb":
        return _notebook(content, path.name)
    return _script(_decoded(content, path.name), path.name)


def _path_of(source: str | os.PathLike[str]) -> Path | None:
    if isinstance(source, os.PathLike):
        return Path(source)
    if "\n" in source or "\r" in source or len(source) > _LONGEST_PATH or not source.strip().lower().endswith((".py", ".ipynb")):
        return None
    path = Path(source.strip()).expanduser()
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return path  # no Python, so it was meant as a path
    return path if path.is_file() or "/" in source or " " not in source else None


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InputError(f"{path.name} has {path.stat().st_size:,} bytes; scripts of up to {_LARGEST_BYTES:,} are read.")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}.") from error


def _decoded(content: bytes, name: str) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise InputError(f"{name} is not text in the encoding that it states, or in UTF-8: {error}.") from error


def _piece(text: str, cell: int | None, first_line: int) -> Piece:
    lines = tuple(_LINE.findall(text))
    starts, offset = [], 0
    for line in lines:
        starts.append(offset)
        offset += len(line)
    return Piece(text, cell, first_line, tuple(starts), lines)


def _script(text: str, name: str) -> Source:
    tree = _parsed(text.removeprefix("\ufeff"), name)
    return _finished(Source(name, tree, (_piece(text.removeprefix("\ufeff"), None, 0),)))


def _parsed(text: str, name: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the code that is checked, not ours to show
            return ast.parse(text)
    except SyntaxError as error:
        raise InputError(f"{name}, line {error.lineno or '?'}: not Python 3 ({error.msg}).") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{name} cannot be read as Python: {error or 'it is nested too deep'}.") from error


def _notebook(content: bytes, name: str) -> Source:
    try:
        document = json.loads(content)
        cells = document["cells"]
        texts = [("".join(cell["source"]) if cell["cell_type"] == "code" else None) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{name} is not a notebook of format 4: {type(error).__name__}: {error}.") from error
    body: list[ast.stmt] = []
    pieces: list[Piece] = []
    unread: list[tuple[int, str]] = []
    line = 0
    for number, text in enumerate(texts, start=1):
        if text is None:
            continue
        try:
            tree = _parsed(_without_magics(text), f"{name}, cell {number}")
        except InputError as error:
            unread.append((number, str(error)))
            continue
        piece = _piece(text, number, line)
        body += ast.increment_lineno(tree, line).body
        pieces.append(piece)
        line += len(piece.lines) + 1
    return _finished(Source(name, ast.Module(body, []), tuple(pieces) or (_piece("", None, 0),), tuple(unread), document))


def _without_magics(text: str) -> str:
    """Return a cell with what IPython runs itself put aside: as comments or `pass` of the same length, so that places stay."""
    if text.lstrip().startswith("%%") and not text.lstrip().startswith(_PYTHON_CELLS):
        return "".join(re.sub(r"[^\r\n]", " ", line) for line in _LINE.findall(text))
    lines = _LINE.findall(text)
    for index, line in enumerate(lines):
        if _MAGIC.match(line) and not _inside_string(lines[:index]):
            indentation = line[: len(line) - len(line.lstrip())]
            rest = line[len(indentation) :]
            ending = rest[len(rest.rstrip("\r\n")) :]
            lines[index] = indentation + "0" + ending
    return "".join(lines)


def _inside_string(lines: list[str]) -> bool:
    """Return whether a line after these stands inside a string of several lines or an open bracket."""
    try:
        for _ in tokenize.generate_tokens(io.StringIO("".join(lines)).readline):
            pass
    except tokenize.TokenError:
        return True
    except (SyntaxError, IndentationError):
        return False
    return False


def _finished(source: Source) -> Source:
    for node in ast.walk(source.tree):
        for child in ast.iter_child_nodes(node):
            source.parents[child] = node
    return source
