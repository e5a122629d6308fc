"""A Jupyter server of the tests' own, below /user/bob/ as JupyterHub has it, with some files that it must not give out."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.browser.jupyterlab_server import JupyterLabServer, end_process_tree, free_port

MODELS = ("digits.onnx", "transformer.onnx")


@pytest.fixture(scope="session")
def bobs_server(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[JupyterLabServer]:
    """A Jupyter server with base_url=/user/bob/, that finds the extension as users' servers do: by its configuration."""
    folder = tmp_path_factory.mktemp("bob")
    root = folder / "root"
    (root / "some models").mkdir(parents=True)
    (root / ".hidden").mkdir()
    for name in MODELS:
        shutil.copy(pytestconfig.rootpath / "sample_models" / name, root / "some models")
    for place in (folder / "outside.onnx", root / ".hidden/a.onnx"):
        shutil.copy(root / "some models/digits.onnx", place)
    port = free_port()
    server = JupyterLabServer(
        url=f"http://127.0.0.1:{port}/user/bob", token=secrets.token_hex(16), root=root, log=folder / "jupyter.log"
    )
    command = [sys.executable, "-m", "jupyter_server", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", "--ServerApp.base_url=/user/bob/", "--ServerApp.open_browser=False"]
    command += [f"--ServerApp.root_dir={root}", "--ServerApp.allow_root=True"]
    private = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "RUNTIME", "DATA")}
    environment = {**os.environ, **private, "JUPYTER_TOKEN": server.token, "IPYTHONDIR": str(folder / "ipython")}
    with server.log.open("w") as log:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            server.wait_until_it_answers(process)
            yield server
        finally:
            end_process_tree(process)
