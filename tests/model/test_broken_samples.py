"""Each broken sample fails in a real build where the catalog says, and what is shown names the node and TensorRT's reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests import models
from trtlab.build.plan import BuildPlan, shape_profile
from trtlab.build.report import BuildReport
from trtlab.build.session import BuildSession

CATALOG: dict[str, dict[str, Any]] = {
    entry["file"]: entry
    for entry in json.loads((models.SAMPLES / "catalog.json").read_text(encoding="utf-8"))["models"]
}
BROKEN = [name for name, entry in CATALOG.items() if entry["expect"]["outcome"] == "fails"]
DIAGNOSES = {
    "broken/empty.onnx": "parse.invalid_model",
    "broken/truncated.onnx": "parse.invalid_model",
    "broken/html.onnx": "parse.invalid_model",
    "broken/git_lfs_pointer.onnx": "parse.invalid_model",
    "broken/missing_initializer.onnx": "parse.invalid_model",
    "broken/cycle.onnx": "parse.invalid_model",
    "broken/mismatched_channels.onnx": "parse.shape",
    "broken/unsupported_operator.onnx": "parse.unsupported_node",
    "broken/custom_operator.onnx": "parse.plugin_missing",
    "broken/int16_input.onnx": "parse.dtype",
    "broken/batch_baked_in.onnx": "config.profile_range",
    "broken/branch_ranks.onnx": "parse.shape",
    "broken/several_refused.onnx": "parse.unsupported_node",
    "broken/external_data_missing.onnx": "parse.invalid_model",
    "broken/external_data_escapes.onnx": "parse.invalid_model",
}
FINDINGS = {
    "broken/missing_initializer.onnx": ("model.missing_tensor", "/features/conv"),
    "broken/cycle.onnx": ("model.cycle", ""),
    "broken/mismatched_channels.onnx": ("model.channels", "/features/conv"),
}


def built(name: str) -> BuildReport:
    """Build a sample with the shapes that the catalog suggests."""
    shapes = {key: (entry["min"], entry["opt"], entry["max"]) for key, entry in CATALOG[name]["inputs"].items()}
    plan = BuildPlan(profiles=(shape_profile(shapes),)) if shapes else BuildPlan()
    with BuildSession(models.SAMPLES / name, plan=plan) as session:
        return session.run_all()


@pytest.fixture(scope="module")
def reports() -> dict[str, BuildReport]:
    return {name: built(name) for name in BROKEN}


@pytest.mark.parametrize("name", BROKEN)
def test_it_fails_in_the_step_that_the_catalog_names(name: str, reports: dict[str, BuildReport]) -> None:
    report, expected = reports[name], CATALOG[name]["expect"]
    assert not report.ok
    assert [step.name for step in report.steps if step.state == "failed"] == [expected["step"]]
    assert {step.state for step in report.steps} == {"done", "failed", "waiting"} - (
        {"done"} if expected["step"] == "load" else set()
    )


@pytest.mark.parametrize("name", BROKEN)
def test_the_diagnosis_is_the_right_one_and_names_the_node(name: str, reports: dict[str, BuildReport]) -> None:
    diagnosis, expected = reports[name].diagnoses[0], CATALOG[name]["expect"]
    assert diagnosis.id == DIAGNOSES[name]
    assert diagnosis.title
    assert diagnosis.place.step == expected["step"]
    shown = repr(diagnosis)
    if expected["node"]:
        assert expected["node"] in shown
    if expected["tensorrt"]["step"] == expected["step"]:
        assert expected["tensorrt"]["message_contains"] in diagnosis.original
    assert len(repr(reports[name]).splitlines()) <= 5


def test_a_remedy_holds_the_code_for_the_release_that_builds_and_no_other(reports: dict[str, BuildReport]) -> None:
    remedy = reports["broken/custom_operator.onnx"].diagnoses[0].remedies[0]
    assert remedy.code == remedy.code_for["tensorrt_rtx"].rstrip()
    assert "all_creators" in remedy.code_text()
    assert "plugin_creator_list" not in remedy.code_text()


@pytest.mark.parametrize("name", FINDINGS)
def test_the_check_found_it_before(name: str, reports: dict[str, BuildReport]) -> None:
    identifier, node = FINDINGS[name]
    assert (identifier, node) in {
        (finding.id, finding.node.name if finding.node and node else "") for finding in reports[name].findings
    }


def test_the_refused_input_is_named_with_its_type(reports: dict[str, BuildReport]) -> None:
    diagnosis = reports["broken/int16_input.onnx"].diagnoses[0]
    assert diagnosis.place.tensor == "samples"
    assert "int16" in diagnosis.why


def test_weight_files_are_named(reports: dict[str, BuildReport]) -> None:
    for name in ("broken/external_data_missing.onnx", "broken/external_data_escapes.onnx"):
        assert "features.conv.weight" in reports[name].diagnoses[0].why
