"""The graph panel's page on traits made by hand, clicked in a real JupyterLab: what the page sends, and how extremes look."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import OpenNotebook, Screenshot, SetTheme

CELL = """
import sys
sys.path.insert(0, {root!r})
from tests.browser import graph_harness as harness
from tests.widgets import graph_samples as samples
panel = harness.GraphHarness({what})
panel
"""
ASK = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code: "", user_expressions: { value: code }, store_history: false });
  return (await future.done).content.user_expressions.value.data["text/plain"];
}"""
ANSWER_MS = 15_000
TABS = ("Problems", "Details", "Nodes", "File", "Releases")
FAULTY = "samples.residual(60), faults={'parser': [5, 20], 'builder': [33], 'unknown': [41]}"


class OpenPage(Protocol):
    """What the fixture `open_page` gives."""

    def __call__(self, what: str) -> Panel:
        """Show a harness made with these arguments."""


class Panel:
    """The panel on a page, and its kernel."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.node = page.get_by_role("region", name="ONNX graph and TensorRT")
        expect(self.node).to_be_visible()

    def ask(self, code: str) -> Any:
        """Return the value of an expression in the kernel."""
        return ast.literal_eval(self.page.evaluate(ASK, code))

    def wait_for(self, code: str, value: object) -> None:
        """Wait until an expression in the kernel has a value."""
        self.page.wait_for_function(
            f"async ([code, text]) => (await ({ASK})(code)) === text", arg=[code, repr(value)], timeout=ANSWER_MS
        )

    def sent(self, command: str, expected: list[dict[str, Any]]) -> None:
        """Wait until the page has sent these messages of a command, in this order, and no others."""
        self.wait_for(f"panel.commands({command!r})", expected)

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.node.get_by_role("button", name=name, exact=isinstance(name, str))

    def tab(self, name: str) -> None:
        self.node.get_by_role("tab", name=re.compile(f"^{name}\\b")).click()

    def shown(self) -> Locator:
        """The page of the tab that is open."""
        return self.node.locator("[role=tabpanel]:not([hidden])")

    def options(self) -> Locator:
        return self.node.get_by_role("listbox", name=re.compile("^Problems")).get_by_role("option")

    def overflow(self) -> int:
        """How far the panel is wider than its place, in CSS pixels."""
        return int(self.node.evaluate("node => node.scrollWidth - node.clientWidth"))


@pytest.fixture
def open_page(open_notebook: OpenNotebook, pytestconfig: pytest.Config) -> OpenPage:
    """Open a notebook with a harness."""
    root = str(pytestconfig.rootpath)
    return lambda what: Panel(open_notebook([CELL.format(root=root, what=what)]))


def test_first_problem_is_shown_when_a_check_ends(open_page: OpenPage, screenshot: Screenshot) -> None:
    """While a check runs the page says what it does and for how long; when it ends, the first problem is selected."""
    panel = open_page("samples.residual(60), running='node 30 of 60'")
    expect(panel.node.get_by_text("node 30 of 60")).to_be_visible()
    expect(panel.node.get_by_text(re.compile(r"^\d+\.\d s$"))).to_be_visible()
    screenshot(panel.page, "graph-page-running")
    panel.button("Cancel").click()
    panel.sent("cancel", [{"command": "cancel"}])
    expect(panel.button("Quick check")).to_have_attribute("aria-disabled", "true")
    expect(panel.button("Quick check")).to_have_accessible_description("A check is running.")
    panel.button("Quick check").click(force=True)
    panel.page.evaluate(ASK, "panel.finish(parser=[5, 20])")
    expect(panel.options().first).to_have_attribute("aria-selected", "true")
    panel.wait_for("panel.selected", [5])
    expect(panel.shown().get_by_role("article")).to_contain_text("has antialias 1")
    panel.sent("survey", [])


def test_list_and_graph_are_linked_both_ways(open_page: OpenPage, screenshot: Screenshot) -> None:
    """Arrow keys in the list select nodes; a selection of the kernel shows its problem; N goes on, round and round."""
    panel = open_page(FAULTY)
    panel.wait_for("panel.selected", [5])
    screenshot(panel.page, "graph-page-problems")
    expect(panel.options()).to_have_count(4)
    panel.node.get_by_role("listbox", name=re.compile("^Problems")).press("ArrowDown")
    panel.wait_for("panel.selected", [20])
    panel.page.evaluate(ASK, "setattr(panel, 'selected', [33])")
    expect(panel.options().nth(2)).to_have_attribute("aria-selected", "true")
    panel.node.get_by_role("application").press("n")
    panel.wait_for("panel.selected", [41])
    panel.node.get_by_role("tab", name=re.compile("^Problems")).press("n")
    panel.wait_for("panel.selected", [5])
    panel.node.get_by_role("application").press("Shift+N")
    panel.wait_for("panel.selected", [41])


def test_a_problem_of_the_model_has_a_card_and_no_node(open_page: OpenPage) -> None:
    panel = open_page("samples.residual(60)")
    code = "setattr(panel, 'status', harness.survey(panel.graph, {'parser': [5]}, whole=True))"
    panel.page.evaluate(ASK, code)
    first = panel.options().first
    expect(first).to_contain_text("The opset is too new")
    first.click()
    expect(first).to_have_attribute("aria-selected", "true")
    expect(panel.shown().get_by_role("article")).to_be_visible()
    panel.options().nth(1).click()
    panel.wait_for("panel.selected", [5])


def test_counts_are_filters(open_page: OpenPage, screenshot: Screenshot) -> None:
    """A pressed count stays pressed, with its word, and the list holds only problems of that kind."""
    panel = open_page(FAULTY)
    filters = panel.node.get_by_role("group", name=re.compile("^Show only"))
    builder = filters.get_by_role("button", name=re.compile("1 refused by the builder"))
    expect(filters.get_by_role("button")).to_have_count(4)
    builder.click()
    expect(builder).to_have_attribute("aria-pressed", "true")
    expect(panel.options()).to_have_count(1)
    screenshot(panel.page, "graph-page-filtered")
    panel.tab(TABS[2])
    expect(panel.shown()).to_contain_text("1 of 60 nodes")
    builder.click()
    expect(panel.shown()).to_contain_text("60 nodes")


def test_search_counts_hits_and_goes_through_them(open_page: OpenPage) -> None:
    panel = open_page("samples.residual(60), faults={}")
    panel.node.get_by_role("application").press("/")
    search = panel.node.get_by_label(re.compile("^Find nodes"))
    expect(search).to_be_focused()
    search.fill("block1/conv")
    expect(panel.node.get_by_text("3 found")).to_be_visible()
    search.press("Enter")
    expect(panel.node.get_by_text("1 of 3")).to_be_visible()
    first = panel.ask("panel.selected")
    search.press("Enter")
    panel.button(re.compile("^Previous hit")).click()
    panel.wait_for("panel.selected", first)
    search.fill("nowhere")
    expect(panel.node.get_by_text("0 found")).to_be_visible()


def test_details_of_a_node_lead_to_its_neighbours_and_cut_it_out(open_page: OpenPage, screenshot: Screenshot) -> None:
    panel = open_page(FAULTY)
    panel.page.evaluate(ASK, "setattr(panel, 'selected', [20])")
    panel.tab(TABS[1])
    node = panel.shown()
    expect(node).to_contain_text("-0.013 .. 0.92, 144 KiB")
    expect(node).to_contain_text("kernel_shape")
    expect(node).to_contain_text("float16 [8 x 64 x 56 x 56]")
    expect(node).to_contain_text("Antialiased resizing")
    screenshot(panel.page, "graph-page-node")
    node.get_by_role("textbox").fill("small.onnx")
    panel.button(re.compile("^(Reduce to the s|S)mallest failing model")).click()
    panel.sent("reduce", [{"command": "reduce", "node": 20, "path": "small.onnx"}])
    expect(node.get_by_text("Saved small.onnx: 3 nodes.")).to_be_visible()
    panel.button(re.compile("^Cut out as a")).click()
    panel.sent("cut", [{"command": "cut", "nodes": [20], "path": "small.onnx"}])
    made_by = panel.ask("[f for f, t in zip(panel.graph['edges']['from'], panel.graph['edges']['to']) if t == 20]")
    node.get_by_role("button", name=panel.ask(f"panel.graph['nodes']['name'][{made_by[0]}]")).first.click()
    panel.wait_for("panel.selected", made_by[:1])


def test_details_are_asked_again_when_the_check_has_ended(open_page: OpenPage) -> None:
    """What stands under Node is of the last check, not of the one before."""
    panel = open_page("samples.residual(60)")
    panel.page.evaluate(ASK, "setattr(panel, 'selected', [7])")
    panel.tab(TABS[1])
    expect(panel.shown()).to_contain_text("not looked at")
    panel.page.evaluate(ASK, "panel.finish(parser=[7])")
    expect(panel.shown()).to_contain_text("refused by the parser")


def test_a_path_between_two_nodes_and_what_is_around_them(open_page: OpenPage) -> None:
    panel = open_page("samples.residual(60), faults={}")
    panel.page.evaluate(ASK, "setattr(panel, 'selected', [3, 7])")
    panel.button("Path").click()
    expect(panel.button(re.compile(r"^Path: \d+ nodes"))).to_be_visible()
    panel.node.get_by_label("Show only what is around").select_option("1")
    expect(panel.node.get_by_text(re.compile("^1 step around 2 nodes"))).to_be_visible()
    panel.button("Show all").click()
    expect(panel.node.get_by_text("60 nodes", exact=True).first).to_be_visible()


def test_table_of_20000_nodes_is_sorted_and_searched(open_page: OpenPage, screenshot: Screenshot) -> None:
    """Only rows in sight are in the page; a click selects the node."""
    panel = open_page("samples.residual(20000), faults={'parser': [19000]}")
    panel.tab(TABS[2])
    rows = panel.shown().get_by_role("row")
    expect(panel.shown()).to_contain_text("20,000 nodes")
    assert rows.count() < 60
    panel.shown().get_by_role("button", name=re.compile("^Status")).click()
    panel.shown().get_by_role("button", name=re.compile("^Status")).click()
    expect(rows.nth(1)).to_contain_text("✕ parser")
    screenshot(panel.page, "graph-page-20000")
    panel.shown().get_by_role("searchbox").fill("block100/conv0")
    expect(panel.shown()).to_contain_text("1 of 20,000 nodes")
    rows.nth(1).click()
    panel.wait_for(
        "len(panel.selected) == 1 and panel.graph['nodes']['name'][panel.selected[0]].endswith('block100/conv0')", True
    )


def test_findings_and_other_releases(open_page: OpenPage, screenshot: Screenshot) -> None:
    panel = open_page(f"{FAULTY}, findings=harness.findings(), releases=harness.releases()")
    panel.tab(TABS[3])
    expect(panel.shown().get_by_role("article")).to_have_count(2)
    expect(panel.shown().get_by_role("button", name="Find in log")).to_have_count(0)
    screenshot(panel.page, "graph-page-findings")
    panel.tab(TABS[4])
    expect(panel.shown().get_by_role("row").nth(2)).to_contain_text("com.acme.FoldedWindowAttention")
    expect(panel.shown().get_by_role("cell", name=re.compile("✕ no"))).to_have_count(3)
    expect(panel.shown()).to_contain_text("came with 10.0")
    expect(panel.shown()).to_contain_text("documented")
    screenshot(panel.page, "graph-page-releases")


def test_empty_states_say_what_to_do_next(open_page: OpenPage, screenshot: Screenshot) -> None:
    panel = open_page("")
    expect(panel.shown()).to_contain_text("No model is open")
    expect(panel.button("Full check")).to_have_accessible_description("Choose a model first.")
    screenshot(panel.page, "graph-page-no-model")
    panel.node.get_by_label("Model", exact=True).select_option("encoder.onnx")
    panel.sent("select_model", [{"command": "select_model", "value": "encoder.onnx"}])


def test_a_model_without_problems_says_so(open_page: OpenPage, screenshot: Screenshot) -> None:
    panel = open_page("samples.transformer(60), faults={}")
    expect(panel.shown()).to_contain_text("No problems")
    expect(panel.shown()).to_contain_text("Full check")
    screenshot(panel.page, "graph-page-supported")
    panel.button("Full check").click()
    panel.sent("survey", [{"command": "survey", "depth": "full"}])


def test_a_failure_is_told_once_and_an_unknown_flavour_leaves_no_hole(
    open_page: OpenPage, screenshot: Screenshot
) -> None:
    note = "The worker ended unexpectedly: out of memory.\\nGive it more with limits=WorkerLimits(...)."
    panel = open_page(
        f"samples.residual(60), faults={{'parser': [5]}}, note={note!r}, flavour=''".replace("\\\\n", "\\n")
    )
    expect(panel.node.get_by_role("alert")).to_contain_text("out of memory")
    expect(panel.node.get_by_text(re.compile("out of memory"))).to_have_count(1)
    assert panel.overflow() <= 1
    screenshot(panel.page, "graph-page-failure")


def test_numbers_and_the_engine_can_be_switched_off(open_page: OpenPage, screenshot: Screenshot) -> None:
    panel = open_page("samples.residual(60), faults={}")
    expect(panel.button(re.compile("latency"))).to_be_hidden()
    values = "{str(n): n / 10 for n in range(60)}"
    overlay = f"dict(name='latency', unit='ms', source='recorded on a T4', values={values}, low=0.0, high=5.9)"
    panel.page.evaluate(ASK, f"setattr(panel, 'overlay', {overlay})")
    panel.page.evaluate(
        ASK,
        "setattr(panel, 'engine', dict(source='build', layers=[dict(name='conv1 + relu', type='conv', nodes=[1, 2])]))",
    )
    for name in ("latency", "[Ee]ngine"):
        toggle = panel.button(re.compile(name))
        expect(toggle).to_have_attribute("aria-pressed", "true")
        screenshot(panel.page, f"graph-page-overlay-{re.sub(r'[^a-z]', '', name)}")
        toggle.click()
        expect(toggle).to_have_attribute("aria-pressed", "false")


def test_page_reload_shows_the_same(open_page: OpenPage) -> None:
    panel = open_page(FAULTY)
    panel.page.evaluate(ASK, "setattr(panel, 'selected', [33])")
    expect(panel.options().nth(2)).to_have_attribute("aria-selected", "true")
    panel.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    panel.page.reload()
    again = Panel(panel.page)
    expect(again.options().nth(2)).to_have_attribute("aria-selected", "true")
    again.wait_for("panel.selected", [33])
    expect(again.shown().get_by_role("article")).to_contain_text("has antialias 1")


def test_5000_problems(open_page: OpenPage, screenshot: Screenshot) -> None:
    panel = open_page("samples.residual(20000), faults={'parser': list(range(0, 20000, 4))}")
    panel.wait_for("panel.selected", [0])
    expect(panel.shown()).to_contain_text("5,000 problems")
    assert panel.options().count() < 60
    panel.node.get_by_role("application").press("Shift+N")
    panel.wait_for("panel.selected", [19996])
    screenshot(panel.page, "graph-page-5000-problems")


@pytest.mark.parametrize("width", [1400, 900])
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_long_names_in_both_themes_and_widths(
    open_page: OpenPage, set_theme: SetTheme, screenshot: Screenshot, theme: str, width: int
) -> None:
    """Nothing stands out of the panel, whichever tab is open."""
    panel = open_page(
        "harness.long_names(), faults={'parser': [5, 20], 'builder': [33]}, findings=harness.findings(), releases=harness.releases()"
    )
    panel.page.set_viewport_size({"width": width, "height": 1200})
    set_theme(panel.page, theme)  # type: ignore[arg-type]
    for tab in TABS:
        panel.tab(tab)
        assert panel.overflow() <= 1, tab
        name = tab.replace(" ", "-").lower()
        screenshot(panel.page, f"graph-page-{name}-{theme}-{width}")


def test_texts_of_a_model_are_shown_as_text_and_nothing_of_them_runs(open_page: OpenPage) -> None:
    panel = open_page("harness.hostile(), faults={'parser': [2]}, note=harness.HOSTILE")
    expect(panel.options().first).to_contain_text("<img src=x onerror=window.hacked=1>")
    for tab in TABS[1:3]:
        panel.tab(tab)
        expect(panel.shown()).to_contain_text("<script>window.hacked=1</script>")
    assert panel.page.evaluate("() => window.hacked") is None
    assert panel.node.locator("img, script").count() == 0
