"""The order of the nodes of a graph: which feed each other in a circle, and how the others can be sorted.

Everything here is linear in nodes and edges, and works through lists of its own: a chain of 20,000 nodes is common.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from trtlab.model.walk import names_read

if TYPE_CHECKING:
    from trtlab.model.walk import Scope

_UNSEEN = -1


class GraphOrder:
    """Which node needs which, inside one graph or function.

    Attributes:
        sources: For each node, the nodes that make what it reads.
    """

    def __init__(self, scope: Scope) -> None:
        makers, declared, holders = scope.makers, scope.declared, set(scope.holders)
        self.sources: list[list[int]] = []
        for index, node in enumerate(scope.body.node):
            names = names_read(node) if index in holders else node.input
            self.sources.append(sorted({makers[name] for name in names if name in makers and name not in declared}))

    def is_sorted(self) -> bool:
        """Whether every node stands behind all that it needs."""
        return all(source < index for index, sources in enumerate(self.sources) for source in sources)

    def sorted_indices(self) -> list[int]:
        """Return the nodes in an order in which each comes after what it needs; nodes that cannot be sorted stand last."""
        followers: list[list[int]] = [[] for _ in self.sources]
        waiting = [len(sources) for sources in self.sources]
        for index, sources in enumerate(self.sources):
            for source in sources:
                followers[source].append(index)
        ready = deque(index for index, count in enumerate(waiting) if count == 0)
        order: list[int] = []
        while ready:
            index = ready.popleft()
            order.append(index)
            for follower in followers[index]:
                waiting[follower] -= 1
                if waiting[follower] == 0:
                    ready.append(follower)
        placed = set(order)
        return order + [index for index in range(len(self.sources)) if index not in placed]

    def circles(self) -> list[list[int]]:
        """Return one circle out of each group of nodes that feed each other, in the direction of the data."""
        return [self._circle_in(set(group)) for group in self._groups()]

    def nodes_in_circles(self) -> set[int]:
        """Return every node that feeds itself over any way."""
        return {index for group in self._groups() for index in group}

    def _circle_in(self, group: set[int]) -> list[int]:
        """Return a shortest circle through the first node of a group, by a breadth-first walk against the data."""
        first = min(group)
        next_of: dict[int, int] = {}
        waiting = deque([first])
        while waiting:
            index = waiting.popleft()
            for source in self.sources[index]:
                if source == first:
                    circle = [first]
                    while index != first:
                        circle.append(index)
                        index = next_of[index]
                    return circle
                if source in group and source not in next_of:
                    next_of[source] = index
                    waiting.append(source)
        return sorted(group)

    def _groups(self) -> list[list[int]]:
        """Return the strongly connected groups that hold a circle (Tarjan's algorithm, without recursion)."""
        number = [_UNSEEN] * len(self.sources)
        low = [0] * len(self.sources)
        on_stack = [False] * len(self.sources)
        stack: list[int] = []
        groups: list[list[int]] = []
        count = 0
        for root in range(len(self.sources)):
            if number[root] != _UNSEEN:
                continue
            walk = [(root, iter(self.sources[root]))]
            while walk:
                index, rest = walk[-1]
                if number[index] == _UNSEEN:
                    number[index] = low[index] = count
                    count += 1
                    stack.append(index)
                    on_stack[index] = True
                for source in rest:
                    if number[source] == _UNSEEN:
                        walk.append((source, iter(self.sources[source])))
                        break
                    if on_stack[source]:
                        low[index] = min(low[index], number[source])
                else:
                    walk.pop()
                    if walk:
                        low[walk[-1][0]] = min(low[walk[-1][0]], low[index])
                    if low[index] == number[index]:
                        groups.append(_take_group(stack, on_stack, index))
        return sorted(sorted(group) for group in groups if len(group) > 1 or group[0] in self.sources[group[0]])


def _take_group(stack: list[int], on_stack: list[bool], root: int) -> list[int]:
    group = []
    while True:
        index = stack.pop()
        on_stack[index] = False
        group.append(index)
        if index == root:
            return group
