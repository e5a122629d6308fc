"""Operators outside the standard: whose they are, what they need, and the ones TensorRT takes for another by their name."""

from __future__ import annotations

import onnx
import pytest
from onnx import helper

from tests import models
from tests.support.findings.looking import findings_of, found


def with_node(domain: str, operator: str, **attributes: str) -> onnx.ModelProto:
    node = helper.make_node(operator, ["x"], ["y"], "odd", domain=domain, **attributes)
    return models.model([node], opsets={"": 17, **({domain: 1} if domain else {})})


@pytest.mark.parametrize(
    ("domain", "operator", "expected"),
    [
        ("com.microsoft", "FusedMatMul", ("warning", "onnxruntime_operator")),
        ("com.microsoft", "GroupQueryAttention", ("info", "onnxruntime_operator")),
        ("com.ms.internal.nhwc", "Conv", ("warning", "onnxruntime_operator")),
        ("ai.onnx.ml", "TreeEnsembleClassifier", ("warning", "classical_operator")),
        ("", "EfficientNMS_TRT", ("warning", "plugin")),
        ("TRT", "EfficientNMS_TRT", ("warning", "plugin")),
        ("com.acme", "Fold", ("warning", "custom_operator")),
        ("com.acme", "Relu", ("warning", "domain_ignored")),
    ],
)
def test_each_kind(domain: str, operator: str, expected: tuple[str, str]) -> None:
    assert found(with_node(domain, operator)) == [(*expected, "")]


def test_standard_operators_and_the_parsers_own_are_left_alone() -> None:
    assert found(with_node("ai.onnx", "Relu")) == []
    assert found(with_node("trt", "TRT_FP8QuantizeLinear")) == []


def test_a_local_function_is_no_custom_operator() -> None:
    body = [models.node("Relu", ["a"], ["b"])]
    function = helper.make_function("com.acme", "Fold", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    call = helper.make_node("Fold", ["x"], ["y"], domain="com.acme")
    assert found(models.model([call], opsets={"": 17, "com.acme": 1}, functions=[function])) == []


def test_the_plugin_is_named_as_the_node_asks_for_it() -> None:
    (finding,) = findings_of(with_node("com.acme", "Fold", plugin_version="3", plugin_namespace="acme"))
    assert "name 'Fold', version '3', namespace 'acme'" in finding.text


def test_names_from_the_model_are_cut() -> None:
    (finding,) = findings_of(with_node("d" * 10_000, "o" * 10_000))
    assert len(finding.text) < 1000
