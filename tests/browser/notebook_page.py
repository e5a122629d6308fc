"""What the browser tests do with a notebook in JupyterLab: write it, open it, run it, change the theme."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.jupyterlab_server import JupyterLabServer

# These ask JupyterLab for its own state: no guess about the page, and no waiting for a fixed time.
NOTEBOOK_IS_READY: Final = """() => {
    const panel = window.jupyterapp?.shell?.currentWidget;
    return panel?.sessionContext?.session?.kernel?.status === 'idle' && panel.content?.widgets?.length > 0
        && document.getElementById('jupyterlab-splash') === null;
}"""
RUN_ALL_CELLS: Final = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
KERNEL_IS_IDLE: Final = """
    () => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'
"""
CELL_ERRORS: Final = """() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap(
    cell => cell.model.sharedModel.getOutputs?.() ?? []
).filter(output => output.output_type === 'error').map(output => output.traceback.join('\\n'))"""
CHANGE_THEME: Final = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
# JupyterLab covers the page with its logo while it loads a theme, and fades that out.
THEME_IS_SHOWN: Final = """theme => document.body.dataset.jpThemeName === theme
    && document.getElementById('jupyterlab-splash') === null"""

Theme: TypeAlias = Literal["Light", "Dark"]
NotebookSource: TypeAlias = Path | str | Sequence[str | dict[str, Any]]


def read_or_make_notebook(source: NotebookSource) -> dict[str, Any]:
    """Return the notebook in a file, or one of the given cells: strings are code, others whole cells."""
    if isinstance(source, Path):
        notebook: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    else:
        cells = [source] if isinstance(source, str) else source
        notebook = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {},
            "cells": [_code_cell(cell) if isinstance(cell, str) else cell for cell in cells],
        }
    # Without it JupyterLab asks which kernel to use, and waits for ever.
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook["metadata"].setdefault("kernelspec", kernel)
    return notebook


def place_notebook(notebook: dict[str, Any], server: JupyterLabServer, stem: str) -> str:
    """Write a notebook where the server finds it, and return its path below the server's root."""
    name = f"notebooks/{stem}-{secrets.token_hex(3)}.ipynb"
    (server.root / name).write_text(json.dumps(notebook), encoding="utf-8")
    return name


def run_all_cells(page: Page, *, allow_errors: bool) -> None:
    """Run every cell of the notebook in `page` and return when the kernel has nothing left to do."""
    page.wait_for_function(NOTEBOOK_IS_READY)
    page.evaluate(RUN_ALL_CELLS)
    page.wait_for_function(KERNEL_IS_IDLE)
    errors = page.evaluate(CELL_ERRORS)
    assert allow_errors or not errors, "a cell failed:\n" + "\n".join(errors)


def change_theme(page: Page, theme: Theme) -> None:
    """Switch JupyterLab to its light or dark theme and return when the page shows it."""
    name = f"JupyterLab {theme}"
    page.evaluate(CHANGE_THEME, name)
    page.wait_for_function(THEME_IS_SHOWN, arg=name)


def _code_cell(code: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": secrets.token_hex(4),
        "metadata": {},
        "source": code,
        "execution_count": None,
        "outputs": [],
    }
