"""Find the node that an error of the TensorRT parser means, in subgraphs and local functions too. Runs in the worker.

The parser's index is that of a node of the main graph, however deep below it the refused node lies. What is above the refused
node it tells only in part: calls of functions and branches of an If, but not bodies of a Loop, and of importers' errors no branches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtlab.model.node_description import RefusedNode
from trtlab.model.walk import Scope, scopes

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

_MAXIMUM_DEPTH = 60
# A function can call another one many times, which doubles the places with each level.
_MAXIMUM_PLACES = 20_000


@dataclass(frozen=True)
class FoundNode:
    """A node, the graph or function that it stands in, and the calls of functions that lead there, outermost first."""

    node: NodeProto
    index: int
    scope: Scope
    calls: tuple[tuple[NodeProto, Scope], ...] = ()
    chain: tuple[str, ...] = ()


class NodeSearch:
    """Finds nodes in one model."""

    def __init__(self, model: ModelProto) -> None:
        self._model = model
        self._scopes = list(scopes(model))
        self._main = self._scopes[0]
        self._by_body = {id(scope.body): scope for scope in self._scopes}
        self._functions = {
            (function.domain, function.name): self._by_body[id(function)]
            for function in model.functions
            if id(function) in self._by_body
        }

    @property
    def scopes(self) -> Sequence[Scope]:
        """All graphs and functions."""
        return self._scopes

    def find(self, refused: Sequence[RefusedNode]) -> list[FoundNode | None]:
        """Return the node of each refusal, None where several could be meant.

        Several refusals that the parser describes alike are those of nodes that stand one behind the other.
        """
        alike: dict[RefusedNode, list[int]] = defaultdict(list)
        for number, item in enumerate(refused):
            alike[item].append(number)
        found: list[FoundNode | None] = [None] * len(refused)
        for item, numbers in alike.items():
            candidates = self._candidates(item)
            if not candidates or len(numbers) % len(candidates):
                continue
            each = len(numbers) // len(candidates)  # a node can be refused for several reasons
            for position, number in enumerate(numbers):
                found[number] = candidates[position // each]
        return found

    def by_number(self, numbers: Collection[int]) -> dict[int, FoundNode]:
        """Return nodes by their number: their position in the list of all nodes, scope after scope.

        Of a node in a function the first call counts.
        """
        starts: dict[int, int] = {}
        count = 0
        for scope in self._scopes:
            starts[id(scope.body)] = count
            count += len(scope.nodes)
        found: dict[int, FoundNode] = {}
        for place in self._below(range(len(self._main.nodes))):
            number = starts.get(id(place.scope.body), -1) + place.index
            if number in numbers and id(place.scope.body) in starts:
                found.setdefault(number, place)
                if len(found) == len(numbers):
                    break
        return found

    def _candidates(self, refused: RefusedNode) -> list[FoundNode]:
        nodes = self._main.body.node
        if refused.index >= len(nodes):
            return []
        if refused.index < 0:
            places = self._below(range(len(nodes)))
        else:
            node = nodes[refused.index]
            if node.op_type == refused.operator and not refused.stack and node.name == refused.name:
                return [FoundNode(node, refused.index, self._main)]
            places = self._below([refused.index])
        fitting = [place for place in places if place.node.op_type == refused.operator]
        if refused.index >= 0 or refused.name:
            fitting = [place for place in fitting if place.node.name == refused.name]
        return [place for place in fitting if _is_part(refused.stack, place.chain)]

    def _below(self, indices: Sequence[int]) -> Iterator[FoundNode]:
        """Yield the nodes at some indices of the main graph and all nodes below them, in the order of the file."""
        main = self._main
        waiting = [FoundNode(main.body.node[index], index, main) for index in reversed(indices)]
        count = 0
        while waiting and count < _MAXIMUM_PLACES:
            place = waiting.pop()
            yield place
            count += 1
            if len(place.chain) < _MAXIMUM_DEPTH:
                waiting.extend(reversed(list(self._inside(place))))

    def _inside(self, place: FoundNode) -> Iterator[FoundNode]:
        node = place.node
        called = self._functions.get((node.domain, node.op_type))
        if called is not None:
            chain = (*place.chain, _label(node))
            calls = (*place.calls, (node, place.scope))
            for index, inner in enumerate(called.body.node):
                yield FoundNode(inner, index, called, calls, chain)
        for attribute in node.attribute:
            for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                scope = self._by_body.get(id(graph)) or self._scope_of(graph, place)
                chain = (*place.chain, _label(node), f"{graph.name} ({attribute.name})")
                for index, inner in enumerate(graph.node):
                    yield FoundNode(inner, index, scope, place.calls, chain)

    def _scope_of(self, graph: GraphProto, place: FoundNode) -> Scope:
        # Protobuf can give another wrapper of the same message, so that its id is not known.
        return Scope(place.scope.path, graph, place.scope.depth + 1, place.scope, place.index)


def _label(node: NodeProto) -> str:
    # What the parser calls a node without a name.
    name = node.name or f"node_of_{node.output[0] if node.output else ''}"
    return f"{name} ({node.op_type})"


def _is_part(stack: Sequence[str], chain: Sequence[str]) -> bool:
    """Whether the entries of `stack` stand in `chain`, in order, others between them."""
    rest = iter(chain)
    return all(entry in rest for entry in stack)
