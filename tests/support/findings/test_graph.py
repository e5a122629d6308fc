"""Names of sizes, ends of the graph, training mode and large constants."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tests import models
from tests.models import Shape
from tests.support.findings.looking import array, findings_of, found

FIXED = (1, 4)


def two(first: Shape, second: Shape) -> onnx.ModelProto:
    nodes = [models.node("Relu", ["x"], ["y"]), models.node("Relu", ["z"], ["w"])]
    return models.model(
        nodes, [models.value("x", first), models.value("z", second)], [models.value("y", None), models.value("w", None)]
    )


@pytest.mark.parametrize("name", ["?", "-1", "None", "unk__12", "12", "*"])
def test_a_name_that_means_nothing_is_still_compared(name: str) -> None:
    assert found(two((name, 4), (name, 3))) == [("warning", "dimension_placeholder", "x")]
    assert found(two((name, 4), (1, 3))) == []


def test_names_that_mean_something() -> None:
    assert found(two(("batch", 4), ("batch", 3))) == []
    assert found(two(("n", 4), (3, "n"))) == [("info", "dimension_shared", "x")]
    assert found(two(("n", 4), ("2*n", 3))) == [("info", "dimension_expression", "z")]
    assert found(two((None, 4), (None, 3))) == []
    assert found(two(("batch_size", 4), ("past-length", 3))) == []


def test_ends_of_the_graph() -> None:
    relu = [models.node("Relu", ["x"], ["y"])]
    through = models.model(relu, outputs=[models.value("y"), models.value("x")])
    constant = models.model(
        relu, outputs=[models.value("y"), models.value("w", (4,))], initializers=[models.weight("w", 4)]
    )
    unused = models.model(relu, [models.value("x"), models.value("u")])
    assert found(through) == [("warning", "output_is_input", "x")]
    assert found(constant) == [("info", "output_is_constant", "w")]
    assert found(unused) == [("info", "unused_input", "u")]
    nothing = models.model([models.node("Relu", ["w"], ["y"])], initializers=[models.weight("w", 1, 4)])
    del nothing.graph.input[:]
    assert found(nothing) == [("info", "no_input", "")]


def test_an_input_that_only_branches_read_is_used() -> None:
    assert found(models.branches([models.node("Relu", ["x"], ["t"])], [models.node("Neg", ["x"], ["e"])])) == []
    given_back = models.branches([models.node("Relu", ["x"], ["t"])], [models.node("Neg", ["x"], ["e"])])
    for attribute in given_back.graph.node[0].attribute:
        del attribute.g.node[:]
        attribute.g.output[0].name = "x"
    assert found(given_back) == []


@pytest.mark.parametrize(("mode", "expected"), [(True, [("warning", "training_mode", "")]), (False, [])])
def test_dropout(mode: bool, expected: list[tuple[str, str, str]]) -> None:
    nodes = [models.node("Dropout", ["x", "ratio", "mode"], ["y"])]
    assert found(models.model(nodes, initializers=[array("ratio", 0.5), array("mode", mode, np.bool_)])) == expected
    plain = models.model([models.node("Dropout", ["x"], ["y", "mask"])])
    assert found(plain) == []


def test_batch_normalization() -> None:
    names = ["scale", "bias", "mean", "variance"]
    weights = [models.weight(name, 4) for name in names]
    plain = models.model([models.node("BatchNormalization", ["x", *names], ["y"])], initializers=weights)
    training = models.model(
        [models.node("BatchNormalization", ["x", *names], ["y", "m", "v"], training_mode=1)], initializers=weights
    )
    assert found(plain) == []
    assert found(training) == [("warning", "training_mode", "")]


def test_large_constants_are_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trtlab.support.findings.large_constants._LARGE_BYTES", 1000)
    monkeypatch.setattr("trtlab.support.findings.large_constants._NOTICEABLE_BYTES", 1000)
    monkeypatch.setattr("trtlab.support.findings.large_constants._MOST_ELEMENTS", 1000)
    constant = models.node("Constant", [], ["w"], value=models.weight("", 1, 2000))
    proto = models.model([constant, models.node("Add", ["x", "w"], ["y"])], [models.value("x", (1, 1))])
    assert [item[:2] for item in found(proto)] == [
        ("info", "large_constant"),
        ("info", "huge_constant"),
        ("info", "constant_nodes"),
    ]


def test_hostile_models_end_quickly_in_text() -> None:
    name = "<script>" * 2000
    proto = models.model(
        [models.node("Cast", ["x"], [name], name, to=TensorProto.INT16), models.node("Relu", [name], ["y"])],
    )
    (finding,) = findings_of(proto)
    assert len(finding.text) < 1000
    same_names = models.branches([models.node("Relu", ["x"], ["t"])], [models.node("Neg", ["x"], ["e"])])
    again = same_names.graph.node.add()
    again.CopyFrom(same_names.graph.node[0])
    again.output[0] = "z"
    same_names.graph.output.append(models.value("z"))
    for attribute in again.attribute:
        attribute.g.node.add().CopyFrom(models.node("Relu", ["x"], ["more"]))
    assert found(same_names) == []
    circle = models.model(
        [models.node("Add", ["x", "b"], ["a"]), models.node("Relu", ["a"], ["b"]), models.node("Relu", ["b"], ["y"])]
    )
    assert found(circle) == []
