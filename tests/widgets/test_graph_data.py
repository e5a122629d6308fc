"""The graph and a node's details in the form that GRAPH_CONTRACT.md promises to the page."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from tests import models
from trtlab.model.constant_values import ConstantFacts
from trtlab.model.graph_document import collect_graph
from trtlab.model.node_details import NodeAttribute, NodeDetails, NodeInput, NodeOutput
from trtlab.model.reading import ModelFile
from trtlab.widgets.graph_data import details_message, graph_trait


def trait(proto: onnx.ModelProto, folder: Path) -> dict[str, object]:
    document = collect_graph(ModelFile(models.save(proto, folder / "model.onnx")))
    return graph_trait(document, title="model.onnx", identifier="abc")


def test_the_graph_has_the_form_of_the_contract(tmp_path: Path) -> None:
    """Every key is there, columns are plain lists, and the whole is JSON."""
    nodes = [models.node("Relu", ["x"], ["a"], "/block/relu"), models.node("Neg", ["a"], ["y"], "/block/neg")]
    assert trait(models.model([*nodes, models.node("Abs", ["x"], ["z"], "abs")]), tmp_path) == {
        "id": "abc",
        "title": "model.onnx",
        "scopes": [{"path": "", "title": "main graph", "kind": "graph", "parent": -1, "holder": -1}],
        "operators": ["Relu", "Neg", "Abs"],
        "groups": [{"title": "block", "parent": -1, "scope": 0}],
        "nodes": {
            "scope": [0, 0, 0],
            "index": [0, 1, 2],
            "name": ["/block/relu", "/block/neg", "abs"],
            "operator": [0, 1, 2],
            "group": [0, 0, -1],
        },
        "tensors": ["x", "a", "y"],
        "terminals": [
            {"scope": 0, "kind": "input", "name": "x", "type": "float32 [batch x 4]"},
            {"scope": 0, "kind": "output", "name": "y", "type": "float32 [batch x 4]"},
        ],
        "edges": {"from": [-1, 0, -1, 1], "to": [0, 1, 2, -2], "tensor": [0, 1, 0, 2]},
        "inside": [],
    }


def test_a_name_of_ten_thousand_characters_is_cut(tmp_path: Path) -> None:
    """What is sent for each name is bounded."""
    name = "n" * 10_000
    data = trait(models.model([models.node(name, ["x", name], ["y"], name)]), tmp_path)
    assert len(json.dumps(data)) < 6000


DETAILS = NodeDetails(
    number=7, index=3, title="conv", operator="Conv", domain="", scope="choice/then_branch", opset=17,
    attributes=(NodeAttribute("pads", "ints", "[1, 1]"),),
    inputs=(
        NodeInput("x", "float32 [batch x 4]", "X", 2),
        NodeInput("w", "float32 [2]", "W", -1, ConstantFacts("float32", (2,), 8, 0.5, 2.0)),
    ),
    outputs=(NodeOutput("y", "float32 [batch x 4]", "Y", (8, 9)), NodeOutput("z", "", "", (), True)),
    more_inputs=2, doc="text",
)  # fmt: skip


@pytest.mark.parametrize("is_dictionary", [True, False])
def test_details_have_the_form_of_the_contract(is_dictionary: bool) -> None:
    """Every key is there, with what TensorRT said of a tensor beside what follows from the model."""
    details = DETAILS.to_dict() if is_dictionary else DETAILS
    message = details_message(details, status=2, card={"state": "error"}, parsed={"x": "float32 [1 x 4]"})
    assert message == {
        "type": "details",
        "node": 7,
        "details": {
            "title": "conv", "operator": "Conv", "domain": "", "scope": "choice/then_branch", "index": 3, "status": 2,
            "card": {"state": "error"},
            "attributes": [["pads", "ints", "[1, 1]"]],
            "inputs": [
                {"name": "x", "type": "float32 [batch x 4]", "parsed": "float32 [1 x 4]", "made_by": 2, "constant": "", "role": "X"},
                {"name": "w", "type": "float32 [2]", "parsed": "", "made_by": -1, "constant": "0.5 .. 2, 8 B", "role": "W"},
                {"name": "and 2 more inputs", "type": "", "parsed": "", "made_by": -1, "constant": "", "role": ""},
            ],
            "outputs": [
                {"name": "y", "type": "float32 [batch x 4]", "parsed": "", "read_by": [8, 9], "role": "Y"},
                {"name": "z", "type": "", "parsed": "", "read_by": [], "role": "output of the graph"},
            ],
            "doc": "text",
        },
    }  # fmt: skip
