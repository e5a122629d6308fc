"""A JupyterLab server of the tests' own: private folders, a random token, and no process left behind."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import psutil

from trtlab.cli.lab import jupyterlab_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_TIMEOUT_SECONDS: Final = 120
STOP_TIMEOUT_SECONDS: Final = 20
POLL_SECONDS: Final = 0.1

SETTINGS: Final[dict[str, dict[str, object]]] = {
    # Otherwise outputs outside the window are not in the page.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@dataclass(frozen=True)
class JupyterLabServer:
    """A running JupyterLab. `root` is the folder that it shows, with `notebooks` and `sample_models` in it."""

    url: str
    token: str
    root: Path
    log: Path

    def lab_address(self, notebook: str) -> str:
        """Return the address that opens `notebook`, a path below `root`, in a workspace nothing was in before."""
        return f"{self.url}/lab/workspaces/{secrets.token_hex(4)}/tree/{notebook}?reset&token={self.token}"

    def ask(self, path: str, *, method: str = "GET", base: str = "api") -> Any:
        """Send a request to the server's REST interface and return the JSON that it answers."""
        request = urllib.request.Request(  # noqa: S310 - always our own server
            f"{self.url}/{base}/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            content = response.read()
        return json.loads(content) if content else None

    def wait_until_it_answers(self, process: subprocess.Popen[Any]) -> None:
        """Return as soon as the server that `process` is answers requests.

        Raises:
            RuntimeError: It ended or took too long; the message is its log.
        """
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()}")
            time.sleep(POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            self.ask("status")
        except OSError:
            return False
        return True

    def end_kernels(self) -> None:
        """End all kernels, as a test leaves them running behind a closed page."""
        for session in self.ask("sessions"):
            self.ask(f"sessions/{session['id']}", method="DELETE")


@contextmanager
def running_jupyterlab(folder: Path, sample_models: Path, *, base_url: str = "") -> Iterator[JupyterLabServer]:
    """Start JupyterLab with all its files below `folder` and a copy of `sample_models`, and end it afterwards.

    `base_url` is what JupyterHub would put before all its addresses ("/user/name").
    """
    root = folder / "root"
    (root / "notebooks").mkdir(parents=True)
    # A copy, since notebooks write engines and caches beside the models.
    shutil.copytree(sample_models, root / "sample_models", ignore=shutil.ignore_patterns("__pycache__"))
    server = JupyterLabServer(
        url=f"http://127.0.0.1:{free_port()}{base_url}",
        token=secrets.token_hex(16),
        root=root,
        log=folder / "jupyterlab.log",
    )
    with server.log.open("w") as log:
        process = subprocess.Popen(
            _command(server), env=_environment(server, folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            server.wait_until_it_answers(process)
            yield server
        finally:
            end_process_tree(process)


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_process_tree(process: subprocess.Popen[Any]) -> None:
    """Ask a process to end, and kill what it leaves behind: kernels are in sessions of their own."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for survivor in psutil.wait_procs(family, timeout=2)[1]:
        survivor.kill()


def _command(server: JupyterLabServer) -> list[str]:
    address = urlsplit(server.url)
    return [
        sys.executable,
        *("-m", "jupyterlab"),
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={address.port}",
        f"--ServerApp.base_url={address.path}/",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={server.root}",
        "--ServerApp.open_browser=False",
        "--ServerApp.allow_root=True",
        # Puts the application into the page as window.jupyterapp, so that tests can wait on its own state.
        "--LabApp.expose_app_in_browser=True",
    ]


def _environment(server: JupyterLabServer, folder: Path) -> dict[str, str]:
    for name, setting in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(setting), encoding="utf-8")
    return {
        **jupyterlab_environment(os.environ),
        "JUPYTER_TOKEN": server.token,
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(folder / "configuration"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
