"""The graph in columns: numbers, edges inside one scope, terminals, functions and groups, on good and on hostile models."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from tests import models
from trtlab._results import from_dict
from trtlab.model.description import NodeReference
from trtlab.model.graph_document import GraphDocument, collect_graph
from trtlab.model.graph_groups import LONGEST_TITLE, MOST_LEVELS, group_nodes
from trtlab.model.node_list import list_nodes
from trtlab.model.reading import ModelFile


def collected(proto: onnx.ModelProto, folder: Path) -> GraphDocument:
    return collect_graph(ModelFile(models.save(proto, folder / "model.onnx")))


def edges(document: GraphDocument) -> list[tuple[str, str, str]]:
    """Edges as text: names of nodes, and of inputs and outputs with a sign."""

    def name(end: int) -> str:
        if end >= 0:
            return document.node_names[end]
        terminal = document.terminals[-1 - end]
        return f"{'>' if terminal.kind == 'input' else '<'}{terminal.name}"

    return [
        (name(begin), name(end), document.tensors[tensor])
        for begin, end, tensor in zip(document.edge_from, document.edge_to, document.edge_tensors, strict=True)
    ]


def check_columns(document: GraphDocument) -> None:
    """Every number in the document leads somewhere, and edges stay in their scope."""
    count = len(document.node_names)
    columns = (document.node_scopes, document.node_indices, document.node_operators, document.node_groups)
    assert {len(column) for column in columns} == {count}

    def scope_of(end: int) -> int:
        return document.node_scopes[end] if end >= 0 else document.terminals[-1 - end].scope

    for begin, end, tensor in zip(document.edge_from, document.edge_to, document.edge_tensors, strict=True):
        assert scope_of(begin) == scope_of(end)
        assert 0 <= tensor < len(document.tensors)
    for place, group in enumerate(document.groups):
        assert -1 <= group.parent < place
        assert group.parent == -1 or document.groups[group.parent].scope == group.scope
        assert 0 < len(group.title) <= LONGEST_TITLE
    for scope, group_number in zip(document.node_scopes, document.node_groups, strict=True):
        assert group_number == -1 or document.groups[group_number].scope == scope
    members = Counter(document.node_groups) + Counter(group.parent for group in document.groups)
    assert all(members[place] > 1 for place in range(len(document.groups)))
    assert json.loads(json.dumps(document.to_dict())) == json.loads(document.to_json())


def test_edges_lead_from_inputs_over_nodes_to_outputs(tmp_path: Path) -> None:
    """Weights are no edges, inputs and outputs of the graph are ends of edges."""
    document = collected(models.convolution(), tmp_path)
    assert edges(document) == [
        (">x", "conv", "x"), ("conv", "relu", "c"), ("relu", "pool", "r"), ("pool", "flatten", "p"), ("flatten", "<y", "y"),
    ]  # fmt: skip
    assert [terminal.type for terminal in document.terminals] == ["float32 [batch x 3 x 8 x 8]", "float32 [batch x 4]"]
    check_columns(document)


def test_numbers_are_those_of_the_node_list(tmp_path: Path) -> None:
    """Numbers agree with the list of nodes that a survey uses, and lead to references and back."""
    proto = models.branches(
        [models.node("Relu", ["x"], ["a"], "a"), models.node("Neg", ["a"], ["b"], "b")],
        [models.node("Abs", ["x"], ["c"], "c")],
    )
    path = models.save(proto, tmp_path / "model.onnx")
    document = collect_graph(ModelFile(path))
    listed = list_nodes(ModelFile(path)).references()
    assert [document.reference(number) for number in range(len(document.node_names))] == listed
    assert [document.number(reference) for reference in listed] == list(range(len(listed)))
    assert [document.scope_of(number) for number in range(len(listed))] == list(document.node_scopes)
    assert document.number(NodeReference(0, "a", "Relu", scope="elsewhere")) is None
    assert document.number(NodeReference(7, "a", "Relu")) is None
    with pytest.raises(IndexError, match="4 nodes"):
        document.reference(4)


def test_what_a_branch_takes_from_around_leads_to_the_node_that_holds_it(tmp_path: Path) -> None:
    """A tensor read two levels below makes an edge to the holder in each graph on the way."""
    inner = models.graph([models.node("Neg", ["r"], ["n"], "neg")], outputs=[models.value("n", None)])
    choice = models.node("If", ["condition"], ["i"], "inner", then_branch=inner, else_branch=inner)
    outer = models.graph([choice], outputs=[models.value("i", None)])
    nodes = [
        models.node("Relu", ["x"], ["r"], "relu"),
        models.node("If", ["condition"], ["y"], "outer", then_branch=outer, else_branch=outer),
    ]
    document = collected(
        models.model(nodes, [models.value("x"), models.value("condition", (), TensorProto.BOOL)]), tmp_path
    )
    assert edges(document)[:4] == [
        (">x", "relu", "x"),
        (">condition", "outer", "condition"),
        ("relu", "outer", "r"),
        ("outer", "<y", "y"),
    ]
    assert [(scope.title, scope.kind, scope.parent, scope.holder) for scope in document.scopes] == [
        ("main graph", "graph", -1, -1),
        ("else_branch", "subgraph", 0, 1),
        ("else_branch", "subgraph", 1, 2),
        ("then_branch", "subgraph", 1, 2),
        ("then_branch", "subgraph", 0, 1),
        ("else_branch", "subgraph", 4, 5),
        ("then_branch", "subgraph", 4, 5),
    ]
    assert document.inside == ((1, 1), (1, 4), (2, 2), (2, 3), (5, 5), (5, 6))
    check_columns(document)


def test_a_call_leads_into_the_local_function(tmp_path: Path) -> None:
    """Each node that calls a local function is told with its scope; functions may call each other."""
    opset = helper.make_opsetid("", 17), helper.make_opsetid("acme", 1)
    inner = helper.make_function("acme", "Inner", ["a"], ["b"], [models.node("Neg", ["a"], ["b"], "neg")], opset)
    outer = helper.make_function(
        "acme", "Outer", ["a"], ["b"], [models.node("Inner", ["a"], ["b"], "call", domain="acme")], opset
    )
    nodes = [
        models.node("Outer", ["x"], ["m"], "one", domain="acme"),
        models.node("Outer", ["m"], ["y"], "two", domain="acme"),
    ]
    document = collected(models.model(nodes, opsets={"": 17, "acme": 1}, functions=[outer, inner]), tmp_path)
    assert [(scope.title, scope.kind) for scope in document.scopes] == [
        ("main graph", "graph"),
        ("acme.Outer", "function"),
        ("acme.Inner", "function"),
    ]
    assert document.inside == ((0, 1), (1, 1), (2, 2))
    assert document.operators == ("acme.Outer", "acme.Inner", "Neg")
    assert document.reference(0) == NodeReference(0, "one", "Outer", "acme")
    assert edges(document)[-2:] == [(">a", "neg", "a"), ("neg", "<b", "b")]


def test_subgraphs_of_the_same_path_stay_apart(tmp_path: Path) -> None:
    """Two nodes of one name hold branches of one path; references of their nodes lead to the right one."""

    def choice(operator: str, result: str) -> onnx.NodeProto:
        branch = models.graph([models.node(operator, ["x"], ["n"])], outputs=[models.value("n", None)])
        return models.node("If", ["condition"], [result], "same", then_branch=branch, else_branch=branch)

    inputs = [models.value("x"), models.value("condition", (), TensorProto.BOOL)]
    document = collected(models.model([choice("Neg", "a"), choice("Abs", "y")], inputs), tmp_path)
    references = [document.reference(number) for number in range(len(document.node_names))]
    assert document.number(references[4]) == 4
    assert references[4].op_type == "Abs"
    check_columns(document)


def test_broken_graphs_are_told_as_they_are(tmp_path: Path) -> None:
    """A circle, a tensor made twice, one that nothing makes, an unsorted node and names of no sense break nothing."""
    long_name = "n" * 10_000
    nodes = [
        models.node("Add", ["late", "b"], ["a"], "first"),
        models.node("Relu", ["a"], ["b"], "circle"),
        models.node("Relu", ["x"], ["late"], "<script>alert(1)</script>"),
        models.node("Relu", ["x"], ["late"], "../../etc/passwd"),
        models.node("Relu", ["nowhere"], ["c"], long_name),
        models.node("Sum", ["x", "x", "x", ""], ["y"], "/" * 5000),
        models.node("Relu", ["y"], ["x"], "makes an input"),
    ]
    document = collected(models.model(nodes), tmp_path)
    found = edges(document)
    assert ("circle", "first", "b") in found
    assert ("first", "circle", "a") in found
    assert ("../../etc/passwd", "first", "late") in found  # the last that makes it
    assert found.count((">x", "/" * 5000, "x")) == 1
    assert not any(tensor == "nowhere" for _, _, tensor in found)
    assert document.groups == ()
    assert document.node_names[4] == long_name
    check_columns(document)


@pytest.mark.parametrize("path", models.LIGHT_MODELS, ids=lambda path: path.stem)
def test_models_that_others_wrote_are_connected(path: Path) -> None:
    """In ONNX's light models every node leads somewhere, and every edge is one that the file has."""
    document = collect_graph(ModelFile(path))
    check_columns(document)
    graph = onnx.load(path).graph
    made = {name for node in graph.node for name in node.output} | {value.name for value in graph.input}
    weights = {tensor.name for tensor in graph.initializer}
    read = sum(len({name for name in node.input if name in made - weights}) for node in graph.node)
    assert len(document.edge_from) == read + len(graph.output)


def test_modules_in_names_make_groups() -> None:
    """Groups follow the modules, one with a single member is left out, a number is named after what it counts."""
    names = ["/embed/Gather", "/embed/Add"]
    for layer in range(2):
        names += [f"/layer/{layer}/attention/{name}/MatMul" for name in ("query", "key")]
        names.append(f"/layer/{layer}/Add")
    groups, places = group_nodes([*names, "/head/Gemm"])
    assert [(group.title, group.parent) for group in groups] == [
        ("embed", -1), ("layer", -1), ("layer/0", 1), ("attention", 2), ("layer/1", 1), ("attention", 4),
    ]  # fmt: skip
    assert places == [0, 0, 3, 3, 2, 5, 5, 4, -1]


def test_what_holds_everything_is_no_group() -> None:
    """A prefix that all names share is left out; what is left alone above a group goes into its title."""
    groups, places = group_nodes(["model.a.b.one", "model.a.b.two", "model.c.x.three", "model.c.y.four"])
    assert [group.title for group in groups] == ["a.b", "c"]
    assert places == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "names",
    [["", "", ""], ["Conv_0", "Relu_1"], ["v1.0", "v1.1", "v1.2"], ["/etc/a", "b", "c"], ["/" * 99, "..", "./."]],
    ids=["empty", "plain", "one dot", "one path", "separators"],
)
def test_names_without_modules_make_no_groups(names: list[str]) -> None:
    """Plain names, versions and a lone path are no modules."""
    assert group_nodes(names) == ([], [-1] * len(names))


PARTS = st.sampled_from(["a", "b", "layer.0", "7", "", " ", ".", "..", "<b>", "x" * 300, "\n", "层"])
NAMES = st.lists(st.builds(lambda parts, by: by.join(parts), st.lists(PARTS, max_size=30), st.sampled_from("/.")))


@given(NAMES)
@settings(max_examples=150, deadline=None)
def test_groups_of_any_names_are_bounded(names: list[str]) -> None:
    """Whatever the names: titles and levels are bounded, each group has several members, parents come first."""
    groups, places = group_nodes(names, scope=3, first=10)
    assert len(places) == len(names)
    members = Counter(places) + Counter(group.parent for group in groups)
    for position, group in enumerate(groups, start=10):
        assert members[position] > 1
        assert group.scope == 3
        assert 0 < len(group.title) <= LONGEST_TITLE
        assert group.parent == -1 or 10 <= group.parent < position
        levels, around = 1, group.parent
        while around != -1:
            levels, around = levels + 1, groups[around - 10].parent
        assert levels <= MOST_LEVELS
    assert all(place == -1 or 10 <= place < 10 + len(groups) for place in places)


TENSORS = st.sampled_from(["x", "y", "a", "b", "c", "w", "", "nowhere"])


@st.composite
def hostile_nodes(draw: st.DrawFn, depth: int = 2) -> list[onnx.NodeProto]:
    """Draw nodes that read and make anything, some with branches of the same kind."""
    nodes = []
    for _ in range(draw(st.integers(0, 4))):
        inputs, outputs = draw(st.lists(TENSORS, max_size=3)), draw(st.lists(TENSORS, max_size=2))
        name = draw(st.sampled_from(["", "same", "a/b", "a/c", "/"]))
        operator, domain = draw(st.sampled_from([("Add", ""), ("Fold", "acme"), ("", ""), ("Relu", "ai.onnx")]))
        node = helper.make_node(operator, inputs, outputs, name=name, domain=domain)
        if depth and draw(st.booleans()):
            branch = models.graph(draw(hostile_nodes(depth=depth - 1)), outputs=[models.value(draw(TENSORS), None)])
            node.attribute.append(helper.make_attribute("body", branch))
        nodes.append(node)
    return nodes


@given(hostile_nodes(), hostile_nodes(depth=1))
@settings(max_examples=120, deadline=None)
def test_any_graph_is_collected(
    tmp_path_factory: pytest.TempPathFactory, nodes: list[onnx.NodeProto], body: list[onnx.NodeProto]
) -> None:
    """Random broken graphs give a document whose numbers all lead somewhere, the same after a trip through JSON."""
    function = helper.make_function("acme", "Fold", ["x"], ["y"], body, [helper.make_opsetid("", 17)])
    proto = models.model(nodes, initializers=[models.weight("w", 2)], functions=[function])
    document = collected(proto, tmp_path_factory.mktemp("any"))
    check_columns(document)
    assert from_dict(GraphDocument, document.to_dict()) == document
    for number in range(len(document.node_names)):
        assert document.scope_of(number) == document.node_scopes[number]
        found = document.number(document.reference(number))
        assert found is not None
        assert document.reference(found) == document.reference(number)


def test_magika_has_the_groups_of_its_layers() -> None:
    """A model that ships with another package: its layers become groups."""
    magika = pytest.importorskip("magika")
    path = next(Path(os.fspath(magika.__file__)).parent.glob("models/*/model.onnx"))
    document = collect_graph(ModelFile(path))
    check_columns(document)
    assert document.groups
