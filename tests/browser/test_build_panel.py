"""The build panel, clicked in a real JupyterLab: real parser, real builder, real kernel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import OpenNotebook, Screenshot, SetTheme

BUILD_MILLISECONDS = 60_000
STEPS = ("Load", "Check", "Parse", "Configure", "Build", "Save", "Inspect")
# A private cache: what another test built must not be taken for a build of this one.
PANEL = """
import os, tempfile
os.environ["TRTLAB_CACHE_DIR"] = tempfile.mkdtemp()
from trtlab.widgets import BuildPanel
panel = BuildPanel({model}, models=["../sample_models"])
panel
"""


def panel_of(page: Page) -> Locator:
    panel = page.get_by_role("region", name="TensorRT build")
    expect(panel).to_be_visible()
    return panel


def open_panel(
    open_notebook: OpenNotebook, model: str = "'../sample_models/digits.onnx'", *more: str
) -> tuple[Page, Locator]:
    page = open_notebook([PANEL.format(model=model), *more])
    return page, panel_of(page)


def button(panel: Locator, name: str | re.Pattern[str]) -> Locator:
    return panel.get_by_role("button", name=name, exact=isinstance(name, str))


def expect_built(panel: Locator) -> None:
    expect(panel.get_by_text(re.compile(r"Engine of .* built in")).first).to_be_visible(timeout=BUILD_MILLISECONDS)


def test_newcomer_builds_digits_transformer_and_resnet_by_clicking(
    open_notebook: OpenNotebook, screenshot: Screenshot
) -> None:
    page, panel = open_panel(open_notebook)
    for model in ("digits.onnx", "transformer.onnx", "light_resnet50.onnx"):
        panel.get_by_label("Model", exact=True).select_option(label=model)
        expect(panel.get_by_text(re.compile(r"1 step done\. Next: check"))).to_be_visible(timeout=BUILD_MILLISECONDS)
        expect(panel.get_by_text("TensorRT-RTX 1.").first).to_be_visible(timeout=BUILD_MILLISECONDS)
        button(panel, "Run all").click()
        expect_built(panel)
        panel.get_by_role("tab", name=re.compile("Engine")).click()
        expect(panel.get_by_text("Activations", exact=True)).to_be_visible()
        screenshot(page, f"build-panel-{model}")
        panel.get_by_role("tab", name=re.compile("Plan")).click()


def test_one_step_at_a_time(open_notebook: OpenNotebook, screenshot: Screenshot) -> None:
    page, panel = open_panel(open_notebook)
    for following in ("check", "parse", "configure", "build", "save", "inspect"):
        button(panel, f"Next: {following}").click(timeout=BUILD_MILLISECONDS)
    expect_built(panel)
    panel.get_by_role("tab", name=re.compile("Steps.*7 of 7")).click()
    expect(panel.get_by_text("accepted by TensorRT-RTX")).to_be_visible()
    screenshot(page, "build-panel-steps")


def test_a_second_build_comes_from_the_cache_and_says_so(open_notebook: OpenNotebook) -> None:
    _, panel = open_panel(open_notebook)
    button(panel, "Run all").click(timeout=BUILD_MILLISECONDS)
    expect_built(panel)
    button(panel, "Run all").click()
    expect(panel.get_by_text(re.compile("taken from the cache, nothing had changed")).first).to_be_visible(
        timeout=BUILD_MILLISECONDS
    )


def test_failure_says_where_why_and_what_to_do(
    open_notebook: OpenNotebook, screenshot: Screenshot, set_theme: SetTheme
) -> None:
    page, panel = open_panel(open_notebook, "'../sample_models/broken/custom_operator.onnx'")
    button(panel, "Run all").click(timeout=BUILD_MILLISECONDS)
    failed = (
        r"Parse failed after .* at node '/features/swish' \(LearnedSwish\): The plugin for a custom operator is missing"
    )
    expect(panel.get_by_text(re.compile(failed)).first).to_be_visible(timeout=BUILD_MILLISECONDS)
    expect(panel.get_by_text("TensorRT does not know an operator LearnedSwish").first).to_be_visible()
    expect(panel.get_by_text("Do this").first).to_be_visible()
    screenshot(page, "build-panel-failed-light")
    set_theme(page, "Dark")
    screenshot(page, "build-panel-failed-dark")


def test_impossible_profile_is_marked_before_tensorrt_sees_it(open_notebook: OpenNotebook) -> None:
    _, panel = open_panel(open_notebook)
    panel.get_by_role("tab", name=re.compile("Plan")).click()
    smallest = panel.get_by_label(re.compile(r"[Mm]inimum")).first
    expect(smallest).to_have_value("1")
    smallest.fill("99")
    smallest.press("Tab")
    expect(panel.get_by_text(re.compile("min <= opt <= max does not hold for 99")).first).to_be_visible()
    smallest.fill("2")
    smallest.press("Tab")
    expect(panel.get_by_text(re.compile("does not hold"))).to_have_count(0)
    button(panel, "Run all").click()
    expect_built(panel)


def test_page_reload_shows_the_state_and_the_log(open_notebook: OpenNotebook) -> None:
    page, panel = open_panel(open_notebook)
    button(panel, "Run all").click(timeout=BUILD_MILLISECONDS)
    expect_built(panel)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    panel = panel_of(page)
    expect_built(panel)
    panel.get_by_role("tab", name=re.compile("Log")).click()
    expect(panel.get_by_text(re.compile("Engine generation completed")).first).to_be_visible()
    button(panel, re.compile("Rerun from here")).or_(button(panel, "Run all")).first.click()
    expect(panel.get_by_text(re.compile("taken from the cache")).first).to_be_visible(timeout=BUILD_MILLISECONDS)


def test_cancel_stops_within_a_second_and_the_next_build_works(open_notebook: OpenNotebook) -> None:
    stopwatch = """
import time, threading
class Stopwatch:
    cancelled = None
def watch():
    while not (panel.session and panel.session.busy and panel.session.progress and panel.session.progress.step == "build"):
        time.sleep(0.005)
    asked = time.monotonic()
    panel._receive(None, {"command": "cancel"}, None)
    while panel.session.busy:
        time.sleep(0.005)
    Stopwatch.cancelled = time.monotonic() - asked
threading.Thread(target=watch, daemon=True).start()
"""
    page, panel = open_panel(open_notebook, "'../sample_models/light_resnet50.onnx'", stopwatch)
    button(panel, "Run all").click(timeout=BUILD_MILLISECONDS)
    expect(panel.get_by_text(re.compile(r"Build was cancelled after")).first).to_be_visible(timeout=BUILD_MILLISECONDS)
    seconds = page.evaluate(EVALUATE, "Stopwatch.cancelled")
    assert 0 <= float(seconds) < 1
    button(panel, "Run all").click()
    expect_built(panel)


def test_kernel_answers_while_a_build_runs(open_notebook: OpenNotebook) -> None:
    page, panel = open_panel(open_notebook, "'../sample_models/light_resnet50.onnx'")
    button(panel, "Run all").click(timeout=BUILD_MILLISECONDS)
    assert page.evaluate(EVALUATE, "6 * 7") == "42"
    expect_built(panel)


@pytest.mark.parametrize("width", [1400, 900])
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_nothing_is_cut_off(
    open_notebook: OpenNotebook, screenshot: Screenshot, set_theme: SetTheme, width: int, theme: str
) -> None:
    page, panel = open_panel(open_notebook)
    page.set_viewport_size({"width": width, "height": 1000})
    set_theme(page, theme)  # type: ignore[arg-type]
    button(panel, "Run all").click(timeout=BUILD_MILLISECONDS)
    expect_built(panel)
    overflow = panel.evaluate("node => node.scrollWidth - node.clientWidth")
    assert overflow <= 1
    screenshot(page, f"build-panel-{width}-{theme.lower()}")


def test_names_with_markup_stay_text(open_notebook: OpenNotebook) -> None:
    name = "<img src=x onerror='window.hacked=1'><b>bold</b>"
    make = f"""
import onnx
from onnx import TensorProto, helper
node = helper.make_node("Relu", ["x"], ["y"], name={name!r})
custom = helper.make_node("Custom<b>Op</b>", ["y"], ["z"], name={name!r}, domain="my.domain")
value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4])
graph = helper.make_graph([node, custom], "g", [value("x")], [value("z")])
opsets = [helper.make_opsetid("", 17), helper.make_opsetid("my.domain", 1)]
onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), "markup.onnx")
"""
    page = open_notebook([make, PANEL.format(model="'markup.onnx'")])
    panel = panel_of(page)
    button(panel, "Run all").click(timeout=BUILD_MILLISECONDS)
    expect(panel.get_by_text(re.compile("<b>bold</b>")).first).to_be_visible(timeout=BUILD_MILLISECONDS)
    panel.get_by_role("tab", name=re.compile("Log")).click()
    expect(panel.get_by_text(re.compile("<img src=x")).first).to_be_visible()
    assert page.evaluate("() => window.hacked") is None
    assert panel.locator("img, b").count() == 0


# Runs an expression in the notebook's kernel and returns its text.
EVALUATE = """async expression => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const future = kernel.requestExecute({ code: '', user_expressions: { value: expression }, store_history: false });
    const reply = await future.done;
    return reply.content.user_expressions.value.data['text/plain'];
}"""
