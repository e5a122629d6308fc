"""Netron as it comes, in a server of its own, for where JupyterLab cannot show it."""

from __future__ import annotations

import importlib.util
import logging
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trtlab._errors import InputError, MissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST: Final = "127.0.0.1"
_served: dict[str, tuple[str, int]] = {}


def open_plain(model: str | os.PathLike[str], *, browse: bool = True) -> str:
    """Open a model file in plain Netron, served by a thread of this process, and return its address.

    It is Netron unchanged: its page asks for cookies, and asks other hosts where you are and reports how it is used.
    The port is reachable from this machine only, without a password. One model at a time: the one before is no longer
    served.

    Args:
        model: The file.
        browse: Open a browser window. Default: yes; on a remote machine the address is all that is of use.

    Raises:
        MissingError: Netron is not installed.
        InputError: There is no such file.
    """
    if importlib.util.find_spec("netron") is None:
        raise MissingError("Netron is not installed here. Install it: python -m pip install netron")
    import netron

    path = Path(model)
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    # All of Netron's servers in a process share what they serve: the last model would appear at the first one's address.
    if _served:
        netron.stop(_served.popitem()[1])
    with _root_logger_left_alone():
        host, port = netron.serve(os.fspath(path.absolute()), None, address=(_HOST, 0), browse=browse)
    _served[os.fspath(path)] = (host, port)
    return f"http://{host}:{port}"


@contextmanager
def _root_logger_left_alone() -> Iterator[None]:
    # Where the root logger has no handler, netron.serve has it print every library's messages from then on.
    handler, root = logging.NullHandler(), logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
