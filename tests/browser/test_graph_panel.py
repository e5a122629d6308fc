"""The graph panel, used in a real JupyterLab: checked, clicked through, searched, cut, at both widths and in both themes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import OpenNotebook, Screenshot, SetTheme

SAMPLES = Path(__file__).resolve().parents[2] / "sample_models"
FAULTY = SAMPLES / "broken" / "several_refused.onnx"
PANEL = "from trtlab.widgets import GraphPanel\npanel = GraphPanel({what})\npanel"
WAIT_MS = 60_000


def panel_of(page: Page) -> Locator:
    panel = page.get_by_role("region", name="ONNX graph and TensorRT")
    expect(panel).to_be_visible(timeout=WAIT_MS)
    return panel


def open_panel(open_notebook: OpenNotebook, what: str) -> tuple[Page, Locator]:
    page = open_notebook([PANEL.format(what=what)])
    return page, panel_of(page)


def problems(panel: Locator) -> Locator:
    return panel.locator(".trtlab-problem-row")


def headline(panel: Locator) -> Locator:
    return panel.locator(".trtlab-headline-text")


def test_every_problem_is_listed_and_the_first_is_shown(open_notebook: OpenNotebook, screenshot: Screenshot) -> None:
    """A model is open and checked without a click; the first problem is selected in the graph, with its card."""
    page, panel = open_panel(open_notebook, repr(str(FAULTY)))
    expect(headline(panel)).to_contain_text("5 of 22 nodes refused", timeout=WAIT_MS)
    expect(problems(panel)).to_have_count(5)
    expect(problems(panel).first).to_have_attribute("aria-selected", "true")
    expect(panel.get_by_role("article").first).to_contain_text("antialias")
    screenshot(page, "graph-panel-quick")
    panel.get_by_role("button", name="Full check").click()
    expect(headline(panel)).to_contain_text("6 of 22 nodes refused", timeout=WAIT_MS)
    expect(panel.get_by_role("button", name=re.compile("1 refused by the builder"))).to_be_visible()
    screenshot(page, "graph-panel-full")


def test_list_graph_and_details_follow_each_other(open_notebook: OpenNotebook, screenshot: Screenshot) -> None:
    """Choosing a problem selects its node, also in a branch; its details lead on to the nodes that it reads from."""
    page, panel = open_panel(open_notebook, repr(str(FAULTY)))
    expect(headline(panel)).to_contain_text("refused", timeout=WAIT_MS)
    problems(panel).filter(has_text="Det").first.click()
    expect(panel.locator(".trtlab-graph-crumbs")).to_contain_text("then_branch")
    panel.get_by_role("tab", name=re.compile("^Details")).click()
    details = panel.locator(".trtlab-node")
    expect(details).to_contain_text("/head/detailed/Det")
    expect(details).to_contain_text("Outputs")
    screenshot(page, "graph-panel-node")
    details.locator(".trtlab-node-tables").get_by_role("button", name="/head/detailed/Unsqueeze").click()
    expect(details.locator(".trtlab-node-name")).to_have_text("/head/detailed/Unsqueeze")


def test_search_filters_and_keys(open_notebook: OpenNotebook) -> None:
    """The search counts and steps through hits, a status fades the others, N goes to the next problem."""
    _, panel = open_panel(open_notebook, repr(str(FAULTY)))
    expect(headline(panel)).to_contain_text("refused", timeout=WAIT_MS)
    search = panel.get_by_label(re.compile("^Find nodes by name"))
    search.fill("Softplus")
    expect(panel.locator(".trtlab-graph-tools .trtlab-match-count")).to_have_text(re.compile(r"^\d+ found$"))
    search.press("Enter")
    expect(panel.locator(".trtlab-graph-tools .trtlab-match-count")).to_have_text(re.compile(r"^1 of \d+$"))
    pressed = panel.get_by_role("button", name=re.compile("5 refused by the parser"))
    pressed.click()
    expect(pressed).to_have_attribute("aria-pressed", "true")
    panel.locator("canvas.trtlab-graph-canvas").focus()
    panel.locator("canvas.trtlab-graph-canvas").press("n")
    expect(panel.locator(".trtlab-problem-row[aria-selected=true]")).to_have_count(1)


def test_cut_and_reduce_save_models(open_notebook: OpenNotebook, tmp_path: Path, screenshot: Screenshot) -> None:
    """A click saves the smallest failing model, and one that is there already is never replaced."""
    page, panel = open_panel(open_notebook, repr(str(FAULTY)))
    expect(headline(panel)).to_contain_text("refused", timeout=WAIT_MS)
    panel.get_by_role("tab", name=re.compile("^Details")).click()
    path = tmp_path / "smallest.onnx"
    panel.get_by_label("Where the smaller model is saved").fill(str(path))
    panel.get_by_role("button", name="Smallest failing model").click()
    expect(panel.locator(".trtlab-cut-saved")).to_contain_text("still refused", timeout=WAIT_MS)
    assert path.exists()
    screenshot(page, "graph-panel-reduced")
    panel.get_by_role("button", name="Smallest failing model").click()
    expect(panel.locator(".trtlab-cut-saved")).to_contain_text("is there already")


def test_a_supported_model_says_so_and_every_tab_has_its_content(
    open_notebook: OpenNotebook, screenshot: Screenshot
) -> None:
    page, panel = open_panel(open_notebook, f"{str(SAMPLES / 'light_resnet50.onnx')!r}, depth='full'")
    expect(headline(panel)).to_contain_text("Supported: parses and builds", timeout=WAIT_MS)
    expect(panel.get_by_text(re.compile("^No problems"))).to_be_visible()
    screenshot(page, "graph-panel-supported")
    panel.get_by_role("tab", name=re.compile("^Nodes")).click()
    panel.get_by_label(re.compile("^Find a node by number")).fill("Softmax")
    expect(panel.locator(".trtlab-node-row:not(.trtlab-node-head)")).to_have_count(1)
    screenshot(page, "graph-panel-all-nodes")
    panel.get_by_role("tab", name=re.compile("^Releases")).click()
    expect(panel.get_by_role("columnheader", name="TensorRT 8.6")).to_be_visible()
    screenshot(page, "graph-panel-releases")
    panel.get_by_role("tab", name=re.compile("^File")).click()
    screenshot(page, "graph-panel-file")


@pytest.mark.parametrize("width", [1400, 900])
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_it_looks_right_at_both_widths_and_in_both_themes(
    open_notebook: OpenNotebook, set_theme: SetTheme, screenshot: Screenshot, width: int, theme: str
) -> None:
    page, panel = open_panel(open_notebook, f"{str(FAULTY)!r}, depth='full'")
    page.set_viewport_size({"width": width, "height": 1500})
    set_theme(page, theme)  # type: ignore[arg-type]
    expect(headline(panel)).to_contain_text("6 of 22 nodes refused", timeout=WAIT_MS)
    expect(problems(panel)).to_have_count(7)
    problems(panel).nth(1).click()
    box = panel.bounding_box()
    assert box is not None
    assert panel.evaluate("node => node.scrollWidth <= node.clientWidth + 1"), "nothing sticks out"
    screenshot(page, f"graph-panel-{theme}-{width}")
    screenshot(panel, f"graph-panel-whole-{theme}-{width}")


def test_a_reload_shows_the_same(open_notebook: OpenNotebook) -> None:
    """After a reload of the page, the panel comes back from the kernel with its selection."""
    page, panel = open_panel(open_notebook, repr(str(FAULTY)))
    expect(headline(panel)).to_contain_text("refused", timeout=WAIT_MS)
    problems(panel).nth(2).click()
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    again = panel_of(page)
    expect(headline(again)).to_contain_text("5 of 22 nodes refused", timeout=WAIT_MS)
    expect(again.locator(".trtlab-problem-row[aria-selected=true]")).to_contain_text("BitwiseNot")


HOSTILE_MODEL = """
import numpy as np, onnx
from onnx import helper as h
html = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>"
nodes = [
    h.make_node("Relu", ["x"], ["a"], name=html),
    h.make_node("Det", ["a"], [html], name="n" * 10_000),
    h.make_node("Det", ["a"], ["b"], name=""),
    h.make_node("Fold", ["a"], ["c"], name="../../etc/passwd", domain="com." + html, values=list(range(100_000))),
    h.make_node("Det", ["c"], ["d"], name="twice"),
    h.make_node("Det", ["c"], ["e"], name="twice"),
]
outputs = [h.make_tensor_value_info(name, 1, None) for name in ("d", "e", "b")]
graph = h.make_graph(nodes, html, [h.make_tensor_value_info("x", 1, [1, 2, 4, 4])], outputs)
imports = [h.make_opsetid("", 17), h.make_opsetid("com." + html, 1)]
onnx.save(h.make_model(graph, opset_imports=imports, ir_version=8), PATH)
"""


def test_hostile_names_are_text(open_notebook: OpenNotebook, tmp_path: Path, screenshot: Screenshot) -> None:
    """Names with HTML, of 10,000 characters, empty, repeated or like a path are shown as text, and nothing runs."""
    path = str(tmp_path / "hostile.onnx")
    page = open_notebook([f"PATH = {path!r}\n{HOSTILE_MODEL}", PANEL.format(what=repr(path))])
    panel = panel_of(page)
    expect(headline(panel)).to_contain_text("5 of 6 nodes refused", timeout=WAIT_MS)
    for number in range(5):
        problems(panel).nth(number).click()
        expect(panel.get_by_role("article").first).to_be_visible()
    panel.get_by_role("tab", name=re.compile("^Details")).click()
    expect(panel.locator(".trtlab-node-title")).to_contain_text("twice")
    panel.get_by_role("tab", name=re.compile("^Nodes")).click()
    expect(panel.locator(".trtlab-node-row").nth(1)).to_contain_text("<img")
    screenshot(page, "graph-panel-hostile")
    assert page.evaluate("() => window.hacked === undefined")


BIG_MODEL = """
import onnx
from onnx import helper as h
OPERATORS = ["Relu", "Sigmoid", "Tanh", "Abs", "Neg", "Sin", "Cos", "Exp", "Softplus", "Floor"]
nodes, x = [], "x"
for layer in range(2000):
    for step, operator in enumerate(OPERATORS):
        made = f"t{layer}_{step}"
        if step == 9 and layer % 400 == 7:
            operator = "BitwiseNot"
        nodes.append(h.make_node(operator, [x], [made], name=f"/stage{layer // 100}/block{layer}/{operator}"))
        x = made
graph = h.make_graph(nodes, "big", [h.make_tensor_value_info("x", 1, [2, 4])], [h.make_tensor_value_info(x, 1, [2, 4])])
onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 18)], ir_version=8), PATH)
"""


def test_twenty_thousand_nodes(open_notebook: OpenNotebook, tmp_path: Path, screenshot: Screenshot) -> None:
    """A large model opens folded by its scopes, and its problems are one key away."""
    path = str(tmp_path / "big.onnx")
    page = open_notebook([f"PATH = {path!r}\n{BIG_MODEL}", PANEL.format(what=repr(path))])
    panel = panel_of(page)
    expect(headline(panel)).to_contain_text("5 of 20000 nodes refused", timeout=4 * WAIT_MS)
    expect(problems(panel)).to_have_count(5)
    screenshot(page, "graph-panel-20000")
    panel.get_by_role("button", name="Next (N)").click()
    expect(panel.locator(".trtlab-problem-row[aria-selected=true]")).to_contain_text("block407")
    panel.get_by_role("tab", name=re.compile("^Nodes")).click()
    expect(panel.get_by_text("20,000 nodes").first).to_be_visible()
