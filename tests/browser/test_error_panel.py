"""The error panel, used in a real JupyterLab: a log is pasted, picked, filtered, and read in two languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import OpenNotebook, Screenshot, SetTheme

LOG = """[05/07/2026-11:02:31] [I] Start parsing network model.
[05/07/2026-11:02:31] [W] [TRT] CUDA lazy loading is not enabled. Enabling it can significantly reduce device memory usage.
[05/07/2026-11:02:40] [W] [TRT] Requested amount of GPU memory (8589934592 bytes) could not be allocated.
[05/07/2026-11:02:41] [E] Error[10]: IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (Could not find any \
implementation for node {ForeignNode[/encoder/layers.0/MatMul.../head/Add]}.)
[05/07/2026-11:02:41] [E] Engine could not be created from network
"""
HOSTILE = (
    "[E] In node 3 with name: <img src=x onerror=window.hacked=1> and operator: <script>window.hacked=1</script> (parseNode): "
    "UNSUPPORTED_NODE: Assertion failed: false: <b>bold</b>\x1b]0;title\x07\x1b[31m red\x1b[0m\n"
)
PANEL = "from trtlab.widgets import ErrorPanel\npanel = ErrorPanel({what})\npanel"


def panel_of(page: Page) -> Locator:
    panel = page.get_by_role("region", name=re.compile("TensorRT errors|TensorRT 错误"))
    expect(panel).to_be_visible()
    return panel


def open_panel(open_notebook: OpenNotebook, what: str = "", *more: str) -> tuple[Page, Locator]:
    page = open_notebook([PANEL.format(what=what), *more])
    return page, panel_of(page)


def test_a_pasted_log_is_explained_cause_first(open_notebook: OpenNotebook, screenshot: Screenshot) -> None:
    page, panel = open_panel(open_notebook)
    screenshot(page, "error-panel-empty")
    box = panel.get_by_label(re.compile("^Paste a log"))
    box.fill(LOG)
    panel.get_by_role("button", name="Explain").click()
    expect(panel.get_by_text(re.compile(r"Memory ran out while building \(line 3\)"))).to_be_visible()
    first = panel.get_by_role("article").first
    expect(first).to_contain_text("8.00 GiB")
    expect(first).to_contain_text("Do this")
    expect(panel.get_by_text("What follows from it (2)")).to_be_visible()
    expect(panel.get_by_text("Looks alarming and is harmless (1)")).to_be_visible()
    screenshot(page, "error-panel-cause")


def test_a_card_leads_to_its_line_and_the_line_back_to_its_card(
    open_notebook: OpenNotebook, screenshot: Screenshot
) -> None:
    page, panel = open_panel(open_notebook, repr(LOG))
    panel.get_by_role("article").first.get_by_role("button", name="Show in log").click()
    root = panel.locator(".trtlab-marked-row[data-role=root]")
    expect(root).to_have_class(re.compile("trtlab-active"))
    expect(root).to_contain_text("8589934592")
    expect(panel.locator(".trtlab-marked-row[data-role=consequence]")).to_have_count(2)
    expect(panel.locator(".trtlab-marked-row[data-role=harmless]")).to_have_count(1)
    screenshot(page, "error-panel-log")
    panel.get_by_role("button", name="Show its card").click()
    expect(panel.get_by_role("article").first).to_be_focused()


def test_filters_of_the_log(open_notebook: OpenNotebook) -> None:
    _, panel = open_panel(open_notebook, repr(LOG))
    panel.get_by_role("tab", name=re.compile("^Log")).click()
    expect(panel.locator(".trtlab-marked-row")).to_have_count(5)
    panel.get_by_role("combobox", name="Log").select_option("marked")
    expect(panel.locator(".trtlab-marked-row")).to_have_count(4)
    panel.get_by_role("combobox", name="Log").select_option("problems")
    panel.get_by_label("Find in the log").fill("foreignnode")
    expect(panel.locator(".trtlab-marked-row")).to_have_count(1)
    expect(panel.get_by_text("1 of 5 lines")).to_be_visible()


def test_the_language_is_switched_in_the_panel(open_notebook: OpenNotebook, screenshot: Screenshot) -> None:
    page, panel = open_panel(open_notebook, repr(LOG))
    panel.get_by_label("Language").select_option("zh")
    panel = panel_of(page)
    expect(panel.get_by_text(re.compile("第 3 行")).first).to_be_visible()
    expect(panel.get_by_role("article").first).to_contain_text("建议操作")
    screenshot(page, "error-panel-chinese")


def test_the_catalog_is_searched_and_read(open_notebook: OpenNotebook, screenshot: Screenshot) -> None:
    page, panel = open_panel(open_notebook)
    panel.get_by_role("tab", name="Catalog").click()
    panel.get_by_label(re.compile("^Search all pages")).fill("illegal memory access")
    page_row = panel.get_by_role("button", name=re.compile(r"runtime\.cuda_illegal_access"))
    page_row.click()
    expect(panel.locator(".trtlab-page-reader").get_by_role("article")).to_contain_text("runtime.cuda_illegal_access")
    screenshot(page, "error-panel-catalog")


@pytest.mark.parametrize("width", [1400, 900])
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_both_themes_and_widths(
    open_notebook: OpenNotebook, set_theme: SetTheme, screenshot: Screenshot, theme: str, width: int
) -> None:
    page, panel = open_panel(open_notebook, repr(LOG))
    page.set_viewport_size({"width": width, "height": 1000})
    set_theme(page, theme)  # type: ignore[arg-type]
    expect(panel.get_by_role("article").first).to_be_visible()
    overflow = panel.evaluate("node => node.scrollWidth - node.clientWidth")
    assert overflow <= 1
    screenshot(page, f"error-panel-{theme}-{width}")


def test_log_text_is_shown_as_text_and_nothing_of_it_runs(open_notebook: OpenNotebook, screenshot: Screenshot) -> None:
    page, panel = open_panel(open_notebook, repr(HOSTILE), f"import trtlab\ntrtlab.explain({HOSTILE!r})")
    expect(panel.get_by_role("article").first).to_contain_text("<img src=x onerror=window.hacked=1>")
    panel.get_by_role("tab", name=re.compile("^Log")).click()
    expect(panel.locator(".trtlab-marked-row").first).to_contain_text("<script>window.hacked=1</script>")
    expect(panel.locator(".trtlab-marked-row").first).to_contain_text("␛]0;title␇ red")
    cards = page.locator(".trtlab-explained")
    expect(cards).to_contain_text("<img src=x onerror=window.hacked=1>")
    assert page.evaluate("() => window.hacked") is None
    assert page.locator(".jp-OutputArea img, .jp-OutputArea b").count() == 0
    screenshot(page, "error-panel-hostile")


def test_a_file_is_picked_and_a_path_is_opened(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    log.write_text("filler line\n" * 50_000 + LOG)
    _, panel = open_panel(open_notebook)
    panel.locator("input[type=file]").set_input_files(log)
    expect(panel.get_by_text("build.log: 50,005 lines")).to_be_visible()
    expect(panel.get_by_text(re.compile(r"\(line 50,003\)"))).to_be_visible()
    panel.get_by_role("button", name="Clear").click()
    expect(panel.get_by_text("Paste a log or choose a file")).to_be_visible()
    path = panel.get_by_label(re.compile("or a path"))
    path.fill(str(log))
    path.press("Enter")
    expect(panel.get_by_text(re.compile(r"\(line 50,003\)"))).to_be_visible()
    path.fill("/nowhere/at/all.log")
    path.press("Enter")
    expect(panel.get_by_text("There is no file /nowhere/at/all.log.")).to_be_visible()
