"""Where Netron shows a model file, as seen from a kernel.

The server extension leaves a note in its environment, which the kernels that it starts inherit. So the kernel asks
nobody and needs no token. A kernel that another server or a script started finds no note meant for it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from trtlab._results import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTE_VARIABLE: Final = "TRTLAB_NETRON_SERVER"
# Jupyter sets it in kernels: the process that started them.
_PARENT_VARIABLE: Final = "JPY_PARENT_PID"
PAGE: Final = "trtlab/netron/index.html"

_NOT_HERE: Final = (
    "The Jupyter server that runs this kernel does not have trtlab's viewer: install trtlab in the environment that "
    "JupyterLab starts from, and restart JupyterLab."
)
_NO_KERNEL: Final = "This Python was not started by a Jupyter server."


@dataclass(frozen=True, repr=False)
class NetronAddress(Result):
    """Where Netron shows a model.

    Attributes:
        address: Relative to the base URL of the Jupyter server, without a leading slash; "" where there is none.
        reason: Why there is none; "" otherwise.
    """

    address: str
    reason: str = ""

    def __repr__(self) -> str:
        if not self.address:
            return f"No address in Netron: {self.reason}"
        return f"{self.address} (below the base URL of JupyterLab)"


@dataclass(frozen=True)
class ServerNote:
    """What the server extension tells the kernels of its server.

    Attributes:
        pid: The server's process, which is the parent of its kernels.
        root: The folder that the server shows; "" where it does not keep its files in one.
        shows_hidden: It serves files and folders whose names start with a dot.
        problem: Why the installed Netron cannot be shown; "" where it can.
    """

    pid: int
    root: str
    shows_hidden: bool = False
    problem: str = ""

    def write(self) -> str:
        """Return the text that `read_note` reads."""
        return json.dumps(asdict(self))


def read_note(environment: Mapping[str, str]) -> ServerNote | None:
    """Return the note of the server that started the process with this environment; None where it left none."""
    try:
        note = ServerNote(**json.loads(environment.get(NOTE_VARIABLE, "")))
    except (ValueError, TypeError):  # not there, or written by another version
        return None
    return note if environment.get(_PARENT_VARIABLE) == str(note.pid) else None


def address(path: str | os.PathLike[str] | bytes, *, node: str = "") -> NetronAddress:
    """Return where Netron shows a model file in the JupyterLab that runs this kernel.

    Args:
        path: The model's file. It must be below the folder that JupyterLab shows; nothing else is served. A model given
            as bytes has no address.
        node: The name of a node of the main graph to select. Default: none is selected.

    Returns:
        The address relative to the server's base URL, or the reason why there is none. It never raises.
    """
    if os.environ.get(_PARENT_VARIABLE) is None:
        return NetronAddress("", _NO_KERNEL)
    note = read_note(os.environ)
    if note is None:
        return NetronAddress("", _NOT_HERE)
    reason = note.problem or _why_not_a_file(path)
    if reason:
        return NetronAddress("", reason)
    assert not isinstance(path, bytes)  # noqa: S101 - for the type checker: it has just been looked at
    try:
        return _below_root(Path(path), note, node)
    except (OSError, ValueError) as error:  # a folder that is gone, a name that is not UTF-8
        return NetronAddress("", f"The path of the model cannot be used: {error}.")


def _why_not_a_file(model: object) -> str:
    if not isinstance(model, str | os.PathLike):
        return (
            f"The model was given as {type(model).__name__}, and Netron opens files: save it below JupyterLab's folder."
        )
    try:
        if Path(model).is_file():
            return ""
    except (OSError, ValueError):  # a name that no file can have
        pass
    return f"There is no file {os.fspath(model)}."


def _below_root(path: Path, note: ServerNote, node: str) -> NetronAddress:
    if not note.root:
        return NetronAddress("", "This Jupyter server does not keep its files in a folder of this machine.")
    relative = _relative(path, Path(note.root))
    if relative is None:
        return NetronAddress(
            "", f"{path} is not below {note.root}, the folder that JupyterLab shows: copy it there to open it."
        )
    if not note.shows_hidden and any(part.startswith(".") for part in relative.parts):
        return NetronAddress("", f"JupyterLab serves no hidden files, and {relative} is one.")
    fragment = f"#node={quote(node, safe='', errors='replace')}" if node else ""
    return NetronAddress(f"{PAGE}?path={quote(relative.as_posix())}{fragment}")


def _relative(path: Path, root: Path) -> Path | None:
    # As named first: JupyterLab follows links that lie below its folder. Then as it is: the folder may be a link itself.
    named = Path(os.path.abspath(path)), Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would follow the links
    for child, parent in (named, (path.resolve(), root.resolve())):
        if child.is_relative_to(parent):
            return child.relative_to(parent)
    return None
