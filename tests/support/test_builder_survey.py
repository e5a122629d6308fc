"""How the nodes are found that parse and then stop the builder, and what is never held against one."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

import trtlab
from tests import models
from tests.support.joined_models import joined_model
from trtlab.build.plan import ShapeProfile, ShapeRange
from trtlab.model.reading import ModelFile
from trtlab.model.working_copy import WorkingCopy, number_in, token
from trtlab.support.builder_survey import BuilderSurvey
from trtlab.support.parser_survey import ParserSurvey
from trtlab.support.passes import BuildPass, ImportedNode, ImportedTensor, ParserPass
from trtlab.support.session import SurveySession

IMAGE = (1, 8, 16, 16)


def attention(source: str, made: str, name: str) -> list[onnx.NodeProto]:
    """Return an Attention in FP32, which the builder has no kernel for."""
    return [
        models.node("Sin", [source], [f"{made}_k"]),
        models.node("Tanh", [source], [f"{made}_v"]),
        models.node("Attention", [source, f"{made}_k", f"{made}_v"], [made], name),
    ]


def image_model(*nodes: onnx.NodeProto, opset: int = 23) -> onnx.ModelProto:
    return models.model(list(nodes), [models.value("x", IMAGE)], [models.value("y", IMAGE)], opsets={"": opset})


def test_each_node_that_the_builder_refuses_is_found() -> None:
    nodes = [*attention("x", "a", "first"), models.node("Relu", ["a"], ["b"], "good"), *attention("b", "y", "second")]
    report = trtlab.check(image_model(*nodes))
    assert report.accepted
    assert {verdict.node.name for verdict in report.unsupported} == {"first", "second"}
    assert {verdict.refused_by for verdict in report.unsupported} == {"builder"}
    assert report.counts["unknown"] == 0
    assert report.builds > 1


def test_the_builder_is_asked_about_what_the_parser_leaves() -> None:
    nodes = [models.node("Bernoulli", ["x"], ["a"], "by_parser"), *attention("a", "y", "by_builder")]
    report = trtlab.check(image_model(*nodes))
    assert {verdict.node.name: verdict.refused_by for verdict in report.unsupported} == {
        "by_parser": "parser",
        "by_builder": "builder",
    }


def test_an_if_with_branches_of_different_ranks_is_refused_by_the_builder() -> None:
    then = [models.node("Relu", ["x"], ["t"], "then")]
    other = [models.node("ReduceSum", ["x"], ["e"], "else", keepdims=0)]
    proto = models.branches(then, other)
    del proto.graph.output[:]
    proto.graph.node.append(models.node("Size", ["y"], ["size"], "size"))
    proto.graph.output.append(models.value("size", (), TensorProto.INT64))
    report = trtlab.check(proto)
    assert not report.supported
    assert [(verdict.node.name, verdict.refused_by) for verdict in report.unsupported] == [("choice", "builder")]


def test_a_node_that_builds_only_beside_its_neighbour_is_not_accused() -> None:
    """A DequantizeLinear of FP8 needs the QuantizeLinear before it."""
    scale = models.weight("s")
    nodes = [
        models.node("QuantizeLinear", ["x", "s"], ["q"], "quantize", output_dtype=TensorProto.FLOAT8E4M3FN),
        models.node("DequantizeLinear", ["q", "s"], ["d"], "dequantize"),
        *attention("d", "y", "attention"),
    ]
    proto = image_model(*nodes)
    proto.graph.initializer.append(scale)
    report = trtlab.check(proto)
    assert [verdict.node.name for verdict in report.unsupported] == ["attention"]


def test_a_size_that_was_made_up_is_not_held_against_a_node() -> None:
    """Nobody knows how many numbers Compress gives; the product takes sixteen."""
    nodes = [
        models.node("Compress", ["x", "chosen"], ["c"], "compress"),
        models.node("MatMul", ["c", "w"], ["y"], "product"),
    ]
    inputs = [models.value("x", (32,)), models.value("chosen", (32,), TensorProto.BOOL)]
    proto = models.model(nodes, inputs, [models.value("y", (4,))], [models.weight("w", 16, 4)])
    report = trtlab.check(proto)
    assert {verdict.node.name for verdict in report.unsupported} == {"compress"}
    assert report.find("product").cause in (0, -1)


def test_an_if_around_a_stand_in_is_not_accused() -> None:
    """In its branch a copy stands in for a refused node; if the builder minds that, it says nothing about the If."""
    proto, model = joined_model(58, 19, with_builder_faults=True)
    report = trtlab.check(proto)
    assert {verdict.node.name for verdict in report.unsupported} == model.faulty


def test_a_model_whose_inputs_are_sizes_is_built_with_made_up_ones() -> None:
    proto = models.model(
        [models.node("Expand", ["x", "size"], ["y"], "expand")],
        [models.value("x", (1, 4)), models.value("size", (2,), TensorProto.INT64)],
        [models.value("y", ("a", "b"))],
    )
    report = trtlab.check(proto)
    assert report.supported
    with SurveySession(proto) as session:
        sizes = ShapeRange((3, 4), (3, 4), (3, 4))
        assert session.check(depth="full", profile=ShapeProfile({}, {"size": sizes})).supported
        wrong = ShapeRange((3, 5), (3, 5), (3, 5))
        assert not session.check(depth="full", profile=ShapeProfile({}, {"size": wrong})).supported


# The search itself, with a builder that refuses what it is told to


class ScriptedTensorRt:
    """Parses everything; refuses to build a piece that holds one of some sets of nodes, and names none."""

    def __init__(self, refused: list[frozenset[int]], *, names: bool) -> None:
        self.refused, self.names = refused, names

    def parse(self, model: onnx.ModelProto) -> ParserPass:
        """Accept."""
        return ParserPass(True, (), tuple(_imported(node) for node in model.graph.node))

    def build(self, model: onnx.ModelProto) -> BuildPass:
        """Refuse if the piece holds everything of a set."""
        held = {number_in(node.name) for node in model.graph.node}
        for numbers in self.refused:
            if numbers <= held:
                named = " ".join(map(token, sorted(numbers))) if self.names else ""
                return BuildPass(False, (f"it does not build {named}",))
        return BuildPass(True)


def _imported(node: onnx.NodeProto) -> ImportedNode:
    return ImportedNode(node.name, tuple(ImportedTensor(name, "FLOAT", (1, 4)) for name in node.output))


def surveyed(path: Path, length: int, tensorrt: ScriptedTensorRt) -> tuple[BuilderSurvey, ParserSurvey]:
    models.save(models.model([models.node("Relu", [f"t{n}"], [f"t{n + 1}"], f"n{n}") for n in range(length)],
                             [models.value("t0", (1, 4))], [models.value(f"t{length}", (1, 4))]), path)  # fmt: skip
    copy = WorkingCopy(ModelFile(path))
    parsed = ParserSurvey(copy, tensorrt, report=lambda *_: None)
    parsed.accept_all(tensorrt.parse(copy.model))
    survey = BuilderSurvey(copy, tensorrt, parsed, report=lambda *_: None)
    survey.run()
    return survey, parsed


@settings(max_examples=60, deadline=None)
@given(length=st.integers(1, 12), data=st.data(), names=st.booleans())
def test_nodes_that_are_refused_alone_are_found_and_no_others(
    length: int, data: st.DataObject, names: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    refused = data.draw(st.sets(st.integers(0, length - 1)))
    path = tmp_path_factory.getbasetemp() / "chain.onnx"
    survey, parsed = surveyed(path, length, ScriptedTensorRt([frozenset({n}) for n in refused], names=names))
    assert parsed.verdicts.refused() == sorted(refused)
    assert survey.unplaced == ()
    assert all(verdict.alone for verdict in parsed.verdicts.values())


@settings(max_examples=40, deadline=None)
@given(first=st.integers(0, 8), distance=st.integers(1, 5))
def test_of_nodes_that_are_refused_together_the_last_is_named_with_the_first(
    first: int, distance: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    last = first + distance
    path = tmp_path_factory.getbasetemp() / "chain.onnx"
    survey, parsed = surveyed(path, last + 2, ScriptedTensorRt([frozenset({first, last})], names=False))
    assert parsed.verdicts.refused() == [last]
    verdict = parsed.verdicts[last]
    assert (verdict.alone, verdict.cause, verdict.because) == (False, first, "builder")
    assert survey.unplaced == ()
