"""The panel as a whole: its commands, states, questions, updates, keyboard, themes, and what it leaves behind."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.widgets.static import views
from tests.widgets.static.conftest import OpenPanel
from tests.widgets.static.panel_page import PanelPage

MARKUP = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>'
WORDS = {"waiting": "○", "running": "◐", "done": "✓", "failed": "✕", "cancelled": "⊘", "skipped": "–"}


def test_it_asks_for_the_log_when_it_opens(panel: PanelPage) -> None:
    panel.open(views.nothing_chosen())
    assert panel.page.evaluate("() => window.model.sent") == [{"command": "log_request", "after": -1}]


def test_buttons_send_their_commands(panel: PanelPage) -> None:
    panel.open(views.chosen())
    for name in ("Next: check", "Run all"):
        panel.page.get_by_role("button", name=name, exact=True).click()
    panel.set_view(views.running())
    panel.page.get_by_role("button", name="Cancel", exact=True).click()
    assert panel.sent() == [{"command": "next"}, {"command": "run_all"}, {"command": "cancel"}]


def test_model_is_chosen(panel: PanelPage) -> None:
    panel.open(views.nothing_chosen())
    panel.page.get_by_label("Model").select_option("convnet.onnx")
    assert panel.sent() == [{"command": "select_model", "value": "convnet.onnx"}]


def test_running_is_started_from_the_plan_and_shown_in_the_steps(panel: PanelPage) -> None:
    panel.open(views.chosen())
    expect(panel.page.get_by_role("tab", name="Plan")).to_have_attribute("aria-selected", "true")
    panel.page.get_by_role("button", name="Run all").click()
    expect(panel.page.get_by_role("tab", name="Steps")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize("state", WORDS)
def test_state_is_an_icon_and_a_word(panel: PanelPage, state: str) -> None:
    view = views.chosen()
    view["headline"] = {"state": "waiting" if state == "skipped" else state, "text": "A headline"}
    view["steps"][2] = views.step("parse", state)
    panel.open(view)
    panel.tab("steps")
    badge = panel.page.locator(".trtlab-steps [data-step=parse] .trtlab-state")
    expect(badge).to_have_text(WORDS[state] + state)
    expect(badge.locator(".trtlab-icon")).to_have_text(WORDS[state])


def test_step_from_the_cache_says_so(panel: PanelPage) -> None:
    panel.open(views.done(), views.report())
    expect(panel.page.locator(".trtlab-steps [data-step=inspect] .trtlab-state")).to_have_text("↺from cache")


def test_disabled_button_says_why_and_does_nothing(panel: PanelPage) -> None:
    panel.open(views.nothing_chosen())
    run_all = panel.page.get_by_role("button", name="Run all")
    expect(run_all).to_have_attribute("aria-disabled", "true")
    expect(run_all).to_have_accessible_description("Choose a model first.")
    run_all.focus()
    panel.page.keyboard.press("Shift+Tab")
    panel.page.keyboard.press("Tab")
    expect(panel.page.locator(".trtlab-tip")).to_have_text("Choose a model first.")
    expect(panel.page.locator(".trtlab-tip")).to_be_visible()
    panel.page.keyboard.press("Enter")
    run_all.click(force=True)
    assert panel.sent() == []
    panel.page.keyboard.press("Escape")
    expect(panel.page.locator(".trtlab-tip")).to_be_hidden()
    panel.page.get_by_role("button", name="Cancel").hover()
    expect(panel.page.locator(".trtlab-tip")).to_have_text("Nothing is running.")


def test_keyboard_alone_reaches_next(panel: PanelPage) -> None:
    panel.open(views.chosen())
    for _ in range(12):
        panel.page.keyboard.press("Tab")
        if panel.page.evaluate("() => document.activeElement.dataset.command") == "next":
            break
    panel.page.keyboard.press("Enter")
    assert panel.sent() == [{"command": "next"}]


def test_tabs_move_with_the_arrow_keys(panel: PanelPage) -> None:
    panel.open(views.chosen())
    panel.page.get_by_role("tab", name="Plan").focus()
    panel.page.keyboard.press("ArrowRight")
    expect(panel.page.get_by_role("tab", name="Steps")).to_be_focused()
    expect(panel.page.get_by_role("tabpanel", name="Steps")).to_be_visible()
    panel.page.keyboard.press("End")
    expect(panel.page.get_by_role("tab", name="Python")).to_be_focused()
    assert panel.page.locator("[role=tab][tabindex='0']").count() == 1


def test_keys_stay_in_the_panel_except_for_shortcuts(panel: PanelPage) -> None:
    panel.open(views.chosen())
    panel.page.evaluate(
        """() => {
          window.leaked = [];
          // As JupyterLab does: on the document, in the capture phase, stopping at the attribute.
          document.addEventListener("keydown", (event) => {
            if (!event.target.closest("[data-lm-suppress-shortcuts]")) window.leaked.push(event.key);
          }, true);
        }"""
    )
    panel.page.get_by_role("button", name="Run all").focus()
    panel.page.keyboard.press("d")
    panel.page.keyboard.press("Control+s")
    assert panel.page.evaluate("() => window.leaked.filter((key) => key !== 'Control')") == ["s"]


def test_question_is_asked_and_answered(panel: PanelPage) -> None:
    view = views.done()
    view["ask"] = {
        "id": "overwrite",
        "text": "segmenter.engine is newer. Replace it?",
        "yes": "Replace it",
        "no": "Leave it",
    }
    panel.open(view)
    expect(panel.page.get_by_role("alert")).to_contain_text("segmenter.engine is newer. Replace it?")
    panel.page.get_by_role("button", name="Leave it").click()
    expect(panel.page.get_by_role("alert")).to_be_hidden()
    panel.set_view(view)
    expect(panel.page.get_by_role("alert")).to_be_hidden()
    panel.set_view({**view, "ask": None})
    panel.set_view(view)
    panel.page.get_by_role("button", name="Replace it").click()
    assert panel.sent() == [
        {"command": "answer", "id": "overwrite", "yes": False},
        {"command": "answer", "id": "overwrite", "yes": True},
    ]


def test_focus_and_typed_text_survive_many_updates(panel: PanelPage) -> None:
    panel.open(views.chosen())
    maximum = panel.page.get_by_label("Maximum of batch in image")
    maximum.focus()
    maximum.press("Control+a")
    maximum.press_sequentially("12")
    for number in range(20):
        view = views.chosen()
        view["headline"]["text"] = f"Update {number}"
        view["profiles"][0]["rows"][0]["note"] = f"note {number}"
        panel.set_view(view)
    expect(maximum).to_be_focused()
    expect(maximum).to_have_value("12")
    expect(panel.page.locator(".trtlab-headline-text")).to_have_text("Update 19")
    assert panel.sent() == []


def test_open_details_and_scroll_position_survive_updates(panel: PanelPage) -> None:
    panel.open(views.failed())
    panel.page.locator("[data-step=check] .trtlab-step-opener").click()
    panel.page.get_by_text("The original message", exact=True).click()
    panel.page.evaluate("() => window.scrollTo(0, 120)")
    for _ in range(5):
        panel.set_view(views.failed())
    expect(panel.page.locator("[data-step=check] .trtlab-step-opener")).to_have_attribute("aria-expanded", "true")
    expect(panel.page.locator(".trtlab-more-text").first).to_be_visible()
    assert panel.page.evaluate("() => window.scrollY") == 120


def test_headline_and_progress_do_not_move_the_page(panel: PanelPage) -> None:
    panel.open(views.chosen())
    tabs = panel.page.get_by_role("tablist")
    before = tabs.bounding_box()
    panel.set_view(views.running())
    assert tabs.bounding_box() == before


def test_elapsed_time_ignores_the_difference_between_the_clocks(panel: PanelPage) -> None:
    panel.open(views.chosen())
    view = views.running()
    kernel_now = time.time() - 3600  # the kernel's clock is an hour behind
    view["steps"][4]["started"] = kernel_now
    view["progress"].update(started=kernel_now, last_sign=kernel_now)
    panel.set_view(view)
    shown = panel.page.locator(".trtlab-progress-time")
    first = shown.inner_text()
    assert 0 <= float(first.removesuffix(" s")) < 2
    expect(shown).not_to_have_text(first)  # it goes on without another view
    expect(panel.page.locator(".trtlab-rail [data-step=build] .trtlab-rail-time")).not_to_be_empty()


def test_silence_is_named_but_no_percentage_is_made_up(panel: PanelPage) -> None:
    view = views.running()
    now = time.time()
    view["steps"][4]["started"] = now - 40
    view["progress"].update(started=now - 40, last_sign=now - 14.5, done=0, total=0)
    panel.open(view)
    expect(panel.page.locator(".trtlab-silence")).to_have_text(
        "No sign for 14 s; the builder can be silent for minutes."
    )
    bar = panel.page.get_by_role("progressbar")
    assert bar.get_attribute("aria-valuenow") is None
    expect(panel.page.locator(".trtlab-progress")).not_to_contain_text("%")
    view["progress"].update(done=12, total=40, last_sign=now)
    panel.set_view(view)
    expect(panel.page.locator(".trtlab-progress")).to_contain_text("12 of 40")
    expect(panel.page.locator(".trtlab-silence")).to_be_empty()
    assert bar.get_attribute("aria-valuenow") == "12"


def with_markup(data: Any) -> Any:
    """Put markup into every text that a model or a log could fill."""
    fixed = {"state", "kind", "name", "id", "command", "severity", "value", "model"}
    if isinstance(data, dict):
        return {key: value if key in fixed else with_markup(value) for key, value in data.items()}
    if isinstance(data, list):
        return [with_markup(item) for item in data]
    return f"{data} {MARKUP}" if isinstance(data, str) and data else data


def test_markup_in_every_text_stays_text(panel: PanelPage) -> None:
    view = with_markup(views.failed())
    view["ask"] = {"id": "a", "text": MARKUP, "yes": MARKUP, "no": MARKUP}
    view["problems"] = [MARKUP]
    view["options"][3]["problem"] = MARKUP
    view["flavour"] = MARKUP
    report = with_markup(views.report(30))
    panel.open(view, report)
    panel.send_log(views.log_records(40, message=MARKUP))
    panel.send_log([[99, 0, MARKUP, MARKUP, MARKUP, MARKUP]])
    for tab in ("plan", "steps", "log", "engine", "script"):
        panel.tab(tab)
        panel.page.evaluate("() => window.nextFrame()")
    panel.set_view({**view, "ask": None, "progress": with_markup(views.running()["progress"]), "busy": True})
    panel.page.locator(".trtlab-log-row").first.dispatch_event("click")
    assert panel.page.evaluate("() => window.broken") is None
    assert panel.page.locator(".trtlab img, .trtlab script").count() == 0
    expect(panel.page.locator(".trtlab-card").first).to_contain_text("<script>")
    expect(panel.page.locator(".trtlab-headline")).to_contain_text("onerror")


def test_two_views_of_one_model_are_independent(panel: PanelPage) -> None:
    panel.open(views.chosen())
    panel.open(views.chosen())
    first, second = panel.page.locator(".trtlab").all()
    second.locator("[data-tab=log]").click()
    expect(first.get_by_role("tab", name="Plan")).to_have_attribute("aria-selected", "true")
    panel.set_view(views.running())
    for view in (first, second):
        expect(view.locator(".trtlab-headline-text")).to_have_text("Build is running")
    identifiers = panel.page.evaluate("() => [...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(identifiers) == len(set(identifiers))


def test_cleanup_leaves_no_listener_timer_or_node(panel: PanelPage) -> None:
    panel.page.evaluate(
        """() => {
          window.timers = new Set();
          const { setInterval: set, clearInterval: clear } = window;
          window.setInterval = (...values) => { const id = set(...values); window.timers.add(id); return id; };
          window.clearInterval = (id) => { window.timers.delete(id); clear(id); };
          window.keyListeners = 0;
          const { addEventListener: add, removeEventListener: remove } = window;
          window.addEventListener = (name, ...rest) => { window.keyListeners += name === "keydown"; return add(name, ...rest); };
          window.removeEventListener = (name, ...rest) => { window.keyListeners -= name === "keydown"; return remove(name, ...rest); };
        }"""
    )
    panel.open(views.running())
    panel.send_log(views.log_records(10))
    assert panel.page.evaluate("() => [window.timers.size, window.keyListeners, window.model.listenerCount]") == [
        1,
        1,
        3,
    ]
    panel.page.evaluate("() => window.closePanel()")
    assert panel.page.evaluate("() => [window.timers.size, window.keyListeners, window.model.listenerCount]") == [
        0,
        0,
        0,
    ]
    assert panel.page.locator(".trtlab").count() == 0
    panel.set_view(views.done())
    panel.send_log(views.log_records(10, first=10))


def test_no_timer_runs_while_nothing_does(panel: PanelPage) -> None:
    panel.page.evaluate(
        """() => {
          const { setInterval: set } = window;
          window.count = 0;
          window.setInterval = (...values) => { window.count += 1; return set(...values); };
        }"""
    )
    panel.open(views.done(), views.report())
    assert panel.page.evaluate("() => window.count") == 0


def test_kernel_that_does_not_answer_is_named(panel: PanelPage) -> None:
    panel.page.clock.install()
    panel.open(views.chosen())
    panel.page.get_by_role("button", name="Run all").click()
    panel.page.clock.run_for(4000)
    expect(panel.page.locator(".trtlab-hint")).to_be_hidden()
    panel.page.clock.run_for(2000)
    expect(panel.page.locator(".trtlab-hint")).to_contain_text("The kernel has not answered for 5 s.")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 900, 500])
def test_nothing_is_wider_than_the_page(open_panel: OpenPanel, theme: str, width: int) -> None:
    panel = open_panel(theme=theme, width=width)
    panel.open(views.long_names(), views.report())
    for tab in ("plan", "steps", "log", "engine", "script"):
        panel.tab(tab)
        assert panel.page.evaluate("() => document.documentElement.scrollWidth") <= width, tab
    panel.set_view(views.running())
    assert panel.page.evaluate("() => document.documentElement.scrollWidth") <= width


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = (colors) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const bad = [];
  const walker = document.createTreeWalker(document.querySelector(".trtlab"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !node.checkVisibility() || node.closest("option, .trtlab-tip")) continue;
    const grounds = [];
    for (let up = node; up; up = up.parentElement) grounds.unshift(getComputedStyle(up).backgroundColor);
    const ground = light(paint(grounds)), text = light(paint([...grounds, getComputedStyle(node).color]));
    const ratio = (Math.max(ground, text) + 0.05) / (Math.min(ground, text) + 0.05);
    if (ratio < 4.5) bad.push(`${node.className} "${walker.currentNode.textContent}" ${ratio.toFixed(2)}`);
  }
  return bad;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_can_be_read_in_both_themes(open_panel: OpenPanel, theme: str) -> None:
    panel = open_panel(theme=theme)
    panel.open(views.plan_problems(), views.report())
    panel.send_log(views.log_records(600))
    for view, tabs in (
        (views.plan_problems(), ["plan", "log", "engine", "script"]),
        (views.failed(), ["steps"]),
        (views.running(), ["steps"]),
    ):
        panel.set_view(view)
        for tab in tabs:
            panel.tab(tab)
            panel.page.evaluate("() => window.nextFrame()")
            assert panel.page.evaluate(CONTRAST) == [], f"{tab}, {json.dumps(view['headline'])}"


def test_motion_stops_when_the_system_asks_for_less(open_panel: OpenPanel) -> None:
    running = "() => document.getAnimations().filter((one) => one.playState === 'running').length"
    moving = open_panel()
    moving.open(views.running())
    assert moving.page.evaluate(running) > 0
    still = open_panel(reduced_motion=True)
    still.open(views.running())
    assert still.page.evaluate(running) == 0


def test_long_names_are_cut_in_the_middle_and_whole_in_the_tooltip(panel: PanelPage) -> None:
    panel.open(views.long_names())
    headline = panel.page.locator(".trtlab-headline-text")
    expect(headline).to_contain_text("…")
    assert views.LONG_NAME in (headline.get_attribute("title") or "")
    panel.tab("plan")
    name = panel.page.locator(".trtlab-cell-tensor .trtlab-name").first
    expect(name).to_have_attribute("title", views.LONG_NAME)
    expect(name).to_have_text(views.LONG_NAME)  # selecting copies all of it
    tail = name.locator(".trtlab-name-tail").bounding_box()
    place = name.bounding_box()
    assert tail
    assert place
    assert tail["x"] + tail["width"] <= place["x"] + place["width"] + 1  # the end is in sight
