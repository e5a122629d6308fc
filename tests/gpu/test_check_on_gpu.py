"""A check on a machine with a GPU: the same verdicts as without one, by the TensorRT that runs there."""

from __future__ import annotations

from pathlib import Path

import pytest

import trtlab

pytestmark = pytest.mark.gpu
SAMPLES = Path(__file__).resolve().parents[2] / "sample_models"
BY_PARSER = {
    "/encoder/shrink/Resize",
    "/decoder/gate/LearnedSwish",
    "/head/mask/BitwiseNot",
    "/head/ReduceSum",
    "/head/detailed/Det",
}


@pytest.mark.parametrize("name", ["digits", "transformer", "control_flow", "light_resnet50"])
def test_good_samples_are_supported(name: str) -> None:
    report = trtlab.check(SAMPLES / f"{name}.onnx")
    assert report.supported, report
    assert not report.problems
    assert report.installation.gpu is not None


def test_every_refused_node_is_found_and_the_smallest_model_is_still_refused(tmp_path: Path) -> None:
    report = trtlab.check(SAMPLES / "broken" / "several_refused.onnx")
    refused = {verdict.node.name: verdict.refused_by for verdict in report.unsupported}
    assert set(refused) >= BY_PARSER
    assert all(refused[name] == "parser" for name in BY_PARSER)
    reduced = report.reduce("/head/detailed/Det", output=tmp_path / "smallest.onnx")
    assert reduced.node_count == 1
    assert not trtlab.check(reduced.path).supported
