"""All nodes of a model in columns, with what each reads from: small enough to be sent for 20,000 nodes at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtlab._results import Result
from trtlab.model.description import NodeReference

if TYPE_CHECKING:
    from trtlab.model.reading import ModelFile


@dataclass(frozen=True)
class NodeList(Result):
    """The nodes of a model by number: scope after scope, in the order of the file.

    Attributes:
        scopes: Path of each graph and function, the main graph (an empty path) first.
        counts: How many nodes each has.
        names: Name of each node.
        operators: Operator of each node.
        domains: Domain of each node.
        sources: For each node of the main graph, the nodes that make what it reads.
    """

    scopes: tuple[str, ...]
    counts: tuple[int, ...]
    names: tuple[str, ...]
    operators: tuple[str, ...]
    domains: tuple[str, ...]
    sources: tuple[tuple[int, ...], ...]

    def references(self) -> list[NodeReference]:
        """Return each node as a reference."""
        found: list[NodeReference] = []
        number = 0
        for path, count in zip(self.scopes, self.counts, strict=True):
            for index in range(count):
                found.append(
                    NodeReference(index, self.names[number], self.operators[number], self.domains[number], path)
                )
                number += 1
        return found


def list_nodes(file: ModelFile) -> NodeList:
    """Return all nodes of a model. Runs in the worker."""
    nodes = [node for scope in file.scopes for node in scope.nodes]
    return NodeList(
        scopes=tuple(scope.path for scope in file.scopes),
        counts=tuple(len(scope.nodes) for scope in file.scopes),
        names=tuple(node.name for node in nodes),
        operators=tuple(node.op_type for node in nodes),
        domains=tuple("" if node.domain == "ai.onnx" else node.domain for node in nodes),
        sources=tuple(tuple(before) for before in file.scopes[0].order.sources),
    )
