"""External data of a model: which files hold it, and whether they may be read. Runs in the worker.

ONNX lets a tensor name any file on the machine. Only files inside the model's own folder are read: no absolute path, no
`..`, and no link that leads out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from trtlab._errors import InputError
from trtlab._format import format_bytes, plural, shorten_middle
from trtlab.model.description import ExternalFile
from trtlab.model.tensor_rules import tensor_bits, tensor_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from onnx import TensorProto

    from trtlab.model.walk import Scope


@dataclass(frozen=True)
class ExternalData:
    """Where the external tensors of a model lie.

    Attributes:
        files: One entry a file, in the order of first use.
        tensor_bytes: Size of all external tensors together.
    """

    files: tuple[ExternalFile, ...] = ()
    tensor_bytes: int = 0


@dataclass(frozen=True)
class _Slice:
    tensor: str
    location: str
    offset: int
    length: int | None
    needed_bytes: int


def locate_external_data(all_scopes: Iterable[Scope], folder: Path) -> ExternalData:
    """Return the external files of the model with these scopes, having checked that each may be read, is there, and is long enough.

    Raises:
        InputError: Names every tensor whose data cannot be read, with the reason.
    """
    slices: dict[str, list[_Slice]] = {}
    for tensor in _external_tensors(all_scopes):
        part = _read_slice(tensor)
        slices.setdefault(part.location, []).append(part)
    problems: list[str] = []
    sizes: dict[str, int] = {}
    for location, users in slices.items():
        problem = location_problem(location, folder)
        if problem is None:
            sizes[location] = (folder / location).stat().st_size
            problem = _too_short(users, sizes[location])
        if problem:
            shown = ", ".join(f"'{shorten_middle(part.tensor)}'" for part in users[:3])
            problems.append(
                f"{shorten_middle(location, 120)!r} (for {plural(len(users), 'tensor')}: {shown}): {problem}"
            )
    if problems:
        raise InputError(
            "The weights outside the model file cannot be read.\n" + "\n".join(f"- {line}" for line in problems)
        )
    files = tuple(ExternalFile(location, size, len(slices[location])) for location, size in sizes.items())
    parts = [part for users in slices.values() for part in users]
    return ExternalData(files, sum(part.needed_bytes for part in parts))


def location_problem(location: str, folder: Path) -> str | None:
    """Return why the file `location` of an external tensor must not or cannot be read, or None if it can."""
    if not location or "\0" in location:
        return "the model gives no file name."
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    if posix.is_absolute() or windows.is_absolute() or windows.drive:
        return "an absolute path. Weights are read only from the model's own folder; save the model again beside them."
    if ".." in posix.parts or ".." in windows.parts:
        return "the path leads out of the model's folder with '..'. Save the model again with its weights beside it."
    target = folder / location
    try:
        resolved, home = target.resolve(strict=True), folder.resolve(strict=True)
    except FileNotFoundError:
        return f"there is no such file in {folder}. Copy it there; it belongs to the model."
    except OSError as error:
        return f"it cannot be reached: {error.strerror or error}."
    except RuntimeError:
        return "a link that leads to itself."
    except ValueError:
        return "not a file name."
    if not resolved.is_relative_to(home):
        return "a link that leads out of the model's folder. Replace it with the file itself."
    if not resolved.is_file():
        return "not a file."
    return None


def _too_short(parts: list[_Slice], size: int) -> str | None:
    needed = max(part.offset + part.needed_bytes for part in parts)
    if needed <= size:
        return None
    return (
        f"the file has {format_bytes(size)} ({size} bytes), the model needs {needed} bytes. "
        "It was not copied completely, or it belongs to another export."
    )


def _external_tensors(all_scopes: Iterable[Scope]) -> Iterator[TensorProto]:
    for scope in all_scopes:
        yield from (tensor for tensor, _ in scope.tensors if tensor.data_location == tensor.EXTERNAL)


def _read_slice(tensor: TensorProto) -> _Slice:
    entries = {entry.key: entry.value for entry in tensor.external_data}

    def number(key: str) -> int | None:
        text = entries.get(key)
        if not text:
            return None
        try:
            value = int(text)
        except ValueError:
            value = -1
        if value < 0:
            raise InputError(
                f"Tensor '{shorten_middle(tensor.name)}' has external data with {key}={text[:40]!r}; a count of bytes is needed."
            )
        return value

    length = number("length")
    # Without a length the data reach as far as the tensor's shape says.
    needed = tensor_bytes(tensor) if length is None and tensor_bits(tensor.data_type) else length or 0
    return _Slice(tensor.name, entries.get("location", ""), number("offset") or 0, length, needed)
