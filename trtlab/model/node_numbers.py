"""The number of each node of a model: its position in the list of all nodes, scope after scope. Runs in the worker."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trtlab.model.description import NodeReference
from trtlab.model.node_description import RefusedNode
from trtlab.model.node_search import NodeSearch
from trtlab.model.walk import node_reference

if TYPE_CHECKING:
    from trtlab._engine_results import ParserError
    from trtlab.model.reading import ModelFile


class NodeNumbers:
    """Leads from what the parser says of a node to its number, and from there to the node."""

    def __init__(self, file: ModelFile) -> None:
        self._search = NodeSearch(file.proto)
        self._scopes = self._search.scopes
        self._starts: list[int] = []
        self._start_of: dict[int, int] = {}
        count = 0
        for scope in self._scopes:
            self._starts.append(count)
            self._start_of[id(scope.body)] = count
            count += len(scope.nodes)

    def of_errors(self, errors: Sequence[ParserError]) -> list[int | None]:
        """Return the number of the node of each error, None where it leads to none or to several."""
        asked = {
            place: RefusedNode(error.node_index, error.node_name, error.operator, error.scope)
            for place, error in enumerate(errors)
            if error.operator and (error.node_index >= 0 or error.node_name)
        }
        found = dict(zip(asked, self._search.find(list(asked.values())), strict=True))
        numbers: list[int | None] = []
        for place in range(len(errors)):
            node = found.get(place)
            start = self._start_of.get(id(node.scope.body)) if node is not None else None
            numbers.append(None if node is None or start is None else start + node.index)
        return numbers

    def reference(self, number: int) -> NodeReference:
        """Return which node has a number."""
        place = bisect_right(self._starts, number) - 1
        scope, index = self._scopes[place], number - self._starts[place]
        return node_reference(scope.nodes[index], index, scope.path)
