"""What a model says about nodes and tensors that were refused: where they are, and where their inputs come from."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests import models
from trtlab.model.node_description import NodeFacts, RefusalFacts, RefusedNode, TensorFacts
from trtlab.model.node_facts import MOST_NODES, collect_facts, requests_from

ONNX = helper.make_opsetid("", 18)


def facts_of(proto: onnx.ModelProto, refused: RefusedNode) -> NodeFacts:
    [facts] = collect_facts(proto, [(refused, "")])
    assert facts.node is not None
    return facts.node


def test_attributes_inputs_and_outputs() -> None:
    node = models.node("Conv", ["x", "w"], ["y"], "conv", kernel_shape=[3, 3], auto_pad="SAME_UPPER", group=1)
    proto = models.model(
        [node], [models.value("x", ("n", 3, 8, 8))], [models.value("y", None)], [models.weight("w", 4, 3, 3, 3)]
    )
    facts = facts_of(proto, RefusedNode(0, "conv", "Conv"))
    assert facts.node.label == "'conv' (Conv)"
    assert facts.opset == 17
    assert facts.attribute("kernel_shape") == "[3, 3]"
    assert facts.attribute("auto_pad") == "SAME_UPPER"
    assert facts.attribute("pads") is None
    assert facts.inputs == (
        TensorFacts("x", "X", "float32", ("n", 3, 8, 8), "input", roots=("x",)),
        TensorFacts("w", "W", "float32", (4, 3, 3, 3), "initializer", foldable=True),
    )
    assert [(item.name, item.role, item.dtype, item.shape) for item in facts.outputs] == [
        ("y", "Y", "float32", ("n", 4, 8, 8))
    ]


def axes(nodes: list[onnx.NodeProto], *weights: onnx.TensorProto, shape: models.Shape = ("n", 3)) -> TensorFacts:
    nodes = [*nodes, models.node("ReduceSum", ["x", "axes"], ["y"], "sum")]
    inputs = [models.value("x", shape)]
    if not nodes[:-1] and not weights:
        inputs.append(models.value("axes", (1,), TensorProto.INT64))
    facts = facts_of(
        models.model(nodes, inputs, [models.value("y", None)], list(weights)),
        RefusedNode(len(nodes) - 1, "sum", "ReduceSum"),
    )
    return facts.inputs[1]


def test_where_an_input_comes_from() -> None:
    assert axes([]) == TensorFacts("axes", "axes", "int64", (1,), "input", roots=("axes",))
    stored = axes([], models.integers("axes", 1))
    assert (stored.source, stored.values, stored.is_constant) == ("initializer", "[1]", True)
    constant = axes([models.node("Constant", [], ["axes"], value=models.integers("", 0))])
    assert (constant.source, constant.values, constant.is_constant) == ("constant", "[0]", True)
    missing = axes([], models.integers("other", 1))
    assert (missing.source, missing.dtype, missing.shape) == ("missing", "", None)


def test_what_is_computed_from_constants_can_be_folded() -> None:
    two = (models.integers("a", 0), models.integers("b", 1))
    folded = axes([models.node("Add", ["a", "b"], ["axes"], "add")], *two)
    assert (folded.source, folded.maker, folded.foldable, folded.roots) == ("node", "'add' (Add)", True, ())
    assert (folded.dtype, folded.shape) == ("int64", (1,))
    gather = [models.node("Shape", ["x"], ["s"], "shape"), models.node("Gather", ["s", "a"], ["axes"], "pick")]
    dynamic = axes(gather, *two)
    assert (dynamic.foldable, dynamic.roots) == (False, ("x",))
    assert axes(gather, *two, shape=(2, 3)).foldable, "the shape is known"
    random = [
        models.node("RandomUniform", [], ["r"], shape=[1]),
        models.node("Cast", ["r"], ["axes"], to=TensorProto.INT64),
    ]
    assert not axes(random, *two).foldable


def test_types_are_named() -> None:
    proto = models.model([models.node("Cast", ["x"], ["y"], "cast", to=TensorProto.INT16)])
    assert facts_of(proto, RefusedNode(0, "cast", "Cast")).attribute("to") == "int16"
    table = numpy_helper.from_array(np.arange(3, dtype=np.float32))
    nodes = [models.node("ConstantOfShape", ["s"], ["y"], "fill", value=table)]
    proto = models.model(nodes, [models.value("s", (1,), TensorProto.INT64)])
    assert facts_of(proto, RefusedNode(0, "fill", "ConstantOfShape")).attribute("value") == "float32 [3] [0, 1, 2]"


def nested(inner: list[onnx.NodeProto]) -> onnx.ModelProto:
    """Return a model whose node 1 is an If with these nodes in its first branch."""
    then = models.graph(inner, outputs=[models.value(inner[-1].output[0], None)])
    other = models.graph([models.node("Relu", ["x"], ["e"])], outputs=[models.value("e", None)])
    nodes = [
        models.node("Relu", ["x"], ["r"], "first"),
        models.node("If", ["c"], ["y"], "choice", then_branch=then, else_branch=other),
    ]
    return models.model(nodes, [models.value("x", (2, 3, 3)), models.value("c", (), TensorProto.BOOL)])


STACK = ("choice (If)", "graph (then_branch)")


@pytest.mark.parametrize("stack", [STACK, ()])
def test_a_node_in_a_branch(stack: tuple[str, ...]) -> None:
    proto = nested(
        [models.node("Sin", ["r"], ["s"]), models.node("Relu", ["r"], ["q"]), models.node("Det", ["q"], ["d"])]
    )
    facts = facts_of(proto, RefusedNode(1, "", "Det", stack))
    assert (facts.node.index, facts.node.scope) == (2, "choice/then_branch")
    assert (facts.inputs[0].name, facts.inputs[0].maker) == ("q", "#1 (Relu) in choice/then_branch")
    assert (facts.inputs[0].dtype, facts.inputs[0].shape) == ("float32", (2, 3, 3)), "inferred"


def test_several_nodes_that_the_parser_describes_alike() -> None:
    proto = nested([models.node("Det", ["r"], ["a"]), models.node("Det", ["x"], ["d"])])
    alike = RefusedNode(1, "", "Det", STACK)
    [first, second] = collect_facts(proto, [(alike, ""), (alike, "")])
    assert first.node is not None
    assert second.node is not None
    assert [item.inputs[0].name for item in (first.node, second.node)] == ["r", "x"]
    [single] = collect_facts(proto, [(alike, "")])
    assert single == RefusalFacts(around="'choice' (If)"), "either could be meant"


def function(name: str, nodes: list[onnx.NodeProto], inputs: list[str], attributes: list[str]) -> onnx.FunctionProto:
    imports = [ONNX, helper.make_opsetid("my.f", 1)]
    return helper.make_function("my.f", name, inputs, ["b"], nodes, imports, attributes)


def test_a_node_in_functions() -> None:
    det = models.node("MaxPool", ["a"], ["b"], "pool")
    det.attribute.add(name="dilations", ref_attr_name="holes", type=onnx.AttributeProto.INTS)
    inner = function("Inner", [models.node("Sin", ["a"], ["s"]), det], ["a"], ["holes"])
    outer = function("Outer", [models.node("Inner", ["a"], ["b"], "deep", domain="my.f", holes=[2, 2])], ["a"], [])
    call = models.node("Outer", ["x"], ["y"], "call", domain="my.f")
    proto = models.model(
        [call], [models.value("x", (1, 1, 8, 8))], opsets={"": 18, "my.f": 1}, functions=[inner, outer]
    )
    facts = facts_of(proto, RefusedNode(0, "pool", "MaxPool", ("call (Outer)", "deep (Inner)")))
    assert (facts.node.index, facts.node.scope) == (1, "my.f.Inner")
    assert facts.attribute("dilations") == "[2, 2]", "as the call gives it"
    [tensor] = facts.inputs
    assert (tensor.name, tensor.dtype, tensor.shape, tensor.source) == ("a", "float32", (1, 1, 8, 8), "input")
    assert tensor.roots == ("x",)


def test_a_loop_gives_its_body_values() -> None:
    body = models.graph(
        [models.node("Det", ["state"], ["d"], "det"), models.node("Identity", ["c"], ["k"])],
        [
            models.value("i", (), TensorProto.INT64),
            models.value("c", (), TensorProto.BOOL),
            models.value("state", (2, 2)),
        ],
        [models.value("k", (), TensorProto.BOOL), models.value("d", ())],
    )
    proto = models.model(
        [models.node("Loop", ["n", "", "x"], ["y"], "loop", body=body)],
        [models.value("x", (2, 2)), models.value("n", (), TensorProto.INT64)],
    )
    facts = facts_of(proto, RefusedNode(0, "det", "Det"))
    assert (facts.inputs[0].source, facts.inputs[0].shape) == ("body", (2, 2))


def test_tensors() -> None:
    weight = numpy_helper.from_array(np.array([1, 2], np.int16), "w")
    proto = models.model(
        [models.node("Add", ["x", "w"], ["y"], "add")], [models.value("x", (2,), 5)], initializers=[weight]
    )
    [x, w] = collect_facts(proto, [(None, "x"), (None, "w")])
    assert x == RefusalFacts(
        tensor=TensorFacts("x", "", "int16", (2,), "input", roots=("x",)), readers=("'add' (Add)",)
    )
    assert w.tensor is not None
    assert (w.tensor.dtype, w.tensor.source, w.tensor.values) == ("int16", "initializer", "[1, 2]")


def test_what_is_not_there() -> None:
    proto = models.relu()
    for refused in (RefusedNode(0, "", "Det"), RefusedNode(99, "relu", "Relu"), RefusedNode(-1, "", "Det")):
        [facts] = collect_facts(proto, [(refused, "")])
        assert facts.node is None
    [facts] = collect_facts(proto, [(None, "nothing")])
    assert facts.tensor == TensorFacts("nothing")
    assert requests_from([{"node": None, "tensor": ""}]) == [(None, "")]


def test_everything_is_bounded() -> None:
    name = "<script>alert(1)</script>" + "ü" * 10_000
    nodes = [
        models.node("Concat", [name] * 60, [f"y{index}"], f"{name}{index}", axis=0, note=name, many=[7] * 10_000)
        for index in range(MOST_NODES + 20)
    ]
    proto = models.model(nodes, [models.value(name, (2, 2))], [models.value("y0", None)])
    refused = [(RefusedNode(index, f"{name}{index}", "Concat"), name) for index in range(len(nodes))]
    found = collect_facts(proto, refused)
    assert [item.node is not None for item in found] == [True] * MOST_NODES + [False] * 20
    facts = found[0].node
    assert facts is not None
    assert len(facts.inputs) == 20
    assert max(len(item.value) for item in facts.attributes) <= 200
    assert len(str(found[0].to_dict())) < 15_000


def test_a_chain_too_long_to_follow_is_no_constant() -> None:
    nodes = [models.node("Neg", [f"t{index}"], [f"t{index + 1}"]) for index in range(3000)]
    nodes.append(models.node("ReduceSum", ["x", "t3000"], ["y"], "sum"))
    proto = models.model(nodes, [models.value("x", (2, 2))], initializers=[models.integers("t0", 1)])
    assert not facts_of(proto, RefusedNode(3000, "sum", "ReduceSum")).inputs[1].foldable


def test_functions_that_call_each_other_twice_and_more() -> None:
    """Every level doubles the number of places: the search stops instead of visiting them all."""
    functions = [function("F0", [models.node("Det", ["a"], ["b"], "det")], ["a"], [])]
    for level in range(1, 40):
        calls = [models.node(f"F{level - 1}", ["a"], [output], domain="my.f") for output in ("b", "c")]
        functions.append(function(f"F{level}", calls, ["a"], []))
    call = models.node("F39", ["x"], ["y"], domain="my.f")
    proto = models.model([call], opsets={"": 18, "my.f": 1}, functions=functions)
    [facts] = collect_facts(proto, [(RefusedNode(0, "det", "Det"), "")])
    assert facts.node is None or facts.node.node.name == "det"
