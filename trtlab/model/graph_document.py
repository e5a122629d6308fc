"""The graph of a model in columns, small and quick enough to be sent to a page for 20,000 nodes at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, cast

from trtlab._format import plural, shorten_middle
from trtlab._results import Result
from trtlab.model.description import NodeReference
from trtlab.model.graph_groups import GraphGroup, group_nodes
from trtlab.model.type_text import type_text

if TYPE_CHECKING:
    from onnx import FunctionProto, ValueInfoProto

    from trtlab.model.reading import ModelFile
    from trtlab.model.walk import Scope

ScopeKind = Literal["graph", "subgraph", "function"]
_NONE = -1
_LONGEST_TITLE = 120


@dataclass(frozen=True)
class GraphScope(Result):
    """One graph or function.

    Attributes:
        path: `choice/then_branch`; empty for the main graph.
        title: What a person calls it.
        kind: What it is.
        parent: Number of the scope around a subgraph, -1 for none.
        holder: Number of the node that holds a subgraph, -1 for none.
    """

    path: str
    title: str
    kind: ScopeKind
    parent: int = _NONE
    holder: int = _NONE


@dataclass(frozen=True)
class GraphTerminal(Result):
    """An input or output of a graph or function; an initializer is none.

    Attributes:
        scope: Number of the graph.
        kind: Which of the two.
        name: Name of the tensor.
        type: Its type as text, empty if the model does not say it.
    """

    scope: int
    kind: Literal["input", "output"]
    name: str
    type: str


@dataclass(frozen=True)
class GraphDocument(Result):
    """The graph of a model. A node's *number* is its position in the columns: scope after scope, in the order of the file.

    Attributes:
        scopes: The main graph, its subgraphs, then local functions, in the order of `trtlab.model.walk.scopes`.
        operators: Each operator once, with its domain where that is not ONNX's own (`com.acme.Fold`).
        groups: Groups from the names of nodes; one stands behind the group around it.
        node_scopes: Number of the scope of each node.
        node_indices: Position of each node in its scope.
        node_names: Name of each node.
        node_operators: Position in `operators` for each node.
        node_domains: Position in `domains` for each node.
        node_groups: Position in `groups` for each node, -1 for none.
        domains: Each operator domain once; that of ONNX itself is empty.
        tensors: Names of the tensors that edges stand for.
        terminals: Inputs and outputs of each scope.
        edge_from: Where each edge begins: the number of a node, or -1 - position in `terminals`.
        edge_to: Where it ends, likewise. Edges never lead from one scope to another: what a subgraph reads from the graph around it
            is an edge to the node that holds the subgraph. Weights are no edges.
        edge_tensors: Position in `tensors` for each edge.
        inside: Pairs of a node and a scope that it holds (a branch, a body) or calls (a local function).
    """

    scopes: tuple[GraphScope, ...]
    operators: tuple[str, ...]
    groups: tuple[GraphGroup, ...]
    node_scopes: tuple[int, ...]
    node_indices: tuple[int, ...]
    node_names: tuple[str, ...]
    node_operators: tuple[int, ...]
    node_domains: tuple[int, ...]
    node_groups: tuple[int, ...]
    domains: tuple[str, ...]
    tensors: tuple[str, ...]
    terminals: tuple[GraphTerminal, ...]
    edge_from: tuple[int, ...]
    edge_to: tuple[int, ...]
    edge_tensors: tuple[int, ...]
    inside: tuple[tuple[int, int], ...]

    @cached_property
    def scope_starts(self) -> tuple[int, ...]:
        """The number that the first node of each scope has, or would have."""
        counts = [0] * len(self.scopes)
        for scope in self.node_scopes:
            counts[scope] += 1
        starts, start = [], 0
        for count in counts:
            starts.append(start)
            start += count
        return tuple(starts)

    def reference(self, number: int) -> NodeReference:
        """Return which node has a number.

        Raises:
            IndexError: There is no such node.
        """
        if not 0 <= number < len(self.node_names):
            raise IndexError(f"The graph has no node {number}: it has {plural(len(self.node_names), 'node')}.")
        domain = self.domains[self.node_domains[number]]
        operator = self.operators[self.node_operators[number]]
        return NodeReference(
            index=self.node_indices[number],
            name=self.node_names[number],
            op_type=operator.removeprefix(f"{domain}.") if domain else operator,
            domain=domain,
            scope=self.scopes[self.node_scopes[number]].path,
        )

    def number(self, reference: NodeReference) -> int | None:
        """Return the number of a node, None if the graph does not have it.

        Nodes of the same name can hold subgraphs of the same path. Then the name and operator decide.
        """
        candidates = [
            self.scope_starts[scope] + reference.index
            for scope in self._scopes_by_path.get(reference.scope, ())
            if 0 <= reference.index < self._count(scope)
        ]
        if len(candidates) > 1:
            return next((number for number in candidates if self.reference(number) == reference), candidates[0])
        return candidates[0] if candidates else None

    def scope_of(self, number: int) -> int:
        """Return the number of the scope that a node stands in."""
        return bisect_right(self.scope_starts, number) - 1

    @cached_property
    def _scopes_by_path(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, scope in enumerate(self.scopes):
            found.setdefault(scope.path, []).append(number)
        return found

    def _count(self, scope: int) -> int:
        ends = (*self.scope_starts[1:], len(self.node_names))
        return ends[scope] - self.scope_starts[scope]

    def __repr__(self) -> str:
        return (
            f"GraphDocument: {plural(len(self.node_names), 'node')} in {plural(len(self.scopes), 'graph')}, "
            f"{plural(len(self.edge_from), 'edge')}, {plural(len(self.groups), 'group')}"
        )


def collect_graph(file: ModelFile) -> GraphDocument:
    """Return the graph of a model. Runs in the worker."""
    return _Collector(file.scopes).document()


class _Collector:
    """Looks at the scopes of one model."""

    def __init__(self, scopes: Sequence[Scope]) -> None:
        self._scopes = scopes
        self._number_of = {id(scope): number for number, scope in enumerate(scopes)}
        self._starts: list[int] = []
        start = 0
        for scope in scopes:
            self._starts.append(start)
            start += len(scope.nodes)
        self._terminals: list[GraphTerminal] = []
        self._tensors: dict[str, int] = {}
        self._edges: tuple[list[int], list[int], list[int]] = ([], [], [])

    def document(self) -> GraphDocument:
        """Return everything."""
        nodes = [node for scope in self._scopes for node in scope.nodes]
        names = [node.name for node in nodes]
        kinds = [("" if node.domain == "ai.onnx" else node.domain, node.op_type) for node in nodes]
        domains = {domain: place for place, domain in enumerate(dict.fromkeys(domain for domain, _ in kinds))}
        operators = {kind: place for place, kind in enumerate(dict.fromkeys(kinds))}
        groups, node_groups = self._groups(names)
        reads = self._reads()
        for number, scope in enumerate(self._scopes):
            self._connect(number, scope, reads[number])
        return GraphDocument(
            scopes=tuple(self._describe(scope) for scope in self._scopes),
            operators=tuple(f"{domain}.{operator}" if domain else operator for domain, operator in operators),
            groups=tuple(groups),
            node_scopes=tuple(number for number, scope in enumerate(self._scopes) for _ in scope.nodes),
            node_indices=tuple(index for scope in self._scopes for index in range(len(scope.nodes))),
            node_names=tuple(names),
            node_operators=tuple(map(operators.__getitem__, kinds)),
            node_domains=tuple(domains[domain] for domain, _ in kinds),
            node_groups=tuple(node_groups),
            domains=tuple(domains),
            tensors=tuple(self._tensors),
            terminals=tuple(self._terminals),
            edge_from=tuple(self._edges[0]),
            edge_to=tuple(self._edges[1]),
            edge_tensors=tuple(self._edges[2]),
            inside=tuple(self._inside(kinds)),
        )

    def _describe(self, scope: Scope) -> GraphScope:
        if scope.parent is not None:
            parent = self._number_of[id(scope.parent)]
            title = scope.path.rpartition("/")[2]
            return GraphScope(scope.path, _short(title), "subgraph", parent, self._starts[parent] + scope.parent_index)
        if self._number_of[id(scope)] == 0:
            return GraphScope("", "main graph", "graph")
        return GraphScope(scope.path, _short(scope.path.removeprefix(".")), "function")

    def _groups(self, names: Sequence[str]) -> tuple[list[GraphGroup], list[int]]:
        groups: list[GraphGroup] = []
        node_groups: list[int] = []
        for number, scope in enumerate(self._scopes):
            start = self._starts[number]
            made, places = group_nodes(names[start : start + len(scope.nodes)], scope=number, first=len(groups))
            groups += made
            node_groups += places
        return groups, node_groups

    def _reads(self) -> list[list[Iterable[str]]]:
        """Return what each node of each scope reads, what its subgraphs take from around them included.

        A subgraph stands behind the graph around it, so what it takes is known when that graph's turn comes.
        """
        taken: dict[int, dict[int, list[str]]] = {}
        result: list[list[Iterable[str]]] = [[]] * len(self._scopes)
        for number in range(len(self._scopes) - 1, -1, -1):
            scope = self._scopes[number]
            reads: list[Iterable[str]] = [node.input for node in scope.nodes]
            for index, names in taken.pop(number, {}).items():
                reads[index] = [*reads[index], *names]
            result[number] = reads
            if scope.parent is not None:
                wanted = dict.fromkeys(name for names in reads for name in names)
                wanted.update(dict.fromkeys(_output_names(scope)))
                around = taken.setdefault(self._number_of[id(scope.parent)], {}).setdefault(scope.parent_index, [])
                around += [name for name in wanted if name and name not in scope.makers and name not in scope.declared]
        return result

    def _connect(self, number: int, scope: Scope, reads: Sequence[Iterable[str]]) -> None:
        """Add the inputs, outputs and edges of a scope."""
        start = self._starts[number]
        sources = {name: start + index for name, index in scope.makers.items()}
        weights = {tensor.name for tensor in getattr(scope.body, "initializer", ())}
        for name in scope.declared:
            sources.pop(name, None)  # what is there before any node runs is not made by one, whatever the file says
        for value in scope.body.input:
            name = value if isinstance(value, str) else value.name
            if name not in weights:
                sources[name] = self._add_terminal(number, "input", name, value)
        self._add_edges(
            (sources[name], start + index, name)
            for index, names in enumerate(reads)
            for name in (dict.fromkeys(names) if names else ())
            if name in sources
        )
        for value in scope.body.output:
            name = value if isinstance(value, str) else value.name
            terminal = self._add_terminal(number, "output", name, value)
            if name in sources:
                self._add_edges([(sources[name], terminal, name)])

    def _add_edges(self, edges: Iterable[tuple[int, int, str]]) -> None:
        begins, ends, named = self._edges
        tensors = self._tensors
        for begin, end, name in edges:
            begins.append(begin)
            ends.append(end)
            named.append(tensors.setdefault(name, len(tensors)))

    def _add_terminal(
        self, scope: int, kind: Literal["input", "output"], name: str, value: ValueInfoProto | str
    ) -> int:
        """Add an input or output; return how edges name it."""
        self._terminals.append(GraphTerminal(scope, kind, name, "" if isinstance(value, str) else type_text(value)))
        return -len(self._terminals)

    def _inside(self, kinds: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
        """Return which node holds or calls which scope."""
        functions: dict[tuple[str, str], list[tuple[str, int]]] = {}
        pairs: list[tuple[int, int]] = []
        for number, scope in enumerate(self._scopes):
            if scope.parent is not None:
                pairs.append((self._starts[self._number_of[id(scope.parent)]] + scope.parent_index, number))
            elif number:
                body = cast("FunctionProto", scope.body)
                key = ("" if body.domain == "ai.onnx" else body.domain, body.name)
                functions.setdefault(key, []).append((getattr(body, "overload", ""), number))
        if functions:
            nodes = (node for scope in self._scopes for node in scope.nodes)
            for number, (node, kind) in enumerate(zip(nodes, kinds, strict=True)):
                for overload, scope_number in functions.get(kind, ()):
                    if overload == getattr(node, "overload", ""):
                        pairs.append((number, scope_number))
                        break
        return sorted(pairs)


def _output_names(scope: Scope) -> list[str]:
    return [value if isinstance(value, str) else value.name for value in scope.body.output]


def _short(title: str) -> str:
    return shorten_middle(title, _LONGEST_TITLE)
