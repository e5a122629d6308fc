"""Our rules accuse no model that the ONNX checker takes, over every model that onnx and other packages bring along."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import onnx
import pytest

from tests import models
from trtlab.model.check import check
from trtlab.model.reading import ModelFile

FEWEST_NODE_TESTS = 1000  # onnx 1.17 has more already


def checker_accepts(proto: onnx.ModelProto, *, full: bool) -> bool:
    try:
        onnx.checker.check_model(proto, full_check=full)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError):
        return False
    return True


@pytest.mark.filterwarnings("ignore")  # onnx makes some of its cases with operations that numpy warns of
def test_onnx_node_tests(tmp_path: Path) -> None:
    from onnx.backend.test.case.node import collect_testcases

    protos = {case.name: case.model for case in collect_testcases(None) if case.model is not None}
    assert len(protos) > FEWEST_NODE_TESTS
    accused, missed, different = [], [], []
    for name, proto in protos.items():
        accepted = checker_accepts(proto, full=True)
        findings = check(proto)
        path = models.save(proto, tmp_path / "model.onnx")
        file = ModelFile(path) if proto.graph.node else None
        if file is not None and check(file.proto, folder=tmp_path, file=file) != findings:
            different.append(name)
        errors = [finding for finding in findings if finding.severity == "error"]
        if accepted and errors:
            accused.append((name, errors[0].text))
        if not accepted and not findings:
            missed.append(name)
    assert accused == [], "the checker takes these, our rules do not"
    assert different == [], "the check of a build, which has the file at hand, says something else"
    assert missed == [], "the checker refuses these, and nothing was found"


@pytest.mark.parametrize("path", [*models.LIGHT_MODELS, *models.SAMPLES.glob("*.onnx")], ids=lambda path: path.stem)
def test_models_of_real_size(path: Path) -> None:
    file = ModelFile(path)
    assert check(file.proto) == check(file.proto, file=file) == ()


def test_the_model_of_magika() -> None:
    found = importlib.util.find_spec("magika")
    if found is None or not found.origin:
        pytest.skip("magika is not installed")
    paths = list(Path(found.origin).parent.rglob("*.onnx"))
    assert paths
    for path in paths:
        assert check(ModelFile(path).proto) == ()
