"""Groups of nodes, read from the parts of their names: `/encoder/layer.0/attention/MatMul` lies in three groups.

Exporters write the modules of the original program into the names. Names are untrusted text: how deep groups nest, and how
long their titles are, is bounded, and a name that is no path of modules makes no groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trtlab._format import shorten_middle
from trtlab._results import Result

MOST_LEVELS = 12
LONGEST_TITLE = 80
# Longer ones were not written by an exporter.
_LONGEST_NAME = 1000
# Names such as `model.layers.0.linear` are paths; one dot may stand in any name.
_PATH_DOTS = 2
_TOP = -1


@dataclass(frozen=True)
class GraphGroup(Result):
    """Nodes that belong together.

    Attributes:
        title: Last part of the group's name; several parts where groups with one member were left out.
        parent: Position of the group around it, -1 for none.
        scope: Number of the graph or function that its nodes stand in.
    """

    title: str
    parent: int
    scope: int


def group_nodes(names: Sequence[str], *, scope: int = 0, first: int = 0) -> tuple[list[GraphGroup], list[int]]:
    """Return the groups of the nodes of one graph, outermost first, and the group of each node (-1 for none).

    Only groups that tell something are made: none with a single member, and none that holds everything.

    Args:
        names: The names of the nodes; empty ones lie in no group.
        scope: Number of the graph.
        first: Position that the first group will have in the list of all groups.
    """
    separator = _separator(names)
    tree = _Tree(separator)
    places = [tree.place(name) for name in names] if separator else []
    if not tree.titles:
        return [], [_TOP] * len(names)
    tree.count(places)
    return tree.result(places, scope, first)


def _separator(names: Sequence[str]) -> str:
    """Return what separates the parts of most names, empty if they have no parts."""
    slashes = sum("/" in name.strip("/") for name in names)
    dotted = sum(name.count(".") >= _PATH_DOTS for name in names)
    named = sum(map(bool, names))
    if slashes and slashes >= dotted:
        return "/"
    return "." if dotted and 2 * dotted >= named else "/" if slashes else ""


class _Tree:
    """All groups that the names speak of; a parent always stands before its children."""

    def __init__(self, separator: str) -> None:
        self._separator = separator
        self.titles: list[str] = []
        self._parts: list[str] = []
        self._parents: list[int] = []
        self._places: dict[str, int] = {}
        self._children: dict[tuple[int, str], int] = {}
        self._members: list[int] = []

    def place(self, name: str) -> int:
        """Return the group that a name puts its node in, making it if it is new."""
        before, found, _ = name.rpartition(self._separator)
        if not found or not before or len(name) > _LONGEST_NAME:
            return _TOP
        place = self._places.get(before)
        if place is None:
            place = self._places[before] = self._make([part for part in before.split(self._separator) if part.strip()])
        return place

    def _make(self, parts: list[str]) -> int:
        place, previous = _TOP, ""
        for part in parts[:MOST_LEVELS]:
            child = self._children.get((place, part))
            if child is None:
                child = self._children[place, part] = len(self.titles)
                # A number alone says nothing; `layers.0` does.
                title = f"{previous}{self._separator}{part}" if part.isdecimal() and previous else part
                self.titles.append(shorten_middle(title, LONGEST_TITLE))
                self._parts.append(shorten_middle(part, LONGEST_TITLE))
                self._parents.append(place)
            place, previous = child, part
        return place

    def count(self, places: Sequence[int]) -> None:
        """Count the members of each group: nodes and the groups right inside it."""
        own = [0] * len(self.titles)
        top = 0
        for place in places:
            if place == _TOP:
                top += 1
            else:
                own[place] += 1
        self._members = own
        for place in range(len(own) - 1, -1, -1):
            parent = self._parents[place]
            if own[place] and parent != _TOP:
                own[parent] += 1
        if not top:
            self._open_outermost()

    def _open_outermost(self) -> None:
        """Take away the group that holds all nodes, and what is left alone below it."""
        outermost = [place for place, parent in enumerate(self._parents) if parent == _TOP and self._members[place]]
        while len(outermost) == 1:
            only = outermost[0]
            children = [place for place, parent in enumerate(self._parents) if parent == only and self._members[place]]
            is_alone = self._members[only] == 1
            self._members[only] = 0
            if not is_alone:
                return
            outermost = children

    def result(self, places: Sequence[int], scope: int, first: int) -> tuple[list[GraphGroup], list[int]]:
        """Return the groups with several members, and the group of each node."""
        groups: list[GraphGroup] = []
        kept: list[int] = []  # for each place, the position of the group that its members are in
        passed: list[str] = []  # titles of groups with one member, just above
        for place, title in enumerate(self.titles):
            parent = self._parents[place]
            around, prefix = (kept[parent], passed[parent]) if parent != _TOP else (_TOP, "")
            shown = shorten_middle(f"{prefix}{self._separator}{self._parts[place]}" if prefix else title, LONGEST_TITLE)
            if self._members[place] > 1:
                kept.append(first + len(groups))
                passed.append("")
                groups.append(GraphGroup(shown, around, scope))
            else:
                kept.append(around)
                passed.append(shown if self._members[place] else "")
        return groups, [_TOP if place == _TOP else kept[place] for place in places]
