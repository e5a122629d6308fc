"""What a picture of a graph shows: all of a small one, the surroundings of a problem, or the groups of a large one."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from trtlab._format import plural, shorten_middle

BoxKind = Literal["node", "group", "input", "output", "more"]
NOT_LOOKED_AT, SUPPORTED, BY_PARSER, BY_BUILDER, UNKNOWN = range(5)
# What a group shows of all that is in it.
_WORST_FIRST = (BY_PARSER, BY_BUILDER, UNKNOWN, NOT_LOOKED_AT, SUPPORTED)
_STEPS_AROUND = 3
_MOST_AROUND = 28
_MOST_NEIGHBOURS = 6


@dataclass(frozen=True)
class Box:
    """One box of the picture.

    Attributes:
        kind: What it stands for.
        title: First line.
        name: Second line.
        state: Number of its status, as in the trait `status`.
        problems: How many nodes in it, or below it, are not supported.
        is_centre: Whether the picture is about it.
    """

    kind: BoxKind
    title: str
    name: str = ""
    state: int = NOT_LOOKED_AT
    problems: int = 0
    is_centre: bool = False


@dataclass(frozen=True)
class Choice:
    """What is shown: boxes, edges between them by position, and what a reader must know of the choice."""

    boxes: tuple[Box, ...]
    edges: tuple[tuple[int, int], ...]
    note: str


class ShownGraph:
    """The traits `graph` and `status`, looked at for one picture."""

    def __init__(self, graph: Mapping[str, Any], status: Mapping[str, Any] | None) -> None:
        nodes: Mapping[str, Any] = graph.get("nodes", {})
        self.names: Sequence[str] = nodes.get("name", [])
        self.scopes: Sequence[int] = nodes.get("scope", [])
        self.group_of: Sequence[int] = nodes.get("group", [])
        self.groups: Sequence[Mapping[str, Any]] = graph.get("groups", [])
        self.terminals: Sequence[Mapping[str, Any]] = graph.get("terminals", [])
        self.scope_list: Sequence[Mapping[str, Any]] = graph.get("scopes", [])
        self._operators: Sequence[str] = graph.get("operators", [])
        self._operator_of: Sequence[int] = nodes.get("operator", [])
        edges: Mapping[str, Any] = graph.get("edges", {})
        self.edges = list(zip(edges.get("from", []), edges.get("to", []), strict=True))
        self.inside: Sequence[Sequence[int]] = graph.get("inside", [])
        known = list((status or {}).get("of", []))
        self.states = known if len(known) == len(self.names) else [NOT_LOOKED_AT] * len(self.names)
        self._problems: Sequence[Mapping[str, Any]] = (status or {}).get("problems", [])

    def first_problem(self) -> int | None:
        """Return the first node that TensorRT does not take, None if there is none."""
        listed = (int(problem["node"]) for problem in self._problems if problem.get("state") == "error")
        found = next((number for number in listed if 0 <= number < len(self.names)), None)
        if found is not None:
            return found
        for wanted in ((BY_PARSER, BY_BUILDER), (UNKNOWN,)):
            found = next((number for number, state in enumerate(self.states) if state in wanted), None)
            if found is not None:
                return found
        return None

    def operator(self, number: int) -> str:
        """Return the operator of a node."""
        return self._operators[self._operator_of[number]]

    def scope_title(self, scope: int) -> str:
        """Return what a scope is called, and the node that holds it; empty for the main graph."""
        if not 0 < scope < len(self.scope_list):
            return ""
        title = shorten_middle(str(self.scope_list[scope]["title"]), 40)
        holder = int(self.scope_list[scope].get("holder", -1))
        if not 0 <= holder < len(self.names):
            return title
        return f"{title} of {shorten_middle(self.names[holder], 40) or 'a node'} ({self.operator(holder)})"

    @cached_property
    def scope_edges(self) -> dict[int, list[tuple[int, int]]]:
        """The edges of each scope."""
        found: dict[int, list[tuple[int, int]]] = {}
        for begin, end in self.edges:
            at = begin if begin >= 0 else end
            scope = self.scopes[at] if at >= 0 else int(self.terminals[-1 - begin]["scope"])
            found.setdefault(scope, []).append((begin, end))
        return found

    @cached_property
    def below(self) -> dict[int, list[int]]:
        """All nodes in the scopes that a node holds or calls, at any depth; those of a function at each call."""
        in_scope: dict[int, list[int]] = {}
        for number, scope in enumerate(self.scopes):
            in_scope.setdefault(scope, []).append(number)
        held: dict[int, list[int]] = {}
        for node, scope in self.inside:
            held.setdefault(node, []).append(scope)
        found = {}
        for node, scopes in held.items():
            seen: set[int] = set()
            waiting = list(scopes)
            while waiting:
                scope = waiting.pop()
                if scope not in seen:
                    seen.add(scope)
                    waiting += [inner for each in in_scope.get(scope, ()) for inner in held.get(each, ())]
            found[node] = [each for scope in sorted(seen) for each in in_scope.get(scope, ())]
        return found

    def node_box(self, number: int, *, is_centre: bool = False) -> Box:
        """Return the box of a node."""
        return Box(
            "node",
            self.operator(number),
            self.names[number],
            self.states[number],
            self._bad(self.below.get(number, ())),
            is_centre,
        )

    def terminal_box(self, end: int) -> Box:
        """Return the box of an input or output, given as edges name it."""
        terminal = self.terminals[-1 - end]
        return Box("output" if terminal["kind"] == "output" else "input", str(terminal["name"]), str(terminal["type"]))

    def group_box(self, group: int, members: Sequence[int]) -> Box:
        """Return the box of a folded group."""
        inner = [*members, *(each for number in members for each in self.below.get(number, ()))]
        states = {self.states[number] for number in inner}
        worst = next((state for state in _WORST_FIRST if state in states), NOT_LOOKED_AT)
        return Box("group", str(self.groups[group]["title"]), plural(len(members), "node"), worst, self._bad(inner))

    def _bad(self, numbers: Iterable[int]) -> int:
        return sum(self.states[number] >= BY_PARSER for number in numbers)


def choose(shown: ShownGraph, centre: int | None, most: int) -> Choice:
    """Return what to show.

    Args:
        shown: The graph.
        centre: The node that the picture is about, None for the whole.
        most: The most boxes.
    """
    scope = shown.scopes[centre] if centre is not None else 0
    ends = [number for number, each in enumerate(shown.scopes) if each == scope]
    ends += [-1 - place for place, terminal in enumerate(shown.terminals) if terminal["scope"] == scope]
    edges = shown.scope_edges.get(scope, [])
    if len(ends) <= most:
        return _choice(shown, _inputs_first(shown, ends), edges, centre, "")
    if centre is not None:
        near, cut = _around(centre, edges, min(most, _MOST_AROUND))
        note = f"The picture shows what is around it: {plural(len(near), 'box', 'boxes')} of {len(ends)}."
        return _choice(shown, [end for end in ends if end in near], edges, centre, note, cut)
    return _folded(shown, ends, edges, most)


def _inputs_first(shown: ShownGraph, ends: Sequence[int]) -> list[int]:
    inputs = [end for end in ends if end < 0 and shown.terminals[-1 - end]["kind"] == "input"]
    return inputs + [end for end in ends if end not in set(inputs)]


def _choice(
    shown: ShownGraph,
    ends: Sequence[int],
    edges: Sequence[tuple[int, int]],
    centre: int | None,
    note: str,
    cut: Mapping[tuple[int, bool], int] | None = None,
) -> Choice:
    """Return the boxes of some nodes and terminals, with small ones for what was cut off."""
    place = {end: at for at, end in enumerate(ends)}
    boxes = [shown.node_box(end, is_centre=end == centre) if end >= 0 else shown.terminal_box(end) for end in ends]
    pairs = list(dict.fromkeys((place[begin], place[end]) for begin, end in edges if begin in place and end in place))
    for (end, is_above), count in (cut or {}).items():
        pairs.append((len(boxes), place[end]) if is_above else (place[end], len(boxes)))
        boxes.append(Box("more", f"{count} more"))
    return Choice(tuple(boxes), tuple(pairs), note)


def _around(centre: int, edges: Sequence[tuple[int, int]], most: int) -> tuple[set[int], dict[tuple[int, bool], int]]:
    """Return what lies within a few steps of a node, and how many neighbours were cut off above and below each of these."""
    makers: dict[int, list[int]] = {}
    readers: dict[int, list[int]] = {}
    for begin, end in dict.fromkeys(edges):
        readers.setdefault(begin, []).append(end)
        makers.setdefault(end, []).append(begin)
    found = {centre}
    waiting = deque([(centre, 0)])
    while waiting:
        end, steps = waiting.popleft()
        if steps == _STEPS_AROUND:
            continue
        for each in (*makers.get(end, ())[:_MOST_NEIGHBOURS], *readers.get(end, ())[:_MOST_NEIGHBOURS]):
            if each not in found and len(found) < most:
                found.add(each)
                waiting.append((each, steps + 1))
    cut: Counter[tuple[int, bool]] = Counter()
    for end in found:
        cut[end, True] += sum(each not in found for each in makers.get(end, ()))
        cut[end, False] += sum(each not in found for each in readers.get(end, ()))
    return found, {key: count for key, count in cut.items() if count}


def _folded(shown: ShownGraph, ends: Sequence[int], edges: Sequence[tuple[int, int]], most: int) -> Choice:
    """Return a large graph with its groups folded, as many of them open as there is room for."""
    sizes, members, inner = _group_sizes(shown, ends)
    folded = {group for group in sizes if shown.groups[group]["parent"] < 0}
    count = len(folded) + sum(end < 0 or shown.group_of[end] < 0 for end in ends)
    opened: set[int] = set()
    while True:
        # An open group puts its own members in the place of one box.
        fitting = [group for group in folded if count - 1 + members[group] <= most // 2]
        if not fitting:
            break
        largest = max(fitting, key=lambda group: (sizes[group], -group))
        folded.remove(largest)
        folded.update(inner.get(largest, ()))
        opened.add(largest)
        count += members[largest] - 1
    return _folded_choice(shown, _holders(shown, ends, opened), edges, most)


def _group_sizes(shown: ShownGraph, ends: Sequence[int]) -> tuple[Counter[int], Counter[int], dict[int, list[int]]]:
    """Return for each group how many nodes it holds, how many boxes it opens into, and the groups right inside it."""
    sizes, members = Counter[int](), Counter[int]()
    inner: dict[int, list[int]] = {}
    for end in ends:
        if end >= 0 and shown.group_of[end] >= 0:
            sizes[shown.group_of[end]] += 1
            members[shown.group_of[end]] += 1
    for group in range(len(shown.groups) - 1, -1, -1):  # a group stands behind the one around it
        around = int(shown.groups[group]["parent"])
        if sizes[group] and around >= 0:
            sizes[around] += sizes[group]
            members[around] += 1
            inner.setdefault(around, []).append(group)
    return +sizes, members, inner


def _holders(shown: ShownGraph, ends: Sequence[int], opened: set[int]) -> dict[int, int | str]:
    """Return what stands for each node or terminal: itself, or its outermost group that is not open (as text)."""
    outermost: list[int] = []
    for number, group in enumerate(shown.groups):
        around = int(group["parent"])
        above = outermost[around] if around >= 0 else -1
        outermost.append(above if above >= 0 else -1 if number in opened else number)
    found: dict[int, int | str] = {}
    for end in ends:
        group_number = shown.group_of[end] if end >= 0 else -1
        closed = outermost[group_number] if group_number >= 0 else -1
        found[end] = str(closed) if closed >= 0 else end
    return found


def _folded_choice(
    shown: ShownGraph, holders: Mapping[int, int | str], edges: Sequence[tuple[int, int]], most: int
) -> Choice:
    count = sum(end >= 0 for end in holders)
    members: dict[int | str, list[int]] = {}
    for end, holder in holders.items():
        members.setdefault(holder, []).append(end)
    kept = list(members)[:most]
    place = {holder: at for at, holder in enumerate(kept)}
    boxes = []
    for holder in kept:
        if isinstance(holder, str):
            boxes.append(shown.group_box(int(holder), members[holder]))
        else:
            boxes.append(shown.node_box(holder) if holder >= 0 else shown.terminal_box(holder))
    pairs = dict.fromkeys(
        (place[holders[begin]], place[holders[end]])
        for begin, end in edges
        if holders.get(begin) in place and holders.get(end) in place and holders[begin] != holders[end]
    )
    hidden = len(members) - len(kept)
    grouped = sum(len(members[holder]) for holder in kept if isinstance(holder, str))
    note = f"{plural(grouped, 'node')} of {count} are folded into groups." if grouped else ""
    if hidden:
        note += f" {plural(hidden, 'box', 'boxes')} of {len(members)} are left out."
    return Choice(tuple(boxes), tuple(pairs), note.strip())
