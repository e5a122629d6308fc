"""What stands in for a tensor is of the type that the model has there, and whatever is not certain is known to be so."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from tests import models
from tests.support.hostile_models import SHAPE, circle
from tests.support.joined_models import CUSTOM
from trtlab.model.reading import ModelFile
from trtlab.model.working_copy import TensorType, WorkingCopy
from trtlab.support.passes import ImportedTensor
from trtlab.support.stand_ins import StandIns

TAKEN = {TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.FLOAT16}


def stand_ins_of(proto: onnx.ModelProto, folder: Path) -> tuple[WorkingCopy, StandIns]:
    copy = WorkingCopy(ModelFile(models.save(proto, folder / "model.onnx")))
    return copy, StandIns(copy, TAKEN.__contains__)


def gate(source: str, made: str) -> onnx.NodeProto:
    return models.node("Gate", [source], [made], "gate", domain=CUSTOM)


def three(*, known: bool) -> onnx.ModelProto:
    """Return an unknown operator between two others; the model says what it gives, or not."""
    nodes = [models.node("Relu", ["x"], ["a"], "relu"), gate("a", "g"), models.node("Sin", ["g"], ["y"], "sin")]
    proto = models.model(nodes, [models.value("x", SHAPE)], [models.value("y", None)], opsets={"": 17, CUSTOM: 1})
    if known:
        proto.graph.value_info.append(models.value("g", SHAPE))
    return proto


def test_what_the_model_says_is_certain(tmp_path: Path) -> None:
    copy, stand_ins = stand_ins_of(three(known=True), tmp_path)
    stand_ins.replace_outputs(copy.units[1], 1)
    assert stand_ins.types["g"] == TensorType(TensorProto.FLOAT, SHAPE)
    assert stand_ins.doubt_of(copy.units[2]) is None


def test_what_nobody_knows_is_like_what_went_in_and_in_doubt(tmp_path: Path) -> None:
    copy, stand_ins = stand_ins_of(three(known=False), tmp_path)
    stand_ins.replace_outputs(copy.units[1], 1)
    assert stand_ins.types["g"] == TensorType(TensorProto.FLOAT, SHAPE)
    doubt = stand_ins.doubt_of(copy.units[2])
    assert doubt is not None
    assert (doubt.kind, doubt.cause, doubt.tensor) == ("shape", 1, "g")


def test_doubts_are_handed_on_and_end_where_the_model_describes_a_tensor(tmp_path: Path) -> None:
    nodes = [gate("x", "g"), *(models.node("Relu", [a], [b], b) for a, b in ("gp", "pq", "qr"))]
    proto = models.model(nodes, [models.value("x", SHAPE)], [models.value("r", None)], opsets={"": 17, CUSTOM: 1})
    proto.graph.value_info.append(models.value("q", SHAPE))
    copy, stand_ins = stand_ins_of(proto, tmp_path)
    stand_ins.replace_outputs(copy.units[0], 0)
    assert stand_ins.cuts(copy.units[1:]) == {"q"}, "behind it there is no doubt that would have to end"
    stand_ins.take(copy.units[1], [ImportedTensor("p", "FLOAT", (1, -1))])
    stand_ins.take(copy.units[2], [ImportedTensor("q", "FLOAT", (1, -1))])
    assert stand_ins.doubts["p"].cause == 0
    assert "q" not in stand_ins.doubts
    assert stand_ins.types["q"].shape == SHAPE


def test_a_type_that_tensorrt_lacks_blocks_its_readers(tmp_path: Path) -> None:
    nodes = [
        models.node("Cast", ["x"], ["u"], "cast", to=TensorProto.UINT16),
        models.node("Cast", ["u"], ["y"], "back", to=1),
    ]
    copy, stand_ins = stand_ins_of(
        models.model(nodes, [models.value("x", SHAPE)], [models.value("y", SHAPE)]), tmp_path
    )
    stand_ins.replace_outputs(copy.units[0], 0)
    block = stand_ins.block_of(copy.units[1])
    assert block is not None
    assert (block.kind, block.cause, block.tensor) == ("dtype", 0, "u")
    assert "u" not in stand_ins.types


def test_a_constant_that_is_replaced_has_no_values(tmp_path: Path) -> None:
    nodes = [
        models.node("Constant", [], ["c"], "constant", value=models.integers("v", 1, 16)),
        models.node("Reshape", ["x", "c"], ["y"], "reshape"),
    ]
    copy, stand_ins = stand_ins_of(models.model(nodes, [models.value("x", SHAPE)], [models.value("y", None)]), tmp_path)
    stand_ins.replace_outputs(copy.units[0], 0)
    doubt = stand_ins.doubt_of(copy.units[1])
    assert doubt is not None
    assert doubt.kind == "values"


def test_sizes_of_an_inputs_own_name_are_certain_and_made_up_ones_are_not(tmp_path: Path) -> None:
    nodes = [
        models.node("Relu", ["x"], ["a"], "relu"),
        models.node("NonZero", ["a"], ["n"], "nonzero"),
        models.node("Cast", ["n"], ["y"], "cast", to=1),
    ]
    copy, stand_ins = stand_ins_of(
        models.model(nodes, [models.value("x", ("batch", 4))], [models.value("y", None)]), tmp_path
    )
    stand_ins.replace_outputs(copy.units[0], 0)
    stand_ins.replace_outputs(copy.units[1], 1)
    assert "a" not in stand_ins.doubts
    assert stand_ins.types["a"].shape == ("batch", 4)
    assert stand_ins.doubts["n"].kind == "sizes"


def test_tensorrts_own_types_are_taken_with_the_models_names_of_sizes(tmp_path: Path) -> None:
    copy, stand_ins = stand_ins_of(models.convolution(), tmp_path)
    stand_ins.take(copy.units[0], [ImportedTensor("c", "FLOAT", (-1, 4, 8, 8))])
    assert stand_ins.types["c"] == TensorType(TensorProto.FLOAT, ("batch", 4, 8, 8))
    assert stand_ins.shown["c"] == "FLOAT [? x 4 x 8 x 8]"
    stand_ins.take(copy.units[1], [ImportedTensor("r", "NEW_TYPE", (-1,))])
    assert "r" not in stand_ins.types


def test_what_a_circle_makes_is_in_doubt_from_the_start(tmp_path: Path) -> None:
    _, stand_ins = stand_ins_of(circle(), tmp_path)
    assert stand_ins.doubts.keys() == {"a", "b"}
    assert all(doubt.kind == "shape" for doubt in stand_ins.doubts.values())


def test_a_blocked_tensor_is_new_once(tmp_path: Path) -> None:
    _, stand_ins = stand_ins_of(models.relu(), tmp_path)
    assert stand_ins.block("x")
    assert not stand_ins.block("x")


@pytest.mark.parametrize(("known", "fewest"), [(False, 24), (True, 1)])
def test_all_that_is_possible_is_tried(known: bool, fewest: int, tmp_path: Path) -> None:
    copy, stand_ins = stand_ins_of(three(known=known), tmp_path)
    stand_ins.replace_outputs(copy.units[1], 1)
    tried = [types["g"] for types in stand_ins.hypotheses(copy.units[2])]
    assert len(tried) >= fewest
    if known:
        assert set(tried) == {TensorType(TensorProto.FLOAT, SHAPE)}
    else:
        assert {(found.element, len(found.shape)) for found in tried} >= {(1, 0), (7, 1), (9, 3), (10, 5)}
