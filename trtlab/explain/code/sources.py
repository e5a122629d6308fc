"""Python source as it is checked: a script or the cells of a notebook, its tree, and exact places in its text."""

from __future__ import annotations

import ast
import bisect
import io
import json
import os
import re
import stat
import tokenize
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trtlab._errors import InputError

_LARGEST_BYTES = 4 * 2**20
_LONGEST_PATH = 4096
_TOO_LARGE = f"Up to {_LARGEST_BYTES:,} are read: give the part that uses TensorRT."
_NOT_PYTHON = "Only what Python 3 can read is checked: correct it first, or convert code for Python 2 (2to3)."
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
        starts: Where each line begins.
        lines: The lines with their newlines.
        magics: Whether lines for IPython may stand in it.
    """

    text: str
    cell: int | None
    first_line: int
    starts: tuple[int, ...]
    lines: tuple[str, ...]
    magics: bool = False


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
        return max(bisect.bisect_left(self.pieces, line, key=lambda piece: piece.first_line) - 1, 0)

    def position(self, node: ast.AST) -> tuple[int, int]:
        """Return where a node begins, by which nodes are ordered."""
        return node.lineno, node.col_offset  # type: ignore[attr-defined]

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
        line = max(bisect.bisect_right(starts, offset) - 1, 0)
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
        text = str(source)
        if len(text) > _LARGEST_BYTES:
            raise InputError(f"{name} has {len(text):,} characters. {_TOO_LARGE}")
        return _script(text, name, magics=True)
    content = _read(path)
    if path.suffix.lower() == ".ipynb":
        return _notebook(content, path.name)
    return _script(_decoded(content, path.name), path.name, magics=False)


def is_python(text: str, *, magics: bool) -> bool:
    """Return whether a changed text can be read again; with `magics` without its lines for IPython."""
    try:
        _parsed(_without_magics(text) if magics else text, "")
    except InputError:
        return False
    return True


def _path_of(source: str | os.PathLike[str]) -> Path | None:
    if isinstance(source, os.PathLike):
        return Path(source)
    text = source.strip()
    if "\n" in text or "\r" in text or len(text) > _LONGEST_PATH or not text.lower().endswith((".py", ".ipynb")):
        return None
    path = _without_home(text)
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return path  # no Python, so it was meant as a path
    return path if path.is_file() or "/" in text or " " not in text else None


def _without_home(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~ of a user that is not here
        return Path(text)


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size > _LARGEST_BYTES:
            raise InputError(f"{path.name} has {status.st_size:,} bytes. {_TOO_LARGE}")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is no file. Give a Python script (.py) or a notebook (.ipynb).")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path} cannot be read: {reason}. Give a Python script (.py) or a notebook (.ipynb)."
        ) from error


def _decoded(content: bytes, name: str) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise InputError(f"{name} is not text in the encoding that it states, or in UTF-8: {error}.") from error


def _piece(text: str, cell: int | None, first_line: int, *, magics: bool) -> Piece:
    lines = tuple(_LINE.findall(text))
    starts, offset = [], 0
    for line in lines:
        starts.append(offset)
        offset += len(line)
    return Piece(text, cell, first_line, tuple(starts), lines, magics)


def _script(text: str, name: str, *, magics: bool) -> Source:
    text = text.removeprefix("\ufeff")
    try:
        return _finished(Source(name, _parsed(text, name), (_piece(text, None, 0, magics=False),)))
    except InputError:
        without = _without_magics(text) if magics else text
        if without == text:
            raise
        return _finished(Source(name, _parsed(without, name), (_piece(text, None, 0, magics=True),)))


def _parsed(text: str, name: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the code that is checked, not ours to show
            return ast.parse(text)
    except SyntaxError as error:
        raise InputError(
            f"{name} is not Python 3 at line {error.lineno or '?'} ({error.msg}). {_NOT_PYTHON}"
        ) from error
    except (RecursionError, MemoryError) as error:
        raise InputError(f"{name} is nested too deep to be read. Give the part that uses TensorRT.") from error
    except ValueError as error:
        raise InputError(f"{name} cannot be read as Python: {error}. {_NOT_PYTHON}") from error


def _notebook(content: bytes, name: str) -> Source:
    document, texts = _cells(content, name)
    body: list[ast.stmt] = []
    pieces: list[Piece] = []
    unread: list[tuple[int, str]] = []
    line = 0
    for number, text in texts:
        try:
            tree = _parsed(_without_magics(text), f"{name}, cell {number}")
        except InputError as error:
            unread.append((number, str(error)))
            continue
        piece = _piece(text, number, line, magics=True)
        body += ast.increment_lineno(tree, line).body
        pieces.append(piece)
        line += len(piece.lines) + 1
    none = (_piece("", None, 0, magics=True),)
    return _finished(Source(name, ast.Module(body, []), tuple(pieces) or none, tuple(unread), document))


def _cells(content: bytes, name: str) -> tuple[dict[str, Any], list[tuple[int, str]]]:
    """Return a notebook and the text of its code cells, with their numbers."""
    try:
        document = json.loads(content)
        cells = enumerate(document["cells"], start=1)
        return document, [(number, "".join(cell["source"])) for number, cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}"
        raise InputError(f"{name} is not a notebook of format 4 ({why}). Open and save it in Jupyter first.") from error


def _without_magics(text: str) -> str:
    """Return a cell with `0` instead of each line that IPython runs itself, so that all other places stay."""
    lines = _LINE.findall(text)
    if text.lstrip().startswith("%%") and not text.lstrip().startswith(_PYTHON_CELLS):
        return "".join(_put_aside(line, "") for line in lines)
    begin = 0  # a line before which no string or bracket is open
    is_continued = False
    for index, line in enumerate(lines):
        if is_continued:
            is_continued = line.rstrip().endswith("\\")
            lines[index] = _put_aside(line, "")
        elif _MAGIC.match(line) and not _is_open(lines[begin:index]):
            begin, is_continued = index, line.rstrip().endswith("\\")
            lines[index] = _put_aside(line, "0")
    return "".join(lines)


def _put_aside(line: str, instead: str) -> str:
    indentation, ending = line[: len(line) - len(line.lstrip())], line[len(line.rstrip("\r\n")) :]
    return (indentation + instead + ending) if line.strip() else line


def _is_open(lines: list[str]) -> bool:
    """Return whether after these lines a string of several lines or a bracket is open."""
    try:
        for _ in tokenize.generate_tokens(io.StringIO("".join(lines)).readline):
            pass
    except tokenize.TokenError:
        return True
    except (SyntaxError, ValueError):
        return False
    return False


def _finished(source: Source) -> Source:
    for node in ast.walk(source.tree):
        for child in ast.iter_child_nodes(node):
            source.parents[child] = node
    return source
