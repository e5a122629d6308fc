"""Visit every node and graph of a model, subgraphs and local functions included. Runs in the worker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from trtlab.model.description import NodeReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto

    from trtlab.model.graph_order import GraphOrder

# The ONNX checker itself refuses deeper nesting of protobuf messages (limit 100 messages, three for each level).
MAXIMUM_DEPTH = 500


@dataclass(frozen=True)
class Scope:
    """One graph or function body with the path that leads to it.

    Attributes:
        path: `if0/else_branch`; empty for the main graph.
        body: The graph or function.
        depth: 0 for the main graph and for functions.
        parent: The graph around a subgraph, whose names it may read; None for the main graph and for functions.
        parent_index: Index of the node in `parent` that holds this subgraph.
    """

    path: str
    body: GraphProto | FunctionProto
    depth: int
    parent: Scope | None = None
    parent_index: int = -1

    @cached_property
    def declared(self) -> frozenset[str]:
        """Names that are there before any node runs: inputs and initializers."""
        return frozenset(declared_names(self.body))

    @cached_property
    def nodes(self) -> tuple[NodeProto, ...]:
        """The nodes. Kept, because protobuf makes a new Python object each time it is asked for one that nobody holds."""
        return tuple(self.body.node)

    @cached_property
    def makers(self) -> dict[str, int]:
        """Index of the node that makes each tensor (the last, if several do)."""
        return {name: index for index, node in enumerate(self.nodes) for name in node.output if name}

    @cached_property
    def order(self) -> GraphOrder:
        """Which node needs which."""
        from trtlab.model.graph_order import GraphOrder  # which needs this module

        return GraphOrder(self)

    @cached_property
    def holders(self) -> tuple[int, ...]:
        """Indices of the nodes that hold graphs."""
        return self._contents[0]

    @cached_property
    def tensors(self) -> tuple[tuple[TensorProto, int], ...]:
        """Every tensor with data, and the index of the node that holds it (-1 for initializers)."""
        return (*((tensor, -1) for tensor in getattr(self.body, "initializer", ())), *self._contents[1])

    @cached_property
    def _contents(self) -> tuple[tuple[int, ...], list[tuple[TensorProto, int]]]:
        """What the attributes of the nodes hold: which nodes hold graphs, and the tensors."""
        holders: list[int] = []
        held: list[tuple[TensorProto, int]] = []
        for index, node in enumerate(self.nodes):
            attributes = node.attribute
            for attribute in attributes if attributes else ():
                if attribute.HasField("t"):
                    held.append((attribute.t, index))
                if attribute.tensors:
                    held.extend((tensor, index) for tensor in attribute.tensors)
                if attribute.HasField("g") or attribute.graphs:
                    holders.append(index)
        return tuple(dict.fromkeys(holders)), held

    def is_visible_around(self, name: str) -> bool:
        """Whether one of the graphs around this one declares or makes `name`, wherever in it."""
        scope = self.parent
        while scope is not None:
            if name in scope.declared or name in scope.makers:
                return True
            scope = scope.parent
        return False


def declared_names(body: GraphProto | FunctionProto) -> Iterator[str]:
    """Yield the names of the inputs and initializers of a graph or function, repeated ones repeatedly."""
    for value in body.input:
        yield value if isinstance(value, str) else value.name
    for tensor in getattr(body, "initializer", ()):
        yield tensor.name
    for sparse in getattr(body, "sparse_initializer", ()):
        yield sparse.values.name


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


def has_subgraph(node: NodeProto) -> bool:
    """Whether a node holds a graph (If, Loop, Scan, SequenceMap)."""
    return any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute)


def attribute_graphs(attribute: AttributeProto) -> list[GraphProto]:
    """Return the graphs of one attribute."""
    return [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]


def attribute_tensors(attribute: AttributeProto) -> list[TensorProto]:
    """Return the tensors of one attribute."""
    return [*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors]


def names_read(node: NodeProto) -> set[str]:
    """Return the names that a node reads: its inputs, and what its subgraphs take from the graphs around them."""
    names = set(filter(None, node.input))
    for attribute in node.attribute:
        for graph in attribute_graphs(attribute):
            # Protobuf allows about thirty levels of graphs, so this may call itself.
            inner = {value.name for value in graph.output}.union(*(names_read(child) for child in graph.node))
            made = {name for child in graph.node for name in child.output}
            names |= inner - made - set(declared_names(graph)) - {""}
    return names


def _subgraphs(scope: Scope) -> Iterator[Scope]:
    for index in scope.holders:
        node = scope.nodes[index]
        for attribute in node.attribute:
            if not attribute.HasField("g") and not attribute.graphs:
                continue
            name = node.name or f"{node.op_type}#{index}"
            path = f"{scope.path}/{name}" if scope.path else name
            if attribute.HasField("g"):
                yield Scope(f"{path}/{attribute.name}", attribute.g, scope.depth + 1, scope, index)
            for number, graph in enumerate(attribute.graphs):
                yield Scope(f"{path}/{attribute.name}[{number}]", graph, scope.depth + 1, scope, index)
