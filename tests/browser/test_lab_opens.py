"""JupyterLab opens, a click reaches the kernel, and what the other browser tests rely on holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.conftest import OpenNotebook, Screenshot, SetTheme
    from tests.browser.jupyterlab_server import JupyterLabServer

BUTTON = """
import ipywidgets

button = ipywidgets.Button(description="Press")
label = ipywidgets.Label("not pressed")

def press(_):
    label.value = f"pressed, says kernel {1 + 1}"

button.on_click(press)
ipywidgets.VBox([button, label])
"""


def test_click_reaches_the_kernel(
    open_notebook: OpenNotebook, page_errors: list[str], screenshot: Screenshot, set_theme: SetTheme
) -> None:
    page = open_notebook([BUTTON])
    expect(page.get_by_text("not pressed", exact=True)).to_be_visible()
    page.get_by_role("button", name="Press", exact=True).click()
    expect(page.get_by_text("pressed, says kernel 2", exact=True)).to_be_visible()
    assert page_errors == []

    light = page.evaluate("getComputedStyle(document.body).getPropertyValue('--jp-layout-color0')")
    set_theme(page, "Dark")
    assert page.evaluate("getComputedStyle(document.body).getPropertyValue('--jp-layout-color0')") != light
    assert screenshot(page, "lab-opens-dark").stat().st_size > 0


def test_kernel_stands_beside_the_sample_models(open_notebook: OpenNotebook) -> None:
    page = open_notebook(["from pathlib import Path", "print(Path('../sample_models').is_dir())"])
    expect(page.get_by_text("True", exact=True)).to_be_visible()


def test_kernels_end_with_their_test(jupyterlab: JupyterLabServer, open_notebook: OpenNotebook) -> None:
    assert jupyterlab.ask("kernels") == []
    open_notebook("1 + 1")
    assert len(jupyterlab.ask("kernels")) == 1
