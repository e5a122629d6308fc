"""Models that build get no warning; and what the rules say of TensorRT is what the installed one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import trtlab
from tests import models
from tests.support.findings.looking import array, found
from trtlab import BuildError
from trtlab.model.reading import ModelFile
from trtlab.support.findings import model_findings


@pytest.mark.parametrize(
    "path", [*models.LIGHT_MODELS, *sorted(models.SAMPLES.glob("*.onnx"))], ids=lambda path: path.stem
)
def test_good_models_get_no_warning(path: Path) -> None:
    findings = model_findings(ModelFile(path))
    assert [finding.text for finding in findings if finding.severity != "info"] == []


def test_magika_gets_no_warning() -> None:
    magika = pytest.importorskip("magika")
    for path in Path(magika.__file__).parent.rglob("*.onnx"):
        assert [finding.text for finding in model_findings(ModelFile(path)) if finding.severity != "info"] == []


def _quantized(zero_point: int, scale: float = 0.1) -> onnx.ModelProto:
    nodes = [
        models.node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        models.node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        models.node("Relu", ["d"], ["y"]),
    ]
    return models.model(nodes, initializers=[array("s", scale), array("z", zero_point, np.int8)])


def _cast_through(dtype: int) -> onnx.ModelProto:
    return models.model([models.node("Cast", ["x"], ["c"], to=dtype), models.node("Cast", ["c"], ["y"], to=1)])


def _turned_weight(*, turned: bool) -> onnx.ModelProto:
    first = [models.node("Transpose", ["w"], ["t"])] if turned else []
    nodes = [
        *first,
        models.node("DequantizeLinear", ["t" if turned else "w", "s"], ["d"]),
        models.node("MatMul", ["x", "d"], ["y"]),
    ]
    return models.model(nodes, initializers=[models.weight("w", 4, 4, dtype=np.int8), array("s", 0.1)])


def _named(first: str, second: str) -> onnx.ModelProto:
    nodes = [models.node("Relu", ["x"], ["y"]), models.node("Relu", ["z"], ["w"])]
    inputs = [models.value("x", (first, 4)), models.value("z", (second, 4))]
    outputs = [models.value("y", (first, 4)), models.value("w", (second, 4))]
    return models.model(nodes, inputs, outputs)


CASES: dict[str, tuple[onnx.ModelProto, bool]] = {
    "zero_point_0": (_quantized(0), True),
    "zero_point_3": (_quantized(3), False),
    "negative_scale": (_quantized(0, -0.1), False),
    "int16": (_cast_through(TensorProto.INT16), False),
    "uint8_between": (_cast_through(TensorProto.UINT8), False),
    "float64": (_cast_through(TensorProto.DOUBLE), True),
    "int8_weight": (_turned_weight(turned=False), True),
    "int8_weight_turned": (_turned_weight(turned=True), False),
    "batch_baked": (models.baked_batch(), False),
    "names_differ": (_named("n", "m"), True),
    "one_question_mark": (_named("?", "?"), False),
    "nonzero": (
        models.model([models.node("NonZero", ["x"], ["y"])], outputs=[models.value("y", None, TensorProto.INT64)]),
        False,
    ),
    "plugin": (
        models.model([helper.make_node("Fold", ["x"], ["y"], domain="com.acme")], opsets={"": 17, "com.acme": 1}),
        False,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_warning_means_that_the_real_one_refuses(name: str) -> None:
    proto, builds = CASES[name]
    shapes: dict[str, Any] = {"x": ((1, 4), (2, 4), (4, 4)), "z": ((8, 4), (8, 4), (8, 4))}
    given = {value.name: shapes[value.name] for value in proto.graph.input}
    warnings = [item for item in found(proto) if item[0] == "warning"]
    assert bool(warnings) is not builds
    if builds:
        assert trtlab.build(proto, shapes=given, cache=False).ok
    else:
        with pytest.raises(BuildError):
            trtlab.build(proto, shapes=given, cache=False)
