"""The graph of a model and the details of its nodes, as the page gets them. See GRAPH_CONTRACT.md for the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trtlab._format import plural, shorten_middle

if TYPE_CHECKING:
    from trtlab.model.graph_document import GraphDocument
    from trtlab.model.node_details import NodeDetails, NodeInput, NodeOutput

# A name is shown whole in a tooltip, and can be copied; longer ones were not written by a person.
_LONGEST_NAME = 1000


def graph_trait(document: GraphDocument, *, title: str = "", identifier: str = "") -> dict[str, Any]:
    """Return the trait `graph` for a model.

    Args:
        document: The graph.
        title: What the model is called, such as the name of its file.
        identifier: What tells this model from another one, such as its digest; the title if it is empty.
    """
    return {
        "id": identifier or title,
        "title": _short(title),
        "scopes": [
            {"path": _short(scope.path), "title": scope.title, "kind": scope.kind, "parent": scope.parent, "holder": scope.holder}
            for scope in document.scopes
        ],
        "operators": [_short(operator) for operator in document.operators],
        "groups": [{"title": group.title, "parent": group.parent, "scope": group.scope} for group in document.groups],
        "nodes": {
            "scope": list(document.node_scopes),
            "index": list(document.node_indices),
            "name": [_short(name) for name in document.node_names],
            "operator": list(document.node_operators),
            "group": list(document.node_groups),
        },
        "tensors": [_short(name) for name in document.tensors],
        "terminals": [
            {"scope": each.scope, "kind": each.kind, "name": _short(each.name), "type": each.type}
            for each in document.terminals
        ],
        "edges": {
            "from": list(document.edge_from),
            "to": list(document.edge_to),
            "tensor": list(document.edge_tensors),
        },
        "inside": [list(pair) for pair in document.inside],
    }  # fmt: skip


def details_message(
    details: NodeDetails | Mapping[str, Any],
    *,
    status: int,
    card: Mapping[str, Any] | None = None,
    parsed: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the message `details` about a node.

    Args:
        details: What the model says of it, also as the dictionary that a worker returns.
        status: Number of its status, as in the trait `status`.
        card: What is wrong with it.
        parsed: Types that TensorRT gave to tensors, as text by name of the tensor.
    """
    from trtlab._results import from_dict
    from trtlab.model.node_details import NodeDetails

    node = from_dict(NodeDetails, details) if isinstance(details, Mapping) else details
    known = parsed or {}
    inputs = [_input(each, known) for each in node.inputs]
    outputs = [_output(each, known) for each in node.outputs]
    if node.more_inputs:
        inputs.append(_rest(node.more_inputs, "input") | {"made_by": -1, "constant": "", "role": ""})
    if node.more_outputs:
        outputs.append(_rest(node.more_outputs, "output") | {"read_by": [], "role": ""})
    return {
        "type": "details",
        "node": node.number,
        "details": {
            "title": node.title,
            "operator": node.operator,
            "domain": node.domain,
            "scope": node.scope,
            "index": node.index,
            "status": status,
            "card": dict(card) if card is not None else None,
            "attributes": [[each.name, each.type, each.text] for each in node.attributes],
            "inputs": inputs,
            "outputs": outputs,
            "doc": node.doc,
        },
    }


def _input(tensor: NodeInput, parsed: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "type": tensor.type,
        "parsed": parsed.get(tensor.name, ""),
        "made_by": tensor.made_by,
        "constant": tensor.constant.text if tensor.constant is not None else "",
        "role": tensor.role,
    }


def _output(tensor: NodeOutput, parsed: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "type": tensor.type,
        "parsed": parsed.get(tensor.name, ""),
        "read_by": list(tensor.read_by),
        "role": "output of the graph" if tensor.is_result else tensor.role,
    }


def _rest(count: int, what: str) -> dict[str, Any]:
    return {"name": f"and {plural(count, f'more {what}')}", "type": "", "parsed": ""}


def _short(text: str) -> str:
    return shorten_middle(text, _LONGEST_NAME)
