"""Which connected parts of a model TensorRT would take."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from trtlab._format import plural, three_digits
from trtlab._results import Result

_NEARLY_ALL = 0.999


@dataclass(frozen=True)
class Part(Result):
    """One part of the main graph that TensorRT would take as an engine of its own.

    Attributes:
        nodes: Numbers of its nodes, in order.
        operations: Its multiply-adds, estimated; None if they are unknown of every node.
    """

    nodes: tuple[int, ...]
    operations: float | None = None


@dataclass(frozen=True)
class Partition(Result):
    """The parts of a model that TensorRT would take.

    Attributes:
        parts: The parts, the largest first.
        nodes: Nodes of the main graph.
        operations: Multiply-adds of the main graph, estimated; None if they are unknown of every node.
        uncounted: Nodes of which they are unknown.
    """

    parts: tuple[Part, ...] = ()
    nodes: int = 0
    operations: float | None = None
    uncounted: int = 0

    @property
    def node_fraction(self) -> float:
        """How much of the nodes of the main graph the parts hold, from 0 to 1."""
        return sum(len(part.nodes) for part in self.parts) / self.nodes if self.nodes else 0.0

    @property
    def operation_fraction(self) -> float | None:
        """How much of the arithmetic that is known the parts hold, from 0 to 1; None if none is."""
        if not self.operations:
            return None
        return sum(part.operations or 0.0 for part in self.parts) / self.operations

    @property
    def text(self) -> str:
        """The partition in one line, empty for a model without nodes."""
        if not self.nodes:
            return ""
        if not self.parts:
            return "TensorRT would take no part of it."
        share = f"{_percent(self.node_fraction)} of the nodes"
        operations = self.operation_fraction
        if operations is not None:
            left_out = f"; {plural(self.uncounted, 'node')} of unknown shape left out" if self.uncounted else ""
            share += f" and {_percent(operations)} of the arithmetic (an estimate{left_out})"
        return f"TensorRT would take {plural(len(self.parts), 'part')} of it: {share}."


def _percent(fraction: float) -> str:
    # Never "100 %" of what is not all.
    return "over 99.9 %" if _NEARLY_ALL < fraction < 1 else f"{three_digits(100 * fraction)} %"


def make_partition(
    sources: Sequence[Collection[int]], taken: Sequence[bool], operations: Sequence[float | None] | None = None
) -> Partition:
    """Return the parts of a graph that TensorRT would take.

    Two nodes can stand in one part only if no way leads from one over a node outside and back to the other, for then neither could
    run before the other has. Nodes with the same number of changes between taken and not taken on the longest way to them
    fulfil that; of these, the connected ones make a part.

    Args:
        sources: For each node, the nodes that it reads from. Nodes may stand in any order; circles are left out.
        taken: Whether TensorRT takes each node.
        operations: Multiply-adds of each node, None for unknown ones.
    """
    depths = _depths(sources, taken)
    root = list(range(len(sources)))

    def find(node: int) -> int:
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for node, before in enumerate(sources):
        for source in before:
            if taken[node] and taken[source] and depths[node] == depths[source] >= 0:
                root[find(node)] = find(source)
    groups: dict[int, list[int]] = {}
    for node in range(len(sources)):
        if taken[node] and depths[node] >= 0:
            groups.setdefault(find(node), []).append(node)
    parts = [Part(tuple(nodes), _sum(operations, nodes)) for nodes in groups.values()]
    parts.sort(key=lambda part: (-len(part.nodes), part.nodes))
    uncounted = sum(item is None for item in operations) if operations is not None else 0
    return Partition(tuple(parts), len(sources), _sum(operations, range(len(sources))), uncounted)


def _depths(sources: Sequence[Collection[int]], taken: Sequence[bool]) -> list[int]:
    """Return how often the longest way to each node changes between taken and not taken; -1 for nodes in circles."""
    followers: list[list[int]] = [[] for _ in sources]
    waiting = [len(set(before)) for before in sources]
    for node, before in enumerate(sources):
        for source in set(before):
            followers[source].append(node)
    depths = [0] * len(sources)
    ready = [node for node, count in enumerate(waiting) if not count]
    done = 0
    while ready:
        node = ready.pop()
        done += 1
        for follower in followers[node]:
            depths[follower] = max(depths[follower], depths[node] + (taken[node] != taken[follower]))
            waiting[follower] -= 1
            if not waiting[follower]:
                ready.append(follower)
    for node, before in enumerate(sources):
        if not before and followers[node]:  # a constant belongs to what reads it
            depths[node] = min(depths[other] - (taken[node] != taken[other]) for other in followers[node])
    return depths if done == len(sources) else [depth if not waiting[node] else -1 for node, depth in enumerate(depths)]


def _sum(operations: Sequence[float | None] | None, nodes: Collection[int]) -> float | None:
    known = [item for node in nodes if (item := operations[node]) is not None] if operations else []
    return sum(known) if known else None
