"""The graph of a model and the details of its nodes, as the page gets them. See GRAPH_CONTRACT.md for the form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trtlab._format import shorten_middle

if TYPE_CHECKING:
    from trtlab.model.graph_document import GraphDocument

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


def _short(text: str) -> str:
    return shorten_middle(text, _LONGEST_NAME)
