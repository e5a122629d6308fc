"""Quantized models: what the real parser and builder refuse is found, what they take is left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tests import models
from tests.support.findings.looking import array, findings_of, found


def quantized(scale: Any = 0.1, zero_point: Any = 0, dtype: Any = np.int8, **attributes: Any) -> onnx.ModelProto:
    """Return y = DequantizeLinear(QuantizeLinear(x)), x of 2 x 4."""
    nodes = [
        models.node("QuantizeLinear", ["x", "s", "z"], ["q"], "quantize", **attributes),
        models.node("DequantizeLinear", ["q", "s", "z"], ["y"], "dequantize", **attributes),
    ]
    shaped = [models.value("x", (2, 4))], [models.value("y", (2, 4))]
    return models.model(nodes, *shaped, initializers=[array("s", scale), array("z", zero_point, dtype)])


def test_what_tensorrt_takes_is_left_alone() -> None:
    assert found(quantized()) == []
    assert found(quantized([0.1, 0.2], [0, 0], axis=0)) == []
    assert found(quantized([0.1] * 4, [0] * 4, axis=-1)) == []
    alone = [models.node("QuantizeLinear", ["x", "s", "z"], ["y"])]
    end = [models.value("y", dtype=TensorProto.INT8)]
    assert found(models.model(alone, outputs=end, initializers=[array("s", 0.1), array("z", 0, np.int8)])) == []


@pytest.mark.parametrize(
    ("proto", "expected", "words"),
    [
        (quantized(zero_point=3), "zero_point", "zero point 3 ('z', int8)"),
        (quantized(zero_point=128, dtype=np.uint8), "zero_point", "zero point 128 ('z', uint8)"),
        (quantized(dtype=np.uint8), "uint8_quantization", "above 127 times"),
        (quantized(scale=0.0), "scale", "scale 0 ('s')"),
        (quantized(scale=[0.1, -1.0], zero_point=[0, 0], axis=0), "scale", "scale -1 ('s', 1 of 2 values)"),
        (quantized(scale=float("nan")), "scale", "scale nan"),
        (quantized(scale=[0.1] * 3, zero_point=[0] * 3, axis=1), "quantization_axis", "3 scales for axis 1 of 'x'"),
        (quantized(scale=[0.1] * 3, zero_point=[0] * 3, axis=5), "quantization_axis", "which 'x' with 2 axes has not"),
    ],
)
def test_each_kind_of_problem(proto: onnx.ModelProto, expected: str, words: str) -> None:
    finding = findings_of(proto)[0]
    assert (finding.severity, finding.id) == ("warning", f"support.{expected}")
    assert words in finding.text
    assert finding.node is not None
    assert finding.node.name == "quantize"


def test_a_zero_point_that_is_an_input() -> None:
    proto = quantized()
    del proto.graph.initializer[1]
    proto.graph.input.append(models.value("z", (), TensorProto.INT8))
    assert [item[1:] for item in found(proto)] == [("zero_point", "z")]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_dequantizing_other_types(dtype: Any) -> None:
    nodes = [models.node("DequantizeLinear", ["w", "s"], ["d"]), models.node("Add", ["x", "d"], ["y"])]
    proto = models.model(nodes, initializers=[models.weight("w", 4, dtype=dtype), array("s", 0.1)])
    assert [item[1:] for item in found(proto)] == [("quantized_type", "w")]


def test_operators_that_compute_in_integers_are_told_once() -> None:
    eight = models.value("x", (4, 4), TensorProto.UINT8)
    nodes = [models.node("MatMulInteger", ["x", "x"], [name], name) for name in ("y", "z", "u")]
    proto = models.model(nodes, [eight], [models.value(name, (4, 4), TensorProto.INT32) for name in ("y", "z", "u")])
    texts = [finding.text for finding in findings_of(proto) if finding.id == "support.integer_operator"]
    assert len(texts) == 1
    assert texts[0].startswith("3 nodes that compute in integers")
