"""`trtlab lab`: JupyterLab with trtlab's notebooks in it, opened on the first one."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trtlab
from trtlab._errors import InputError, MissingError
from trtlab.cli._course import Course, copy_course, find_course

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_NOTEBOOK: Final = "notebooks/00_start_here.ipynb"
DEFAULT_FOLDER: Final = Path("trtlab-lab")
HIGHEST_PORT: Final = 65535


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `trtlab lab`."""
    summary = "open the notebooks in JupyterLab"
    parser = subparsers.add_parser(
        "lab",
        help=summary,
        description=f"Open the notebooks in JupyterLab (on this machine only). In a source checkout the checkout's own "
        f"are opened; an installed trtlab copies them to a folder first, ./{DEFAULT_FOLDER} unless another is named. "
        "Files that you changed there are never overwritten.",
    )
    parser.add_argument("folder", nargs="?", type=Path, help="copy the notebooks and sample models here, and open them")
    parser.add_argument("--port", type=_port, help="the port to listen on (default: 8888, or the next free one)")
    parser.add_argument("--no-browser", action="store_true", help="print the address and open no browser window")


def run(arguments: argparse.Namespace) -> int:
    """Turn this process into JupyterLab. Returns only by raising."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise MissingError("JupyterLab is not installed here. Install it: python -m pip install jupyterlab")
    course = find_course(Path(trtlab.__file__).parent)
    folder = _prepare(course, arguments.folder)
    if not (folder / FIRST_NOTEBOOK).is_file():
        raise MissingError(f"{folder / FIRST_NOTEBOOK} is not there. Name another folder: trtlab lab FOLDER")
    command = jupyterlab_command(folder, port=arguments.port, open_browser=not arguments.no_browser)
    _say(f"Starting JupyterLab in {folder}. Control-C stops it.")
    # In place of this process, not below it: signals reach JupyterLab itself, and it ends its kernels.
    os.execve(command[0], command, jupyterlab_environment(os.environ))  # noqa: S606 - no shell is wanted


def jupyterlab_command(folder: Path, *, port: int | None, open_browser: bool) -> list[str]:
    """Return the command that starts JupyterLab on the first notebook in `folder`."""
    command = [
        sys.executable,
        *("-m", "jupyterlab"),
        # The notebooks' parent, so that the file browser, too, shows ../sample_models.
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.ip=127.0.0.1",
        # A workspace of its own: the tabs that the user has open elsewhere neither come here nor get lost.
        f"--LabApp.default_url=/lab/workspaces/trtlab/tree/{FIRST_NOTEBOOK}",
        "--Application.log_level=WARN",
    ]
    if port is not None:
        # A port that was asked for is a promise: better no server than one where nobody looks.
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if not open_browser:
        command.append("--ServerApp.open_browser=False")
    if os.geteuid() == 0:
        # As in a container. JupyterLab refuses root since its server could be reached from outside; this one can't.
        command.append("--ServerApp.allow_root=True")
    return command


def jupyterlab_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` with our default settings for JupyterLab added; the user's own settings come before them.

    They keep the question about Jupyter news from covering the first notebook of a workshop.
    """
    ours = str(Path(__file__).parent / "jupyter_config")
    others = environment.get("JUPYTER_CONFIG_PATH")
    return {**environment, "JUPYTER_CONFIG_PATH": os.pathsep.join([others, ours]) if others else ours}


def _prepare(course: Course, wanted: Path | None) -> Path:
    if course.editable and wanted is None:
        return course.folder
    folder = (wanted or DEFAULT_FOLDER).absolute()
    try:
        copied = copy_course(course.folder, folder)
    except OSError as error:
        raise InputError(f"cannot copy the notebooks to {folder}: {error}") from error
    if copied.added or copied.updated:
        _say(f"Copied {len(copied.added)} new and {len(copied.updated)} updated files to {folder}.")
    if copied.kept:
        _say("Kept, since you changed them (delete one to get trtlab's newer version): " + ", ".join(copied.kept))
    return folder


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if not 1 <= number <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 1 to {HIGHEST_PORT}")
    return number


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
