"""Netron, the model viewer, inside JupyterLab: no second port, no telemetry, no request to any other host.

Two sides. In Jupyter's server this package is an extension that shows the installed Netron to the logged-in user
(`handlers`, `page`). In a kernel, `address` says where that is for a model file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtlab.netron.addresses import NetronAddress, address
from trtlab.netron.plain import open_plain

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__all__ = ["NetronAddress", "address", "open_plain"]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Tell Jupyter Server where the extension is; it is enabled by etc/jupyter/jupyter_server_config.d/trtlab.json."""
    return [{"module": "trtlab.netron"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    """Add the viewer to a Jupyter server that starts."""
    from trtlab.netron.handlers import add_handlers

    add_handlers(server)
