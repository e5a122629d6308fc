"""The log: speed, bounds, following, filters, search, folding, overlap of batches."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Locator, expect

from tests.widgets.static import views
from tests.widgets.static.panel_page import PanelPage

ROWS = ".trtlab-log-row"
SHOWN_LIMIT_SECONDS = 5  # 1.5 s is the aim; a machine that builds beside it may be slower


@pytest.fixture
def log(panel: PanelPage) -> PanelPage:
    panel.open(views.running())
    panel.tab("log")
    return panel


def scroller(log: PanelPage) -> Locator:
    return log.page.get_by_role("log")


def shown(log: PanelPage) -> list[str]:
    rows: list[str] = log.page.evaluate(
        "async (rows) => { await window.nextFrame(); return [...document.querySelectorAll(rows)].sort((a, b) => a.offsetTop - b.offsetTop)"
        ".map((row) => row.querySelector('.trtlab-log-message').textContent); }",
        ROWS,
    )
    return rows


FEED = """async ([batches, last]) => {
  const figures = { shown_ms: 0, longest_message_ms: 0, longest_task_ms: 0, longest_frame_ms: 0, nodes: 0 };
  // The browser names every task of more than 50 ms.
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) figures.longest_task_ms = Math.max(figures.longest_task_ms, duration);
  });
  observer.observe({ type: "longtask" });
  const start = performance.now();
  let before = start;
  const frame = (now) => {
    figures.longest_frame_ms = Math.max(figures.longest_frame_ms, now - before);
    before = now;
    if (!figures.shown_ms) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  for (const records of batches) {
    const began = performance.now();
    window.model.emit("msg:custom", { type: "log", records });
    figures.longest_message_ms = Math.max(figures.longest_message_ms, performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const isShown = () => [...document.querySelectorAll(".trtlab-log-message")].some((node) => node.textContent === last);
  while (!isShown() && performance.now() - start < 20000) await new Promise((resolve) => requestAnimationFrame(resolve));
  figures.shown_ms = performance.now() - start;
  figures.nodes = document.querySelectorAll(".trtlab *").length;
  return figures;
}"""


def test_ten_thousand_lines_are_shown_fast_and_in_few_nodes(log: PanelPage) -> None:
    before = log.page.locator(".trtlab *").count()
    batches = [views.log_records(500, first=first) for first in range(0, 10_000, 500)]
    measured = log.page.evaluate(FEED, [batches, batches[-1][-1][5]])
    print(f"10,000 records in 20 messages: {measured}")  # noqa: T201 - the figure is wanted in the test's output
    assert measured["shown_ms"] < SHOWN_LIMIT_SECONDS * 1000
    assert measured["nodes"] - before < 400


def test_twenty_thousand_are_kept_and_the_oldest_go(log: PanelPage) -> None:
    for first in range(0, 25_000, 5000):
        log.send_lines(first, 5000)
    expect(log.page.locator(".trtlab-log-status")).to_have_text("20,000 messages. Only the newest are kept.")
    assert log.page.evaluate("() => document.querySelector('.trtlab-virtual-sizer').style.height") == f"{20_000 * 20}px"
    assert log.page.locator(ROWS).count() < 60


def test_it_follows_the_end_until_the_reader_scrolls_up(log: PanelPage) -> None:
    log.send_log(views.log_records(200, message="line"))
    assert scroller(log).evaluate("(node) => node.scrollTop + node.clientHeight >= node.scrollHeight - 1")
    scroller(log).evaluate("(node) => { node.scrollTop = 1000; }")
    expect(log.page.get_by_role("button", name="Follow the newest line")).to_be_visible()
    log.send_log(views.log_records(100, first=200, message="line"))
    assert scroller(log).evaluate("(node) => node.scrollTop") == 1000
    log.page.get_by_role("button", name="100 new lines").click()
    log.send_log(views.log_records(100, first=300, message="line"))
    assert scroller(log).evaluate("(node) => node.scrollTop + node.clientHeight >= node.scrollHeight - 1")


def test_what_is_read_stays_in_place_while_old_lines_go(log: PanelPage) -> None:
    log.send_lines(0, 20_000)
    scroller(log).evaluate("(node) => { node.scrollTop = 10000 * 20; }")
    before = shown(log)
    log.send_lines(20_000, 500)
    assert shown(log) == before
    assert "line 10000" in before


def test_batches_may_overlap_and_come_late(log: PanelPage) -> None:
    def batch(*numbers: int) -> list[list[object]]:
        return [[number, 0, "info", "build", "", f"line {number}"] for number in numbers]

    log.send_log(batch(5, 6))
    log.send_log(batch(0, 1, 2, 3, 4, 5, 6))
    log.send_log(batch(6, 7))
    log.send_log(batch(0, 1, 2, 3, 4, 5, 6, 7))
    assert shown(log) == [f"line {number}" for number in range(8)]


def test_new_run_forgets_the_lines_and_keeps_the_filter(log: PanelPage) -> None:
    log.send_log(views.log_records(100))
    log.page.get_by_role("button", name="Verbose").click()
    log.send({"type": "log_reset"})
    assert shown(log) == []
    log.send_log(views.log_records(100, first=1000))
    expect(log.page.locator(".trtlab-log-status")).to_have_text("2 of 100 messages.")


def test_filter_by_severity_and_step(log: PanelPage) -> None:
    log.send_log([
        [0, 0, "internal_error", "parse", "", "inner"], [1, 0, "error", "build", "", "failed"],
        [2, 0, "info", "build", "", "told"], [3, 0, "verbose", "parse", "", "chatted"],
    ])  # fmt: skip
    expect(log.page.get_by_role("button", name="Errors")).to_contain_text("2")
    for name in ("Verbose", "Info"):
        log.page.get_by_role("button", name=name).click()
    assert shown(log) == ["inner", "failed"]
    log.page.get_by_label("Show lines of one step").select_option("build")
    assert shown(log) == ["failed"]
    log.page.get_by_role("button", name="Errors").click()
    expect(log.page.get_by_text("No line passes these filters.")).to_be_visible()
    log.page.get_by_role("button", name="Show all lines").click()
    assert shown(log) == ["inner", "failed", "told", "chatted"]


def test_search_counts_marks_and_moves_by_keyboard(log: PanelPage) -> None:
    log.send_log(views.log_records(2000))
    search = log.page.get_by_label("Find in the log")
    search.fill("SKIPPED")
    expect(log.page.locator(".trtlab-match-count")).to_have_text("none")
    search.fill("int64 BINDING")
    expect(log.page.locator(".trtlab-match-count")).to_have_text("1 of 2")
    search.press("Enter")
    expect(log.page.locator(".trtlab-match-count")).to_have_text("2 of 2")
    search.press("Enter")
    expect(log.page.locator(".trtlab-match-count")).to_have_text("1 of 2")
    search.press("Shift+Enter")
    expect(log.page.locator(".trtlab-match-count")).to_have_text("2 of 2")
    expect(log.page.locator(f"{ROWS}.trtlab-match mark")).to_have_text("Int64 binding")
    expect(log.page.locator(f"{ROWS}.trtlab-match")).to_be_in_viewport()
    scroller(log).focus()
    log.page.keyboard.press("ArrowDown")
    expect(log.page.locator(f"{ROWS}.trtlab-match.trtlab-active")).to_be_visible()
    log.page.get_by_label("Only these lines").check()
    expect(log.page.locator(".trtlab-log-status")).to_have_text("2 of 2,000 messages.")
    search.press("Escape")
    expect(search).to_have_value("")
    expect(log.page.locator(".trtlab-log-status")).to_have_text("2,000 messages.")


def test_search_finds_in_lines_that_come_later(log: PanelPage) -> None:
    log.page.get_by_label("Find in the log").fill("needle")
    log.send_log([[0, 0, "info", "build", "", "a needle"], [1, 0, "info", "build", "", "hay\nneedle again"]])
    expect(log.page.locator(".trtlab-match-count")).to_contain_text("of 2")


def test_search_stays_quick_in_a_full_log(log: PanelPage) -> None:
    log.send_lines(0, 20_000)
    search = log.page.get_by_label("Find in the log")
    search.focus()
    start = time.perf_counter()
    longest = log.page.evaluate(
        """async () => {
          const input = document.querySelector("[aria-label='Find in the log']");
          let longest = 0;
          for (const text of ["l", "li", "lin", "line 1"]) {
            const start = performance.now();
            input.value = text;
            input.dispatchEvent(new Event("input"));
            longest = Math.max(longest, performance.now() - start);
            await window.nextFrame();
          }
          return longest;
        }"""
    )
    print(f"search in 20,000 records: longest key {longest:.1f} ms, four keys {time.perf_counter() - start:.2f} s")  # noqa: T201
    assert longest < 1000


def test_long_message_is_folded_and_opened(log: PanelPage) -> None:
    message = "Layers:\n" + "\n".join(f"layer {number}" for number in range(40))
    log.send_log([[0, 0, "verbose", "build", "", message], [1, 0, "info", "build", "", "after"]])
    assert shown(log) == ["Layers:", "layer 0", "layer 1", "layer 2", "layer 3", "… 36 more lines", "after"]
    log.page.get_by_text("… 36 more lines").click()
    assert len(shown(log)) >= 20
    expect(log.page.get_by_text("layer 10", exact=True)).to_be_visible()


def test_line_is_selected_with_the_keyboard_and_shown_whole(log: PanelPage) -> None:
    long = "x" * 5000
    log.send_log([[0, 0, "warning", "build", "TensorRT", long]])
    assert len(shown(log)[0]) < 1600
    scroller(log).focus()
    log.page.keyboard.press("ArrowDown")
    expect(log.page.locator(".trtlab-detail pre").first).to_have_text(long)
    log.page.get_by_role("button", name="Copy line").click()
    expect(log.page.get_by_role("button", name="✓ Copied")).to_be_visible()
    assert log.page.evaluate("() => navigator.clipboard.readText()") == long


def test_shown_lines_are_copied_and_saved(log: PanelPage) -> None:
    log.send_log([[0, 0, "error", "parse", "", "one\ntwo"], [1, 0, "info", "build", "", "three"]])
    log.page.get_by_role("button", name="Info").click()
    log.page.get_by_role("button", name="Copy shown").click()
    expect(log.page.get_by_role("button", name="✓ Copied")).to_be_visible()
    copied = log.page.evaluate("() => navigator.clipboard.readText()")
    assert "one\ntwo" in copied
    assert "three" not in copied
    with log.page.expect_download() as download:
        log.page.get_by_role("button", name="Save", exact=True).click()
    assert download.value.suggested_filename == "tensorrt.log"
    assert "one\ntwo" in download.value.path().read_text()


def test_hidden_log_takes_lines_too(panel: PanelPage) -> None:
    panel.open(views.running())
    panel.send_log(views.log_records(3000, message="line"))
    panel.tab("log")
    # The list learns its size from an observer, which may speak a frame later than the next.
    panel.page.wait_for_function("(rows) => document.querySelectorAll(rows).length > 10", arg=ROWS)
    assert scroller(panel).evaluate("(node) => node.scrollTop + node.clientHeight >= node.scrollHeight - 1")
