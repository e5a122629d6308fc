"""The pages of the server extension. Only Jupyter's server imports this module.

All need a login, as files do. The model itself comes from the server's own /files/, so that its rules hold: nothing
outside its folder, no hidden files, and whatever authorizer is set.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import AuthenticatedFileHandler, JupyterHandler
from jupyter_server.services.contents.fileio import FileManagerMixin
from jupyter_server.utils import url_path_join
from tornado import web

from trtlab._errors import MissingError
from trtlab.netron.addresses import NOTE_VARIABLE, PAGE, ServerNote
from trtlab.netron.page import (
    FILE_NAMES,
    POLICY,
    SCRIPT,
    SCRIPT_FOLDER,
    STATIC,
    find_netron,
    make_page,
    message_page,
    problem,
)

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

_NO_NETRON: Final = "Netron cannot be shown inside JupyterLab"
_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503
_MIME_TYPES: Final = {
    ".js": "text/javascript",
    ".json": "application/json",
    ".css": "text/css",
    ".png": "image/png",
    ".ico": "image/x-icon",
}


def add_handlers(server: ServerApp) -> None:
    """Add the viewer to a server, and leave the note by which its kernels find it."""
    reason = problem()
    base = url_path_join(server.base_url, PAGE.rpartition("/")[0])
    handlers: list[tuple[object, ...]] = [
        (url_path_join(base, r"index\.html"), NetronPage, {"problem": reason}),
        (url_path_join(base, SCRIPT_FOLDER, f"({SCRIPT})"), NetronFile, {"path": os.fspath(STATIC)}),
    ]
    if reason:
        server.log.warning("trtlab: %s: %s", _NO_NETRON, reason)
    else:
        handlers.append((url_path_join(base, f"({FILE_NAMES})"), NetronFile, {"path": os.fspath(find_netron())}))
    server.web_app.add_handlers(".*$", handlers)  # type: ignore[no-untyped-call]
    manager = server.contents_manager
    root = os.path.abspath(manager.root_dir) if isinstance(manager, FileManagerMixin) else ""  # noqa: PTH100
    told = f"{_NO_NETRON}: {reason}. Plain Netron: trtlab.netron.open_plain(path)" if reason else ""
    note = ServerNote(pid=os.getpid(), root=root, shows_hidden=bool(manager.allow_hidden), problem=told)
    os.environ[NOTE_VARIABLE] = note.write()


class _Guarded:
    """The policy of all pages here, besides the one of the server, which an administrator may have made stricter."""

    auth_resource = "contents"

    @property
    def content_security_policy(self) -> str:
        # Not that of AuthenticatedFileHandler: in a sandbox Netron's worker could not load what it needs.
        server_policy = JupyterHandler.content_security_policy.fget(self)  # type: ignore[attr-defined]
        return f"{server_policy}, {POLICY}"


class NetronPage(_Guarded, JupyterHandler):
    """Netron with the model `?path=`, which the server names as it does in its file browser."""

    SUPPORTED_METHODS = ("GET",)

    def initialize(self, problem: str) -> None:
        """Take why Netron could not be shown when the server started; its files are not served then."""
        self._problem = problem

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with the page, or with one that says what is in its way."""
        path = self.get_query_argument("path", "", strip=False).strip("/")
        self.set_header("Content-Type", "text/html; charset=utf-8")
        if not await self._is_served(path):
            self.set_status(_NOT_FOUND)
            title = f"JupyterLab serves no file {path}" if path else "No model was named"
            text = "Only files below the folder that JupyterLab shows are opened here, and hidden ones are not."
            self.finish(message_page(title, text, model=Path(path).name))
            return
        page, reason = "", self._problem
        if not reason:
            try:
                page = make_page(find_netron(), path)
            except MissingError as error:  # it was replaced while the server runs
                reason = str(error)
        if reason:
            self.set_status(_UNAVAILABLE)
            text = f"{reason[:1].upper()}{reason[1:]}. With another Netron, JupyterLab has to be started again."
            page = message_page(_NO_NETRON, text, model=path)
        self.finish(page)

    async def _is_served(self, path: str) -> bool:
        manager = self.contents_manager
        try:
            if not path or not await ensure_async(manager.file_exists(path)):  # type: ignore[no-untyped-call]
                return False
            is_hidden = await ensure_async(manager.is_hidden(path))  # type: ignore[no-untyped-call]
            return bool(manager.allow_hidden) or not is_hidden
        except (web.HTTPError, ValueError):  # outside the folder, or a name that no file can have
            return False


class NetronFile(_Guarded, AuthenticatedFileHandler):
    """One of the files that the page consists of; the address admits no others."""

    SUPPORTED_METHODS = ("GET",)

    def get_content_type(self) -> str:
        """Return the type by the name alone: what the machine says of .js differs."""
        return _MIME_TYPES[Path(self.absolute_path or "").suffix]
