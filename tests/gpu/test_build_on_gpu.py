"""On a GPU: all seven steps, the real engine inspector, and whether the builder's log tells the same as it.

The last is what makes the log worth showing on machines without a GPU.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import trtlab
from trtlab.build.proposals import proposed_profile
from trtlab.build.report import BuildReport
from trtlab.engine.inspecting import INSPECTOR_SOURCE
from trtlab.engine.layers import layers_from_log

pytestmark = pytest.mark.gpu

SAMPLE_MODELS = Path(__file__).resolve().parents[2] / "sample_models"
MODELS = ("digits.onnx", "transformer.onnx", "control_flow.onnx", "light_resnet50.onnx")


def sample_profile(file: str) -> trtlab.ShapeProfile:
    """Return the profile that the samples' catalog suggests."""
    catalog = json.loads((SAMPLE_MODELS / "catalog.json").read_text(encoding="utf-8"))
    entry = next(model for model in catalog["models"] if model["file"] == file)
    return trtlab.ShapeProfile(
        {
            name: trtlab.ShapeRange(*(tuple(shape[bound]) for bound in ("min", "opt", "max")))
            for name, shape in entry["inputs"].items()
        }
    )


@pytest.fixture(scope="module", params=MODELS)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BuildReport:
    output = tmp_path_factory.mktemp("engines") / "model.engine"
    plan = trtlab.BuildPlan(profiles=(sample_profile(request.param),))
    return trtlab.build(SAMPLE_MODELS / request.param, plan=plan, output=output, cache=False)


def test_all_seven_steps_are_done(report: BuildReport) -> None:
    assert [step.state for step in report.steps] == ["done"] * 7
    assert report.installation is not None
    assert report.installation.gpu is not None
    assert report.engine is not None
    assert Path(report.engine.path).stat().st_size == report.engine.bytes > 0


def test_layers_come_from_the_inspector(report: BuildReport) -> None:
    assert report.layers_source == INSPECTOR_SOURCE
    assert report.layers_note == ""
    assert any(layer.onnx_nodes for layer in report.layers)


def test_log_lists_the_same_layers_as_the_inspector(report: BuildReport) -> None:
    messages = [record.message for record in report.step("build").log if record.message.startswith("Layers:")]
    logged = layers_from_log(messages)
    assert [(layer.name, layer.type, layer.onnx_nodes) for layer in logged] == [
        (layer.name, layer.type, layer.onnx_nodes) for layer in report.layers
    ]
    assert [layer.outputs for layer in logged] == [layer.outputs for layer in report.layers]


def test_log_gives_the_same_activation_memory_as_the_engine(report: BuildReport) -> None:
    assert report.memory is not None
    assert report.memory.source == "engine"
    assert report.memory.activation_bytes == report.step("build").result.memory.activation_bytes


def test_proposed_profiles_build_on_this_gpu() -> None:
    described = trtlab.build(SAMPLE_MODELS / "digits.onnx", shapes="propose", cache=False).model
    assert described is not None
    assert proposed_profile(described) is not None
