"""Editing the plan: what is typed is sent once, and what is wrong or not available says so."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.widgets.static import views
from tests.widgets.static.panel_page import PanelPage


def test_profile_edit_is_sent_once(panel: PanelPage) -> None:
    panel.open(views.chosen())
    maximum = panel.page.get_by_label("Maximum of batch in image")
    maximum.fill("32")
    maximum.press("Enter")
    maximum.press("Tab")
    assert panel.sent() == [
        {"command": "set_profile", "profile": 0, "tensor": "image", "axis": 0, "min": 1, "opt": 4, "max": 32}
    ]


def test_sent_value_is_not_taken_back_by_a_view_that_was_on_its_way(panel: PanelPage) -> None:
    panel.open(views.chosen())
    maximum = panel.page.get_by_label("Maximum of batch in image")
    maximum.fill("32")
    maximum.press("Tab")
    panel.set_view(views.chosen())
    expect(maximum).to_have_value("32")
    answer = views.chosen()
    answer["profiles"][0]["rows"][0]["max"] = 24
    panel.set_view(answer)
    expect(maximum).to_have_value("24")


def test_size_that_is_no_number_is_not_sent(panel: PanelPage) -> None:
    panel.open(views.chosen())
    minimum = panel.page.get_by_label("Minimum of batch in image")
    for text in ("", "1.5", "-1"):
        minimum.fill(text)
        minimum.press("Tab")
        expect(minimum).to_have_accessible_description("✕ Each of the three sizes must be a whole number, 0 or more.")
        expect(minimum).to_have_attribute("aria-invalid", "true")
    panel.set_view(views.chosen())
    expect(minimum).to_have_value("-1")
    assert panel.sent() == []


def test_problem_stands_beside_its_row_and_is_counted(panel: PanelPage) -> None:
    panel.open(views.plan_problems())
    expect(panel.page.get_by_label("Minimum of batch in image").first).to_have_accessible_description(
        "✕ min 8 is larger than opt 4."
    )
    expect(panel.page.get_by_text("The engine file would be written into the model's own path.")).to_be_visible()
    expect(panel.page.get_by_role("tab", name="Plan")).to_contain_text("✕ 6 problems")
    expect(panel.page.get_by_role("button", name="Show problems")).to_be_visible()


def test_profiles_are_added_removed_and_proposed(panel: PanelPage) -> None:
    panel.open(views.plan_problems())
    panel.page.get_by_role("button", name="Add profile").click()
    panel.page.get_by_role("button", name="Remove profile 1").click()
    panel.page.get_by_role("button", name="Propose again").click()
    panel.page.get_by_role("table", name="Shape profile 1").get_by_label("Optimum of height in image").fill("300")
    panel.page.keyboard.press("Enter")
    assert [message["command"] for message in panel.sent()] == [
        "add_profile",
        "remove_profile",
        "propose_profiles",
        "set_profile",
    ]
    assert panel.sent()[1]["profile"] == 1
    assert panel.sent()[3]["profile"] == 1


@pytest.mark.parametrize(
    ("label", "typed", "value"),
    [
        ("Workspace limit", "1 GiB", 1 << 30),
        ("Workspace limit", "1.5g", 3 << 29),
        ("Workspace limit", "512 MB", 512_000_000),
        ("Workspace limit", "4096", 4096),
        ("Workspace limit", "", None),
        ("Optimization level", "5", 5),
        ("Optimization level", "", None),
    ],
)
def test_typed_options_are_read(panel: PanelPage, label: str, typed: str, value: Any) -> None:
    view = views.chosen()
    view["options"][3]["value"] = 7
    panel.open(view)
    panel.page.get_by_label(label).fill(typed)
    panel.page.keyboard.press("Enter")
    assert [message["value"] for message in panel.sent()] == [value]


@pytest.mark.parametrize(("label", "typed"), [("Workspace limit", "3 parrots"), ("Optimization level", "high")])
def test_unreadable_options_are_named_and_not_sent(panel: PanelPage, label: str, typed: str) -> None:
    panel.open(views.chosen())
    field = panel.page.get_by_label(label)
    field.fill(typed)
    field.press("Tab")
    expect(field).to_have_attribute("aria-invalid", "true")
    panel.set_view(views.chosen())
    expect(field).to_have_value(typed)
    assert panel.sent() == []


def test_size_is_shown_so_that_it_reads_back_the_same(panel: PanelPage) -> None:
    view = views.chosen()
    panel.open(view)
    field = panel.page.get_by_label("Workspace limit")
    for value, text in (
        (1 << 30, "1 GiB"),
        (3 << 29, "1.5 GiB"),
        (1_000_000_000, "1000000000 B"),
        ("2 GiB", "2 GiB"),
        (None, ""),
    ):
        view["options"][3]["value"] = value
        panel.set_view(view)
        expect(field).to_have_value(text)


def test_choice_flag_and_several_are_sent(panel: PanelPage) -> None:
    panel.open(views.chosen())
    panel.page.get_by_label("TensorRT", exact=True).select_option(label="TensorRT")
    panel.page.get_by_label("Version compatible").uncheck()
    group = panel.page.get_by_role("group", name="Target GPUs")
    group.get_by_label("SM120").check()
    group.get_by_label("SM86").uncheck()
    assert panel.sent() == [
        {"command": "set_option", "id": "flavour", "value": "tensorrt"},
        {"command": "set_option", "id": "version_compatible", "value": False},
        {"command": "set_option", "id": "targets", "value": ["sm86", "sm89", "sm120"]},
        {"command": "set_option", "id": "targets", "value": ["sm89", "sm120"]},
    ]


def test_option_that_is_not_offered_says_why_and_cannot_be_changed(panel: PanelPage) -> None:
    panel.open(views.chosen())
    box = panel.page.get_by_label("FP16", exact=True)
    reason = "TensorRT-RTX is strongly typed: precision is in the model, not in the builder."
    expect(box).to_have_attribute("aria-disabled", "true")
    expect(box).to_have_accessible_description(f"⊘ {reason}")
    box.hover()
    expect(panel.page.locator(".trtlab-tip")).to_have_text(reason)
    panel.page.get_by_text("FP16", exact=True).click(force=True)
    box.focus()
    panel.page.keyboard.press("Space")
    expect(box).not_to_be_checked()
    cache = panel.page.get_by_label("Timing cache")
    cache.focus()
    panel.page.keyboard.type("cache.bin")
    expect(cache).to_have_value("")
    assert panel.sent() == []


def test_plan_can_be_read_but_not_changed_while_a_step_runs(panel: PanelPage) -> None:
    panel.open(views.running())
    panel.tab("plan")
    for field in (
        panel.page.get_by_label("Maximum of batch in image"),
        panel.page.get_by_label("Workspace limit"),
        panel.page.get_by_label("Engine file"),
    ):
        expect(field).to_have_attribute("aria-disabled", "true")
        expect(field).to_have_attribute("data-tip", "A step is running. Cancel it, or wait until it has ended.")
    panel.set_view(views.done())
    expect(panel.page.get_by_label("Maximum of batch in image")).not_to_have_attribute("aria-disabled", "true")


def test_output_path_is_sent(panel: PanelPage) -> None:
    panel.open(views.chosen())
    panel.page.get_by_label("Engine file").fill(" engines/a.engine ")
    panel.page.keyboard.press("Enter")
    assert panel.sent() == [{"command": "set_output", "path": "engines/a.engine"}]


def test_empty_states_teach(panel: PanelPage) -> None:
    panel.open(views.nothing_chosen())
    expect(panel.page.get_by_text("Choose a model to see its dynamic dimensions.")).to_be_visible()
    expect(panel.page.locator(".trtlab-hint")).to_have_text("Choose a model first.")
    for tab, words in (
        ("log", "The log of TensorRT's parser and builder will be here"),
        ("engine", "Once the engine is built: its size"),
        ("script", "Once the engine is built: the same build"),
    ):
        panel.tab(tab)
        expect(panel.page.get_by_role("tabpanel").get_by_text(words)).to_be_visible()
