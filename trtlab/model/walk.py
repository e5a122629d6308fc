"""Visit every node and graph of a model, subgraphs and local functions included. Runs in the worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtlab.model.description import NodeReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import FunctionProto, GraphProto, ModelProto, NodeProto

# The ONNX checker itself refuses deeper nesting of protobuf messages (limit 100 messages, three for each level).
MAXIMUM_DEPTH = 500


@dataclass(frozen=True)
class Scope:
    """One graph or function body with the path that leads to it.

    Attributes:
        path: `if0/else_branch`; empty for the main graph.
        body: The graph or function.
        depth: 0 for the main graph and for functions.
    """

    path: str
    body: GraphProto | FunctionProto
    depth: int


def node_reference(node: NodeProto, index: int, scope: str) -> NodeReference:
    """Return the plain reference of one node."""
    domain = "" if node.domain == "ai.onnx" else node.domain
    return NodeReference(index=index, name=node.name, op_type=node.op_type, domain=domain, scope=scope)


def scopes(model: ModelProto) -> Iterator[Scope]:
    """Yield the main graph, then every subgraph below it, then every local function and its subgraphs.

    Works through a list of its own instead of calling itself, so that hostile nesting can not exhaust the stack.
    """
    roots: list[Scope] = [Scope("", model.graph, 0)]
    roots += [Scope(f"{function.domain}.{function.name}", function, 0) for function in model.functions]
    for root in roots:
        waiting = [root]
        while waiting:
            scope = waiting.pop()
            yield scope
            if scope.depth < MAXIMUM_DEPTH:
                waiting.extend(reversed(list(_subgraphs(scope))))


def _subgraphs(scope: Scope) -> Iterator[Scope]:
    for index, node in enumerate(scope.body.node):
        for attribute in node.attribute:
            if not attribute.HasField("g") and not attribute.graphs:
                continue
            name = node.name or f"{node.op_type}#{index}"
            path = f"{scope.path}/{name}" if scope.path else name
            if attribute.HasField("g"):
                yield Scope(f"{path}/{attribute.name}", attribute.g, scope.depth + 1)
            for number, graph in enumerate(attribute.graphs):
                yield Scope(f"{path}/{attribute.name}[{number}]", graph, scope.depth + 1)
