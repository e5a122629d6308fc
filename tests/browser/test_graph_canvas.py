"""The graph in a real JupyterLab: used by mouse and keyboard, linked with the kernel, and seen without a kernel."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.notebook_page import NOTEBOOK_IS_READY

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import OpenNotebook, Screenshot, SetTheme
    from tests.browser.jupyterlab_server import JupyterLabServer

VIEW = """
import sys
sys.path.insert(0, {root!r})
from tests.widgets import graph_samples
from trtlab.widgets.graph_view import GraphView
graph = graph_samples.{sample}
view = GraphView(graph, status=graph_samples.status_of(graph, parser=[5], builder=[9], unknown=[12]))
view
"""
SAVE = "() => window.jupyterapp.commands.execute('docmanager:save')"
ASK = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code: "", user_expressions: { value: code }, store_history: false });
  return (await future.done).content.user_expressions.value.data["text/plain"];
}"""
CELLS = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"


@pytest.fixture
def cell(pytestconfig: pytest.Config) -> Any:
    """Return a function that gives the code which shows one of the samples."""
    return lambda sample: VIEW.format(root=str(pytestconfig.rootpath), sample=sample)


def graph_of(page: Page) -> Locator:
    graph = page.get_by_role("region", name="ONNX graph")
    expect(graph).to_be_visible()
    expect(graph.get_by_role("application", name=re.compile("^Graph of"))).to_be_visible()
    return graph


def ask(page: Page, code: str) -> str:
    return str(page.evaluate(ASK, code))


def test_graph_and_kernel_select_for_each_other_and_keys_stay_inside(
    open_notebook: OpenNotebook, cell: Any, screenshot: Screenshot
) -> None:
    page = open_notebook([cell("residual(50)"), "second = 1"])
    graph = graph_of(page)
    cells = page.evaluate(CELLS)
    canvas = graph.get_by_role("application")
    canvas.click(position={"x": 4, "y": 4})
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "d", "d", "x", "b"):
        page.keyboard.press(key)
    expect(graph.get_by_role("status")).to_have_text(re.compile("layer0/block0/conv0, Conv, supported"))
    page.keyboard.press("Enter")
    page.wait_for_function(f"async () => (await ({ASK})('view.selected')) === '[1]'")
    assert page.evaluate(CELLS) == cells, "d d, x and b are the notebook's keys for its cells"
    page.evaluate(ASK, "view.select(['layer0/block0/relu1'])")
    expect(graph.get_by_role("button", name="block0")).to_be_visible()
    screenshot(page, "graph-view-selected")


def test_graph_follows_the_theme(
    open_notebook: OpenNotebook, cell: Any, set_theme: SetTheme, screenshot: Screenshot
) -> None:
    page = open_notebook([cell("transformer(60)")])
    graph = graph_of(page)
    pixel = "(canvas) => [...canvas.getContext('2d').getImageData(0, canvas.height - 3, 1, 1).data]"
    light = graph.get_by_role("application").evaluate(pixel)
    screenshot(page, "graph-view-light")
    set_theme(page, "Dark")
    page.wait_for_function(
        "(light) => { const canvas = document.querySelector('.trtlab-graph-canvas');"
        f" return String(({pixel})(canvas)) !== String(light); }}",
        arg=light,
    )
    screenshot(page, "graph-view-dark")


def test_saved_notebook_shows_a_picture_without_a_kernel(
    open_notebook: OpenNotebook, cell: Any, jupyterlab: JupyterLabServer, screenshot: Screenshot, tmp_path: Any
) -> None:
    page = open_notebook([cell("residual(40)")])
    graph_of(page)
    still = page.locator(".trtlab-still img")
    still.wait_for(state="attached")
    expect(still).not_to_be_visible()
    page.evaluate(SAVE)
    name = page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
    path = jupyterlab.root / name
    page.close()
    jupyterlab.end_kernels()
    saved = json.loads(path.read_text(encoding="utf-8"))
    saved["metadata"].pop("widgets", None)  # the state is not saved by default; make sure of it
    saved["cells"][0]["source"] = ["raise SystemExit"]
    again = tmp_path / "saved.ipynb"
    again.write_text(json.dumps(saved), encoding="utf-8")
    page = open_notebook(again, run=False)
    page.wait_for_function(NOTEBOOK_IS_READY)
    picture = page.locator(".jp-OutputArea img")
    expect(picture).to_be_visible()
    assert picture.evaluate("(img) => img.naturalWidth") > 200
    expect(page.get_by_role("application")).to_have_count(0)
    screenshot(page, "graph-view-saved")
