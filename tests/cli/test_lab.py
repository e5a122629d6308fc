"""`trtlab lab`: the command it becomes, and JupyterLab really starting and ending."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.browser.jupyterlab_server import JupyterLabServer, end_process_tree, free_port
from trtlab._errors import InputError, MissingError
from trtlab.cli import _course, lab

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's folder with a first notebook of their own, which must survive."""
    notebooks = tmp_path / "my lab" / "notebooks"
    notebooks.mkdir(parents=True)
    (notebooks / "00_start_here.ipynb").write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    return notebooks.parent


@pytest.fixture
def interrupts_arrive() -> Iterator[None]:
    # A test run that was started in the background ignores SIGINT, and so would the processes it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def private_environment(folder: Path, token: str) -> dict[str, str]:
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR")
    return {**os.environ, "JUPYTER_TOKEN": token, **{name: str(folder / name) for name in names}}


@pytest.mark.usefixtures("interrupts_arrive")
def test_starts_answers_and_ends_with_its_kernels(folder: Path, tmp_path: Path) -> None:
    port = free_port()
    server = JupyterLabServer(url=f"http://127.0.0.1:{port}", token="secret", root=folder, log=tmp_path / "log")  # noqa: S106
    with server.log.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "trtlab", "lab", folder, "--no-browser", f"--port={port}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=private_environment(tmp_path, server.token),
        )
    try:
        server.wait_until_it_answers(process)
        listed = [entry["name"] for entry in server.ask("contents/")["content"]]
        assert {"notebooks", "sample_models"} <= set(listed)
        assert quiet_settings(server) == ("false", False)
        server.ask("kernels", method="POST")
        family = psutil.Process(process.pid).children(recursive=True)
        assert family, "the kernel should be a child of the server"

        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0, server.log.read_text()
        assert psutil.wait_procs(family, timeout=10)[1] == []
    finally:
        end_process_tree(process)
    assert json.loads((folder / lab.FIRST_NOTEBOOK).read_text(encoding="utf-8")) == NOTEBOOK


def quiet_settings(server: JupyterLabServer) -> tuple[Any, Any]:
    setting = server.ask("settings/@jupyterlab/apputils-extension:notification", base="lab/api")
    properties = setting["schema"]["properties"]
    return properties["fetchNews"]["default"], properties["checkForUpdates"]["default"]


def test_command_listens_on_this_machine_only(tmp_path: Path) -> None:
    command = lab.jupyterlab_command(tmp_path, port=9000, open_browser=False)
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert "--ServerApp.ip=127.0.0.1" in command
    assert f"--ServerApp.root_dir={tmp_path}" in command
    assert "--ServerApp.open_browser=False" in command
    # A port that was asked for is that one or none.
    assert {"--ServerApp.port=9000", "--ServerApp.port_retries=0"} <= set(command)


def test_port_and_browser_are_jupyters_choice_unless_given(tmp_path: Path) -> None:
    command = lab.jupyterlab_command(tmp_path, port=None, open_browser=True)
    assert not any(word.startswith(("--ServerApp.port", "--ServerApp.open_browser")) for word in command)


def test_root_is_allowed_only_where_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for user, expected in ((0, True), (1000, False)):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        command = lab.jupyterlab_command(tmp_path, port=None, open_browser=True)
        assert ("--ServerApp.allow_root=True" in command) is expected


def test_users_settings_come_before_ours() -> None:
    ours = str(Path(lab.__file__).parent / "jupyter_config")
    assert lab.jupyterlab_environment({"A": "1"}) == {"A": "1", "JUPYTER_CONFIG_PATH": ours}
    theirs = lab.jupyterlab_environment({"JUPYTER_CONFIG_PATH": "/theirs"})
    assert theirs["JUPYTER_CONFIG_PATH"] == f"/theirs{os.pathsep}{ours}"


def run_lab(folder: Path | None) -> int:
    return lab.run(argparse.Namespace(folder=folder, port=None, no_browser=True))


def test_without_jupyterlab_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingError, match="pip install jupyterlab"):
        run_lab(tmp_path)


def test_folder_that_cannot_be_written_is_wrong_input(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot copy the notebooks"):
        run_lab(tmp_path / "file")


def test_installed_package_copies_to_the_default_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "share/notebooks").mkdir(parents=True)
    (tmp_path / "share" / lab.FIRST_NOTEBOOK).write_text("{}", encoding="utf-8")
    course = _course.Course(folder=tmp_path / "share", editable=False)
    monkeypatch.setattr(lab, "find_course", lambda _package: course)
    monkeypatch.chdir(tmp_path)
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execve", lambda _program, command, _environment: started.append(command))
    run_lab(None)
    assert f"--ServerApp.root_dir={tmp_path / 'trtlab-lab'}" in started[0]
    assert (tmp_path / "trtlab-lab" / lab.FIRST_NOTEBOOK).is_file()
    assert "Copied 1 new" in capsys.readouterr().err


def test_course_without_a_first_notebook_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "find_course", lambda _package: _course.Course(folder=tmp_path, editable=True))
    with pytest.raises(MissingError, match="00_start_here"):
        run_lab(None)
