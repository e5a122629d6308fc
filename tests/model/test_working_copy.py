"""The copy that a survey takes apart: every node has its number, and each piece is a model of its own."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto

from tests import models
from tests.support.hostile_models import HOSTILE, SHAPE, functions_in_functions, large_weights, many_ifs, nested
from trtlab.model.node_list import list_nodes
from trtlab.model.node_numbers import NodeNumbers
from trtlab.model.reading import ModelFile
from trtlab.model.walk import scopes
from trtlab.model.working_copy import TensorType, WorkingCopy, nodes_inside, number_in, numbers_in, token


def file_of(proto: onnx.ModelProto, folder: Path) -> ModelFile:
    return ModelFile(models.save(proto, folder / "model.onnx"))


# Numbers


@given(number=st.integers(0, 10**9), before=st.text(), after=st.text())
def test_a_number_is_found_in_any_text(number: int, before: str, after: str) -> None:
    assert numbers_in(token(number)) == [number]
    assert number in numbers_in(f"{before}{token(number)}{after}") or "trtlab_n" in before


@given(numbers=st.lists(st.integers(0, 10**6), max_size=6))
def test_numbers_are_found_in_their_order(numbers: list[int]) -> None:
    text = "{ForeignNode[" + "...".join(map(token, numbers)) + "]}"
    assert numbers_in(text) == numbers
    assert number_in(text) == (numbers[-1] if numbers else -1)


@pytest.mark.parametrize("text", ["", "trtlab_n_", "trtlab_n5", "trtlab_nx_", "n5_", "trtlab_n-5_"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert numbers_in(text) == []


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - {"3,000 Ifs", "million elements"}))
def test_a_number_means_the_same_node_everywhere(name: str, tmp_path: Path) -> None:
    """In the list of nodes, in the copy, and where the parser's errors are led to nodes."""
    file = file_of(HOSTILE[name](), tmp_path)
    listed = list_nodes(file)
    numbers, copy = NodeNumbers(file), WorkingCopy(file)
    nodes = [node for scope in scopes(file.proto) for node in scope.nodes]
    assert copy.names == list(listed.names) == [node.name for node in nodes]
    for number, reference in enumerate(listed.references()):
        assert numbers.reference(number) == reference
        assert reference.op_type == nodes[number].op_type
    for unit in copy.units:
        for node in (unit.node, *nodes_inside(unit.node)):
            assert node.op_type == nodes[number_in(node.name)].op_type


def test_every_node_is_in_the_copy_or_in_a_circle(tmp_path: Path) -> None:
    for name in ("circle", "own circle", "unsorted", "functions in functions", "large weights", "no names"):
        file = file_of(HOSTILE[name](), tmp_path)
        copy = WorkingCopy(file)
        held = {number for unit in copy.units for number in (unit.number, *unit.inside)} | copy.in_circle.keys()
        calls = {
            number
            for number, node in enumerate(node for scope in file.scopes for node in scope.nodes)
            if node.domain == "local"
        }
        assert held | calls == set(range(len(copy.names))), name


def test_messages_come_back_in_the_models_own_words(tmp_path: Path) -> None:
    nodes = [models.node("Relu", ["x"], ["a"], "the relu"), models.node("Relu", ["a"], ["y"])]
    copy = WorkingCopy(file_of(models.model(nodes), tmp_path))
    text = f"{token(0)}: no. {token(1)}__2 reads trtlab_from_{token(0)}0; {{ForeignNode[{token(0)}...{token(1)}]}}"
    assert copy.in_own_words(text) == "the relu: no. #1 reads the relu; {ForeignNode[the relu...#1]}"


def test_the_model_itself_is_not_changed(tmp_path: Path) -> None:
    file = file_of(functions_in_functions(), tmp_path)
    before = file.proto.SerializeToString(deterministic=True)
    copy = WorkingCopy(file)
    copy.piece(range(len(copy.units)), dict(copy.types))
    assert file.proto.SerializeToString(deterministic=True) == before


# Units


def test_units_stand_behind_what_they_need(tmp_path: Path) -> None:
    copy = WorkingCopy(file_of(HOSTILE["unsorted"](), tmp_path))
    assert [copy.names[unit.number] for unit in copy.units] == ["first", "second", "det"]


def test_constants_are_known_as_such(tmp_path: Path) -> None:
    nodes = [
        models.node("Constant", [], ["c"], "constant", value=models.integers("v", 2)),
        models.node("Add", ["c", "w"], ["s"], "sum"),
        models.node("Shape", ["x"], ["n"], "shape"),
        models.node("RandomUniform", [], ["u"], "random", shape=[1]),
        models.node("Relu", ["x"], ["y"], "relu"),
    ]
    copy = WorkingCopy(file_of(models.model(nodes, initializers=[models.integers("w", 1)]), tmp_path))
    constant = {copy.names[unit.number] for unit in copy.units if unit.is_constant}
    assert constant == {"constant", "sum", "shape"}


def test_a_unit_reads_what_its_branches_read(tmp_path: Path) -> None:
    copy = WorkingCopy(file_of(nested(3), tmp_path))
    [unit] = copy.units
    assert set(unit.reads) == {"x", "flag"}
    assert len(unit.inside) == len(copy.names) - 1


# Pieces


def test_a_piece_reads_what_is_made_outside_it_and_makes_what_is_read_outside(tmp_path: Path) -> None:
    copy = WorkingCopy(file_of(models.convolution(), tmp_path))
    piece = copy.piece([1, 2], dict(copy.types), marks_outputs=True)
    assert [value.name for value in piece.graph.input] == ["c"]
    assert [value.name for value in piece.graph.output] == ["p"]
    onnx.checker.check_model(piece, full_check=True)


def test_constants_come_along_unless_they_are_blocked(tmp_path: Path) -> None:
    nodes = [
        models.node("Constant", [], ["c"], "constant", value=models.integers("v", 1, 16)),
        models.node("Reshape", ["x", "c"], ["y"], "reshape"),
    ]
    copy = WorkingCopy(file_of(models.model(nodes, [models.value("x", SHAPE)], [models.value("y", None)]), tmp_path))
    assert [node.op_type for node in copy.piece([1], {}).graph.node][:2] == ["Constant", "Reshape"]
    stand_in = {"c": TensorType(TensorProto.INT64, (2,))}
    alone = copy.piece([1], stand_in, blocked=frozenset({0}))
    assert [node.op_type for node in alone.graph.node][:1] == ["Reshape"]
    assert "c" in {value.name for value in alone.graph.input}


def test_a_cut_tensor_is_an_input_though_its_maker_is_there(tmp_path: Path) -> None:
    copy = WorkingCopy(file_of(models.chain(3), tmp_path))
    piece = copy.piece([0, 1, 2], dict(copy.types), cuts={"t1"}, marks_outputs=True)
    assert {value.name for value in piece.graph.input} == {"t0", "t1"}
    assert {value.name for value in piece.graph.output} == {"t1_trtlab_cut", "t3"}
    onnx.checker.check_model(piece)
    assert copy.units[0].node.output == ["t1"]


def test_weights_that_were_left_out_are_back_in_a_piece_and_stay_out_of_the_copy(tmp_path: Path) -> None:
    proto = large_weights()
    copy = WorkingCopy(file_of(proto, tmp_path))
    assert not copy.initializers["w"].raw_data
    piece = copy.piece(range(len(copy.units)), dict(copy.types))
    tensors = {tensor.name: tensor for tensor in piece.graph.initializer}
    assert tensors["w"].raw_data == proto.graph.initializer[0].raw_data
    [constant] = [node for node in piece.graph.node if node.output[0] == "c"]
    assert constant.attribute[0].t.raw_data == proto.graph.node[0].attribute[0].t.raw_data
    [choice] = [node for node in piece.graph.node if node.op_type == "If"]
    inner = next(item.g for item in choice.attribute if item.name == "then_branch")
    assert len(inner.node[0].attribute[0].t.raw_data) == 5 << 20
    assert not copy.initializers["w"].raw_data


def test_types_in_branches_are_known_by_node_and_place(tmp_path: Path) -> None:
    copy = WorkingCopy(file_of(many_ifs(1), tmp_path))
    number = next(number for unit in copy.units for number in unit.inside)
    assert copy.types_inside[f"{token(number)}:0"] == TensorType(TensorProto.FLOAT, SHAPE)


def test_functions_are_put_in_place_under_the_numbers_of_their_nodes(tmp_path: Path) -> None:
    file = file_of(functions_in_functions(), tmp_path)
    copy = WorkingCopy(file)
    assert copy.has_functions
    assert not copy.model.functions
    assert [copy.names[unit.number] for unit in copy.units].count("det") == 2, "one for each call"


@pytest.mark.parametrize("name", ["endless function", "endless functions"])
def test_functions_that_call_themselves_stay_where_they_are(name: str, tmp_path: Path) -> None:
    copy = WorkingCopy(file_of(HOSTILE[name](), tmp_path))
    assert copy.model.functions
    assert [copy.names[unit.number] for unit in copy.units] == ["call1", "call2"]
    assert copy.types["x"].shape == SHAPE
