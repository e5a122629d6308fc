"""The profile editor and the options: what the panel shows of a plan, and what an edit makes of it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtlab._engine_results import Installation, Option
from trtlab._errors import InputError
from trtlab.build.plan import BuildPlan, ShapeProfile, ShapeRange, parse_bytes
from trtlab.build.validation import validate
from trtlab.model.description import ModelDescription, TensorDescription
from trtlab.widgets import plan_editor, plan_options

MODEL = ModelDescription(
    path="model.onnx", sha256="0", file_bytes=1, ir_version=8, opsets={"": 17}, producer="",
    inputs=(TensorDescription("image", "float32", ("batch", 3, 32, 32)), TensorDescription("fixed", "float32", (1, 2))),
    outputs=(), node_count=1, nested_node_count=0, operators={}, initializer_count=0, weights_bytes=0,
)  # fmt: skip
PLAN = BuildPlan(profiles=(ShapeProfile({"image": ShapeRange((1, 3, 32, 32), (4, 3, 32, 32), (8, 3, 32, 32))}),))
RTX = Installation(
    "tensorrt_rtx", "1.7", "it builds here", None,
    (Option("targets", offered=True), Option("precision.fp16", offered=False, reason="strongly typed")),
    compute_capabilities=("86", "120"),
)  # fmt: skip


def test_row_for_each_dynamic_dimension_only() -> None:
    [profile] = plan_editor.profile_rows(PLAN, MODEL, ())
    assert [(row["tensor"], row["axis"], row["dimension"]) for row in profile["rows"]] == [("image", 0, "batch")]
    assert (profile["rows"][0]["min"], profile["rows"][0]["opt"], profile["rows"][0]["max"]) == (1, 4, 8)
    assert "batch" in profile["rows"][0]["note"]


def test_edit_changes_one_dimension_and_shows_its_problem_in_its_row() -> None:
    changed = plan_editor.with_sizes(PLAN, 0, "image", 0, (9, 4, 8))
    assert changed.profiles[0].shapes["image"].min == (9, 3, 32, 32)
    problems = validate(changed, MODEL)
    [profile] = plan_editor.profile_rows(changed, MODEL, problems)
    assert "min <= opt <= max" in profile["rows"][0]["problem"]
    assert plan_editor.general_problems(changed, MODEL, problems) == []


def test_problem_that_has_no_row_is_shown_above() -> None:
    empty = BuildPlan()
    texts = plan_editor.general_problems(empty, MODEL, validate(empty, MODEL))
    assert len(texts) == 1
    assert "no shape profile" in texts[0]


@pytest.mark.parametrize(("profile", "tensor", "axis"), [(3, "image", 0), (0, "nothing", 0), (0, "image", 7)])
def test_edit_of_what_is_not_there_is_refused(profile: int, tensor: str, axis: int) -> None:
    with pytest.raises(InputError, match="has no axis"):
        plan_editor.with_sizes(PLAN, profile, tensor, axis, (1, 1, 1))


def test_options_that_do_not_apply_say_why() -> None:
    shown = {option["id"]: option for option in plan_options.options(PLAN, RTX, flavour="", cache=True)}
    assert shown["precision"]["enabled"] is False
    assert shown["precision"]["reason"] == "strongly typed"
    assert [choice["value"] for choice in shown["targets"]["choices"]] == ["sm86", "sm120"]
    assert shown["targets"]["choices"][1]["label"] == "SM120 (12.0)"
    assert all(option["reason"] for option in shown.values() if not option["enabled"])


def test_before_tensorrt_was_asked_nothing_is_disabled() -> None:
    shown = plan_options.options(PLAN, None, flavour="", cache=True)
    assert all(option["enabled"] for option in shown)


@pytest.mark.parametrize(
    ("identifier", "value", "expected"),
    [
        ("targets", ["sm86"], BuildPlan(targets=("sm86",))),
        ("optimization_level", "5", BuildPlan(optimization_level=5)),
        ("optimization_level", "default", BuildPlan()),
        ("workspace", "1 GiB", BuildPlan(memory_limits={"workspace": 2**30})),
        ("workspace", "", BuildPlan()),
        ("tf32", "off", BuildPlan(tf32=False)),
        ("timing_cache", "", BuildPlan()),
        ("profiling_verbosity", "none", BuildPlan(profiling_verbosity="none")),
        ("hardware_compatibility", "ampere_plus", BuildPlan(hardware_compatibility="ampere_plus")),
        ("version_compatible", True, BuildPlan(version_compatible=True)),
        ("precision", ["fp16"], BuildPlan(precision=("fp16",))),
    ],
)
def test_option_changes_the_plan(identifier: str, value: object, expected: BuildPlan) -> None:
    assert plan_editor.with_option(BuildPlan(), identifier, value) == expected


@pytest.mark.parametrize(
    ("identifier", "value"), [("nothing", 1), ("profiling_verbosity", "loud"), ("workspace", "much")]
)
def test_unknown_option_or_value_is_refused(identifier: str, value: object) -> None:
    with pytest.raises(InputError):
        plan_editor.with_option(BuildPlan(), identifier, value)


@given(st.integers(min_value=0, max_value=2**50))
def test_bytes_without_a_unit_are_bytes(count: int) -> None:
    assert parse_bytes(str(count)) == count


@given(st.text(max_size=20))
def test_any_text_is_a_size_or_a_clear_error(text: str) -> None:
    size: int | None = None
    with contextlib.suppress(InputError):
        size = parse_bytes(text)
    assert size is None or size >= 0
