"""Steps with their diagnoses, and the engine with its memory and layers."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.widgets.static import views
from tests.widgets.static.panel_page import PanelPage


def test_failure_is_in_sight_without_a_click(panel: PanelPage) -> None:
    panel.open(views.failed())
    card = panel.page.locator(".trtlab-card").first
    expect(card).to_be_visible()
    expect(card.locator(".trtlab-state")).to_have_text("✕error")
    parts = card.locator(".trtlab-card-label").all_inner_texts()
    assert parts == ["Where", "Why", "Do this", "More"]
    expect(card.get_by_text("2 other ways")).to_be_visible()
    expect(card.get_by_text("Export again with mode 'linear'.")).to_be_hidden()
    card.get_by_text("2 other ways").click()
    expect(card.get_by_text("Export again with mode 'linear'.")).to_be_visible()
    card.get_by_role("button", name="Copy", exact=True).first.click()
    expect(card.get_by_role("button", name="✓ Copied")).to_be_visible()
    assert panel.page.evaluate("() => navigator.clipboard.readText()") == 'trtlab.repair("segmenter.onnx")'


def test_place_of_a_failure_is_found_in_the_log(panel: PanelPage) -> None:
    panel.open(views.failed())
    panel.send_log([*views.log_records(300), [400, 0, "error", "parse", "", "In node 87 with name: resize_3"]])
    panel.page.get_by_role("button", name="Find in log").first.click()
    expect(panel.page.get_by_role("tab", name="Log")).to_have_attribute("aria-selected", "true")
    expect(panel.page.locator(".trtlab-log-row.trtlab-match mark")).to_have_text("resize_3")


def test_steps_are_run_up_to_and_run_again(panel: PanelPage) -> None:
    panel.open(views.failed())
    steps = panel.page.locator(".trtlab-steps")
    steps.locator("[data-step=build]").get_by_role("button", name="Run up to here").click()
    steps.locator("[data-step=check]").get_by_role("button", name="Rerun from here").click()
    assert panel.sent() == [{"command": "run_to", "step": "build"}, {"command": "rerun", "step": "check"}]
    panel.set_view(views.running())
    rerun = steps.locator("[data-step=check]").get_by_role("button", name="Rerun from here")
    expect(rerun).to_have_accessible_description("A step is running.")


def test_step_opens_and_leads_to_its_log_lines(panel: PanelPage) -> None:
    panel.open(views.failed())
    panel.send_log(views.log_records(400))
    panel.page.get_by_role("button", name="failed Parse", exact=True).click()
    step = panel.page.locator(".trtlab-steps [data-step=parse]")
    expect(step.get_by_text("410 nodes taken, 2 refused.")).to_be_visible()
    step.get_by_role("button", name="Show its log lines").click()
    assert panel.page.get_by_role("log").evaluate("(node) => node.scrollTop") == 12 * 20


def test_times_have_three_digits(panel: PanelPage) -> None:
    panel.open(views.done())
    times = panel.page.locator(".trtlab-step-time").all_inner_texts()
    assert times == ["31.2 ms", "87.1 ms", "1.24 s", "3.12 ms", "46.2 s", "21.4 ms", "1.03 s"]


def test_rail_leads_to_a_step(panel: PanelPage) -> None:
    panel.open(views.failed())
    panel.tab("plan")
    panel.page.locator(".trtlab-rail [data-step=parse] button").click()
    expect(panel.page.locator(".trtlab-steps [data-step=parse] .trtlab-step-opener")).to_be_focused()


def test_engine_has_memory_layers_and_warnings(panel: PanelPage) -> None:
    panel.open(views.done(), views.report())
    panel.page.get_by_role("button", name="Show engine").click()
    page = panel.page
    expect(page.get_by_role("tab", name="Engine")).to_contain_text("31.2 MiB")
    expect(page.get_by_text("37 times")).to_be_visible()
    widths = page.locator(".trtlab-memory-bar").evaluate_all(
        "(bars) => bars.map((bar) => bar.getBoundingClientRect().width)"
    )
    assert widths[1] == max(widths)
    assert abs(widths[0] / widths[1] - 29_779_558 / 581_559_910) < 0.01
    expect(page.locator(".trtlab-memory-figure")).to_have_text(["28.4 MiB", "555 MiB", "7.90 MiB"])


def test_layers_are_searched_sorted_and_few_in_the_page(panel: PanelPage) -> None:
    panel.open(views.done())
    panel.page.evaluate(
        """async (report) => {
          const row = (_, index) => ({ ...report.layers.rows[1], index, name: `conv${index}_myl0` });
          report.layers.rows = Array.from({ length: 20000 }, row);
          window.model.set("engine_report", report);
          await window.nextFrame();
        }""",
        views.report(),
    )
    panel.tab("engine")
    table = panel.page.get_by_role("table", name="Layers")
    expect(table).to_have_attribute("aria-rowcount", "20001")
    rows = panel.page.locator(".trtlab-virtual .trtlab-layer-row")
    assert rows.count() < 60
    first = "() => document.querySelector('.trtlab-virtual .trtlab-layer-row[aria-rowindex=\"2\"] [data-column=index]').textContent"
    panel.page.get_by_role("button", name="#").click()
    panel.page.wait_for_function(f"() => ({first})() === '19999'")
    panel.page.get_by_label("Find a layer, node or tensor").fill("conv17_")
    expect(panel.page.get_by_text("1 of 20,000 layers")).to_be_visible()
    panel.page.get_by_label("Find a layer, node or tensor").fill("nothing of the kind")
    expect(panel.page.get_by_text("No layer holds this text.")).to_be_visible()


def test_layer_is_shown_whole_and_the_table_saved(panel: PanelPage) -> None:
    report = views.report(30)
    report["layers"]["rows"][1].update(name='=cmd|"x"', onnx_nodes=["a,b", 'c"d'])
    panel.open(views.done(), report)
    panel.tab("engine")
    rowgroup = panel.page.locator(".trtlab-layers .trtlab-virtual")
    rowgroup.focus()
    panel.page.keyboard.press("ArrowDown")
    expect(panel.page.locator(".trtlab-facts dd").nth(1)).to_have_text(views.LONG_NAME)
    with panel.page.expect_download() as download:
        panel.page.get_by_role("button", name="Save CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "index,name,type,onnx_nodes,inputs,outputs"
    assert lines[2].startswith("""1,"'=cmd|""x""\",Convolution,"a,b, c""d",""")
    assert len(lines) == 31


def test_report_that_goes_away_takes_its_views_along(panel: PanelPage) -> None:
    panel.open(views.done(), views.report())
    panel.tab("script")
    expect(panel.page.get_by_text("import trtlab")).to_be_visible()
    panel.set_report({})
    expect(panel.page.get_by_text("import trtlab")).to_be_hidden()
    panel.tab("engine")
    expect(panel.page.get_by_text("Once the engine is built: its size")).to_be_visible()
