"""The check finds every fault of a model at once, each with its node, and tells causes from consequences."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from tests import models
from trtlab._errors import InputError
from trtlab.model.check import check
from trtlab.model.description import Finding
from trtlab.model.graph_order import GraphOrder
from trtlab.model.light_copy import LightCopy
from trtlab.model.reading import ModelFile
from trtlab.model.walk import Scope


def found(proto: onnx.ModelProto) -> list[tuple[str, str, str]]:
    """Return the findings as (id, name of the node, name of the tensor), and see that the model was left as it was."""
    before = proto.SerializeToString(deterministic=True)
    findings = check(proto)
    assert proto.SerializeToString(deterministic=True) == before
    assert_same_from_a_file(proto, findings)
    assert all(isinstance(finding, Finding) and finding.text for finding in findings)
    return [(item.id, item.node.name if item.node else "", item.tensor or "") for item in findings]


def assert_same_from_a_file(proto: onnx.ModelProto, findings: tuple[Finding, ...]) -> None:
    """The file that a model was read from, which the check of a build looks at, makes no difference to what is found."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            file = ModelFile(models.save(proto, Path(folder) / "model.onnx"))
        except InputError:  # no nodes, for instance
            return
        assert check(file.proto, folder=file.path.parent, file=file) == findings


def test_a_good_model_has_no_findings() -> None:
    for proto in (models.relu(), models.convolution(), models.chain(50), models.baked_batch()):
        assert check(proto) == ()
        assert_same_from_a_file(proto, ())


def test_only_a_model_that_the_tools_refuse_is_copied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def copy(*_: object, **__: object) -> None:
        raise AssertionError("copied")

    monkeypatch.setattr("trtlab.model.check.LightCopy", copy)
    good = ModelFile(models.save(models.convolution(), tmp_path / "good.onnx"))
    assert check(good.proto, file=good) == ()
    faulty = models.convolution()
    faulty.graph.node[0].input[0] = "gone"
    file = ModelFile(models.save(faulty, tmp_path / "faulty.onnx"))
    with pytest.raises(AssertionError, match="copied"):
        check(file.proto, file=file)


def test_several_faulty_nodes_are_all_found() -> None:
    nodes = [
        models.node("Relu", ["x"], ["a"], "extra attribute", alpha=1.0),
        models.node("LeakyRelu", ["a"], ["b"], "wrong type of attribute", alpha="text"),
        models.node("Concat", ["a", "b"], ["c"], "attribute missing"),
        models.node("Relu", ["c", "c"], ["d"], "too many inputs"),
        models.node("Swisch", ["d"], ["e"], "no such operator"),
        models.node("Add", ["e", "gone"], ["y"], "input missing"),
    ]
    assert sorted(found(models.model(nodes))) == [
        ("model.invalid_node", "attribute missing", ""),
        ("model.invalid_node", "extra attribute", ""),
        ("model.invalid_node", "no such operator", ""),
        ("model.invalid_node", "too many inputs", ""),
        ("model.invalid_node", "wrong type of attribute", ""),
        ("model.missing_tensor", "input missing", "gone"),
    ]


def test_shapes_that_do_not_fit_are_found_at_each_node_and_not_behind_it() -> None:
    nodes = [
        models.node("Conv", ["flat", "w"], ["a"]),
        models.node("MatMul", ["x", "x"], ["b"]),
        models.node("Add", ["a", "b"], ["y"]),
    ]
    inputs = [models.value("x", (1, 3, 8, 7)), models.value("flat", (2, 2))]
    proto = models.model(nodes, inputs, [models.value("y", (1,))], [models.weight("w", 4, 4, 3, 3)])
    findings = check(proto)
    assert [(finding.id, finding.node.index if finding.node else None) for finding in findings] == [
        ("model.shape", 0),
        ("model.shape", 1),
    ], "unnamed nodes are told apart, and Add has only nothing to work on"


def test_weights_made_for_other_channels_are_found_wherever_they_are() -> None:
    """ONNX's own inference has nothing against these."""
    nodes = [
        models.node("Conv", ["x", "four"], ["a"], "conv", pads=[1, 1, 1, 1]),
        models.node("ConvTranspose", ["x", "four"], ["b"], "transposed"),
        models.node("Conv", ["x", "one"], ["c"], "fits in three groups", group=3),
        models.node("MatMul", ["x", "x"], ["d"], "does not fit"),
    ]
    weights = [models.weight("four", 4, 4, 3, 3), models.weight("one", 3, 1, 3, 3)]
    proto = models.model(nodes, [models.value("x", ("batch", 3, 8, 7))], [models.value("c", None)], weights)
    assert {(item.id, item.node.name) for item in check(proto) if item.node} == {
        ("model.channels", "conv"),
        ("model.channels", "transposed"),
        ("model.shape", "does not fit"),
    }
    inner = models.branches([nodes[0]], [models.node("Relu", ["x"], ["e"])])
    inner.graph.input[0].CopyFrom(models.value("x", ("batch", 3, 8, 7)))
    inner.graph.initializer.append(weights[0])
    [finding] = [item for item in check(inner) if item.id == "model.channels"]
    assert finding.node is not None
    assert finding.node.scope == "choice/then_branch"
    assert "are made for 4 channels" in finding.text


def test_a_declared_output_that_contradicts_the_graph() -> None:
    cast = models.node("Cast", ["x"], ["y"], "cast", to=TensorProto.INT32)
    assert found(models.model([cast])) == [("model.shape", "cast", "")]
    relu = models.relu((2, 3))
    relu.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 4
    assert found(relu) == [("model.shape", "relu", "")]


def test_faults_in_subgraphs_are_found_where_they_are() -> None:
    proto = models.branches(
        [models.node("MatMul", ["x", "x"], ["t"], "does not fit")],
        [models.node("Relu", ["gone"], ["e0"], "reads nothing"), models.node("Conv", ["x"], ["e"], "lacks weights")],
    )
    proto.graph.input[0].CopyFrom(models.value("x", (2, 3)))
    findings = {(item.id, item.node.name, item.node.scope) for item in check(proto) if item.node}
    assert findings == {
        ("model.shape", "does not fit", "choice/then_branch"),
        ("model.missing_tensor", "reads nothing", "choice/else_branch"),
        ("model.invalid_node", "lacks weights", "choice/else_branch"),
    }


def test_an_if_itself_is_checked_too() -> None:
    proto = models.branches([models.node("Relu", ["x"], ["t"])], [models.node("Neg", ["x"], ["e"])])
    del proto.graph.node[0].attribute[0]
    assert found(proto) == [("model.invalid_node", "choice", "")]


def test_a_subgraph_reads_and_makes_names_by_the_rules() -> None:
    late = models.branches([models.node("Relu", ["late"], ["t"])], [models.node("Neg", ["x"], ["e"])])
    late.graph.node.append(models.node("Relu", ["x"], ["late"], "too late"))
    assert found(late) == [("model.not_sorted", "choice", "late")]

    again = models.branches(
        [models.node("Relu", ["x"], ["early"], "makes it again")], [models.node("Neg", ["x"], ["e"])]
    )
    again.graph.node.insert(0, models.node("Relu", ["x"], ["early"], "makes it"))
    assert found(again) == [("model.duplicate_tensor", "makes it again", "early")]

    outer = models.branches([models.node("Relu", ["gone"], ["t"])], [models.node("Neg", ["x"], ["e"])])
    outer.graph.node[0].attribute[0].g.output[0].name = "nobody"
    assert ("model.missing_tensor", "", "nobody") in found(outer)


def test_circles_are_found_each_and_nodes_between_them_are_not_accused() -> None:
    nodes = [
        models.node("Add", ["x", "b"], ["a"], "first of one"),
        models.node("Relu", ["a"], ["b"], "second of one"),
        models.node("Relu", ["b"], ["m"], "between"),
        models.node("Add", ["m", "d"], ["c"], "first of two"),
        models.node("Relu", ["c"], ["d"], "second of two"),
        models.node("Add", ["d", "s"], ["s"], "feeds itself"),
        models.node("Relu", ["s"], ["y"], "behind"),
    ]
    findings = check(models.model(nodes))
    assert [(item.id, item.node and item.node.name) for item in findings] == [
        ("model.cycle", "first of one"),
        ("model.cycle", "first of two"),
        ("model.cycle", "feeds itself"),
    ]
    assert "'first of one' (Add) -> 'second of one' (Relu) -> 'first of one' (Add)" in findings[0].text
    assert "between" not in " ".join(item.text for item in findings)


def test_a_circle_through_a_subgraph_is_one() -> None:
    proto = models.branches([models.node("Relu", ["z"], ["t"])], [models.node("Neg", ["x"], ["e"])])
    proto.graph.node.append(models.node("Relu", ["y"], ["z"], "closes it"))
    assert found(proto) == [("model.cycle", "choice", "")]


def test_wrong_order_is_a_warning_and_shapes_are_inferred_all_the_same() -> None:
    nodes = [
        models.node("MatMul", ["b", "b"], ["y"], "does not fit"),
        models.node("Relu", ["a"], ["b"], "second"),
        models.node("Relu", ["x"], ["a"], "first"),
    ]
    proto = models.model(nodes, [models.value("x", (2, 3))], [models.value("y", (2, 3))])
    findings = check(proto)
    assert [(item.id, item.severity, item.node and item.node.name) for item in findings] == [
        ("model.not_sorted", "warning", "does not fit"),
        ("model.shape", "error", "does not fit"),
    ]
    assert "and 1 other node" in findings[0].text


def test_missing_is_neither_a_circle_nor_an_order() -> None:
    assert found(models.model([models.node("Add", ["x", "gone"], ["y"], "add")])) == [
        ("model.missing_tensor", "add", "gone")
    ]
    proto = models.relu()
    proto.graph.output.append(models.value("nobody makes this"))
    assert found(proto) == [("model.missing_tensor", "", "nobody makes this")]


def test_names_made_twice() -> None:
    proto = models.model(
        [models.node("Relu", ["x"], ["y"], "one"), models.node("Neg", ["x"], ["y"], "two")],
        [models.value("x"), models.value("x")],
        initializers=[models.weight("w", 1), models.weight("w", 1), models.weight("x", 1)],
    )
    assert sorted(found(proto)) == [
        ("model.duplicate_tensor", "", "w"),
        ("model.duplicate_tensor", "", "x"),
        ("model.duplicate_tensor", "two", "y"),
    ]
    overwritten = models.model([models.node("Relu", ["x"], ["x"], "overwrites its input")], outputs=[models.value("x")])
    assert ("model.duplicate_tensor", "overwrites its input", "x") in found(overwritten)


def test_an_initializer_may_be_an_input_too() -> None:
    proto = models.convolution()
    proto.graph.input.append(models.value("w", (4, 3, 3, 3)))
    assert check(proto) == ()


BROKEN_TENSORS = {
    "bytes missing": TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3], raw_data=b"12345"),
    "bytes too many": TensorProto(name="w", data_type=TensorProto.INT4, dims=[3], raw_data=b"123"),
    "values missing": TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3], float_data=[1, 2]),
    "no values": TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3]),
    "no values in a large one": TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[30000]),
    "negative size": TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[-3]),
    "no such type": TensorProto(name="w", data_type=77, dims=[3], raw_data=b"1" * 12),
    "no type": TensorProto(name="w", dims=[3], raw_data=b"1" * 12),
    "huge": TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2**62, 2**62], raw_data=b"1234"),
}


@pytest.mark.parametrize("kind", BROKEN_TENSORS)
def test_data_that_do_not_fit_shape_and_type(kind: str) -> None:
    broken = BROKEN_TENSORS[kind]
    add = models.node("Add", ["x", "w"], ["y"], "add")
    assert ("model.initializer", "", "w") in found(
        models.model([add], [models.value("x", (3,))], initializers=[broken])
    )
    constant = models.node("Constant", [], ["w"], "constant", value=broken)
    assert ("model.constant", "constant", "") in found(models.model([constant, add], [models.value("x", (3,))]))


@pytest.mark.parametrize("name", sorted(set(TensorProto.DataType.keys()) - {"UNDEFINED", "STRING"}))
@pytest.mark.parametrize("raw", [False, True])
def test_good_tensors_of_every_type_are_good(name: str, raw: bool) -> None:
    data_type = TensorProto.DataType.Value(name)
    values = [1, 1, 1, 1, 1]
    if raw:
        array = helper.make_tensor("w", data_type, [5], values)
        from onnx import numpy_helper

        tensor = numpy_helper.from_array(numpy_helper.to_array(array), "w")
        assert tensor.raw_data
    else:
        tensor = helper.make_tensor("w", data_type, [5], values)
    assert [
        item for item in found(models.model([models.node("Relu", ["x"], ["y"])], initializers=[tensor])) if item[2]
    ] == []


def test_operator_sets_that_nobody_imports() -> None:
    custom = models.model([models.node("Swish", ["x"], ["y"], "swish", domain="my.ops")])
    assert found(custom) == [("model.opset_missing", "swish", "")]
    standard = models.model([models.node("Relu", ["x"], ["y"], "relu")], opsets={"my.ops": 1})
    assert found(standard) == [("model.opset_missing", "relu", "")]
    nested = models.branches([models.node("F", ["x"], ["t"], "f", domain="my.ops")], [models.node("Neg", ["x"], ["e"])])
    assert found(nested) == [("model.opset_missing", "f", "")]


def test_custom_domains_are_not_accused() -> None:
    nodes = [
        models.node("Swish", ["x"], ["a"], "swish", domain="my.ops", any=1),
        models.node("Relu", ["a"], ["y"], "relu"),
    ]
    assert check(models.model(nodes, opsets={"": 17, "my.ops": 3})) == ()
    nodes[1].CopyFrom(models.node("Relu", ["a"], ["y"], "relu", alpha=2.0))
    assert found(models.model(nodes, opsets={"": 17, "my.ops": 3})) == [("model.invalid_node", "relu", "")]


def test_functions_are_checked_with_their_own_operator_sets() -> None:
    body = [models.node("Relu", ["a"], ["b"], "fine"), models.node("Foo", ["gone"], ["c"], "not fine", domain="other")]
    function = helper.make_function("local", "F", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    call = models.node("F", ["x"], ["y"], "call", domain="local")
    proto = models.model([call], opsets={"": 17, "local": 1}, functions=[function])
    findings = {(item.id, item.node.label) for item in check(proto) if item.node}
    assert findings == {
        ("model.missing_tensor", "'not fine' (other.Foo) in local.F"),
        ("model.opset_missing", "'not fine' (other.Foo) in local.F"),
    }


def test_what_the_whole_model_lacks() -> None:
    proto = models.relu()
    proto.ClearField("ir_version")
    assert found(proto) == [("model.invalid", "", "")]
    del proto.graph.output[:]
    assert set(found(proto)) == {("model.invalid", "", ""), ("model.no_outputs", "", "")}
    nothing = models.model([], outputs=[models.value("x")])
    assert ("model.no_nodes", "", "") in found(nothing)


def test_unknown_ranks_and_unknown_opsets_are_warnings_and_hide_nothing() -> None:
    nodes = [models.node("Relu", ["x"], ["y"], "relu"), models.node("Concat", ["x"], ["z"], "concat")]
    proto = models.model(nodes, outputs=[models.value("y", None)])
    assert {(item.id, item.severity) for item in check(proto)} == {
        ("model.shape_missing", "warning"),
        ("model.invalid_node", "error"),
    }
    [finding] = check(models.model([models.node("Relu", ["x"], ["y"])], opsets={"": 99}))
    assert (finding.id, finding.severity) == ("model.opset_unknown", "warning")


def test_messages_of_onnx_are_kept_with_the_names_of_the_model() -> None:
    [finding] = check(models.model([models.node("Relu", ["x", "x"], ["y"], "my relu")]))
    assert "my relu" in finding.original
    assert "trtlab" not in finding.original + finding.text


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30))
def test_circles_are_those_that_removing_nodes_would_find(edges: list[tuple[int, int]]) -> None:
    """Compares with the plain definition: a node is in a circle if it can be reached from itself."""
    nodes = [
        models.node("Sum", ["x", *(f"t{source}" for source, target in edges if target == index)], [f"t{index}"])
        for index in range(12)
    ]
    order = GraphOrder(Scope("", models.graph(nodes, [models.value("x")]), 0))
    reach = {index: {target for source, target in edges if source == index} for index in range(12)}
    for _ in range(12):
        reach = {index: seen.union(*(reach[other] for other in seen)) for index, seen in reach.items()}
    assert order.nodes_in_circles() == {index for index in range(12) if index in reach[index]}
    for circle in order.circles():
        pairs = zip(circle, [*circle[1:], circle[0]], strict=True)
        assert all((source, target) in edges for source, target in pairs), "what is shown is a real circle"
    assert sorted(order.sorted_indices()) == list(range(12))
    if not order.nodes_in_circles():
        position = {index: place for place, index in enumerate(order.sorted_indices())}
        assert all(position[source] < position[target] for source, target in edges)


@pytest.mark.parametrize("kind", ["sorted", "reversed", "shuffled", "circle"])
def test_long_chains_are_one_finding_at_most(kind: str) -> None:
    """20,000 nodes: a fault is said once, not at every node behind it; rules that are not linear would run into the limit."""
    proto = models.chain(20_000)
    nodes = list(proto.graph.node)
    if kind == "circle":
        nodes[0].input[0] = "t20000"
    elif kind == "reversed":
        nodes.reverse()
    elif kind == "shuffled":
        random.Random(0).shuffle(nodes)
    findings = check(models.model(nodes, list(proto.graph.input), list(proto.graph.output)))
    assert len(findings) == (0 if kind == "sorted" else 1)


def test_weights_in_constants_are_not_copied_and_still_have_their_shape() -> None:
    weights = models.weight("", 2000, 4)
    nodes = [
        models.node("Constant", [], ["k"], "constant", value=weights),
        models.node("MatMul", ["x", "k"], ["y"], "does not fit"),
    ]
    proto = models.model(nodes, [models.value("x", (2, 3))], [models.value("y", None)])
    copy = LightCopy(proto)
    assert len(copy.model.SerializeToString()) < 1000 < len(weights.raw_data)
    assert ("model.shape", "does not fit", "") in found(proto)
    assert not any(identifier.startswith("model.c") for identifier, _, _ in found(proto)), (
        "and it is not accused of lacking data"
    )
