"""Parts that TensorRT would take can each run as one engine: no way leads out of a part and back into it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trtlab.support.partition import Part, Partition, make_partition

Graph = tuple[list[set[int]], list[bool]]


@st.composite
def graphs(draw: st.DrawFn, *, in_order: bool = True) -> Graph:
    """Return the sources of each node, and whether it is taken."""
    count = draw(st.integers(0, 14))
    sources = [
        draw(st.sets(st.integers(0, (number if in_order else count) - 1), max_size=3))
        if number or not in_order
        else set()
        for number in range(count)
    ]
    return sources, draw(st.lists(st.booleans(), min_size=count, max_size=count))


def reached(sources: list[set[int]]) -> list[set[int]]:
    """Return for each node of a graph all nodes that it depends on, itself included only in a circle."""
    found = [set(before) for before in sources]
    for _ in sources:
        found = [before.union(*(found[node] for node in before)) for before in found]
    return found


@settings(max_examples=500, deadline=None)
@given(graph=graphs())
def test_no_way_leads_out_of_a_part_and_back(graph: Graph) -> None:
    sources, taken = graph
    partition = make_partition(sources, taken)
    before = reached(sources)
    for part in partition.parts:
        inside = set(part.nodes)
        outside = set(range(len(sources))) - inside
        assert not any(
            before[node] & inside and any(node in before[member] for member in inside) for node in outside
        ), (part, sources, taken)


@settings(max_examples=300, deadline=None)
@given(graph=graphs())
def test_each_node_that_is_taken_is_in_one_part_and_no_other_is_in_any(graph: Graph) -> None:
    sources, taken = graph
    partition = make_partition(sources, taken)
    members = [node for part in partition.parts for node in part.nodes]
    assert sorted(members) == [node for node, is_taken in enumerate(taken) if is_taken]
    assert partition.nodes == len(sources)
    for part in partition.parts:
        assert list(part.nodes) == sorted(part.nodes)
        assert is_connected(set(part.nodes), sources), part


def is_connected(nodes: set[int], sources: list[set[int]]) -> bool:
    """Whether the nodes hang together, whichever way their connections point."""
    links = {node: {*(sources[node] & nodes), *(other for other in nodes if node in sources[other])} for node in nodes}
    waiting, seen = [min(nodes)], {min(nodes)}
    while waiting:
        new = links[waiting.pop()] - seen
        seen |= new
        waiting += new
    return seen == nodes


@settings(max_examples=200, deadline=None)
@given(graph=graphs(in_order=False))
def test_nodes_in_circles_are_in_no_part(graph: Graph) -> None:
    sources, taken = graph
    before = reached(sources)
    members = {node for part in make_partition(sources, taken).parts for node in part.nodes}
    assert not {node for node in range(len(sources)) if node in before[node]} & members


@settings(max_examples=100, deadline=None)
@given(graph=graphs())
def test_a_model_that_is_taken_whole_has_as_few_parts_as_it_has_pieces(graph: Graph) -> None:
    sources, _ = graph
    parts = make_partition(sources, [True] * len(sources)).parts
    for part in parts:
        inside = set(part.nodes)
        assert not any(sources[node] & inside for node in range(len(sources)) if node not in inside)


def test_two_branches_around_a_refused_node() -> None:
    """With a -> b -> d and a -> c -> d and b refused, c can go with a or with d, never with both."""
    partition = make_partition([set(), {0}, {0}, {1, 2}], [True, False, True, True])
    assert [set(part.nodes) for part in partition.parts] in ([{0, 2}, {3}], [{2, 3}, {0}])
    assert partition.node_fraction == 0.75


def test_the_shares_are_of_the_nodes_and_of_the_arithmetic() -> None:
    partition = make_partition([set(), {0}, {1}], [True, False, True], [30.0, 60.0, 10.0])
    assert [(part.nodes, part.operations) for part in partition.parts] == [((0,), 30.0), ((2,), 10.0)]
    assert partition.operation_fraction == pytest.approx(0.4)
    assert (
        partition.text
        == "TensorRT would take 2 parts of it: 66.7 % of the nodes and 40.0 % of the arithmetic (an estimate)."
    )
    known = make_partition([set(), {0}], [True, False], [30.0, None])
    assert (known.operation_fraction, known.uncounted) == (1.0, 1)
    assert "1 node of unknown shape left out" in known.text
    assert make_partition([set(), {0}], [True, False], [None, None]).operation_fraction is None


def test_a_model_without_nodes_or_parts_says_so() -> None:
    assert (make_partition([], []).text, make_partition([], []).node_fraction) == ("", 0.0)
    assert make_partition([set()], [False]).text == "TensorRT would take no part of it."
    assert Partition((Part((0,)),), 1).text == "TensorRT would take 1 part of it: 100 % of the nodes."


def test_twenty_thousand_nodes_in_a_row_take_no_recursion() -> None:
    sources = [{number - 1} if number else set[int]() for number in range(20_000)]
    taken = [number % 100 != 0 for number in range(20_000)]
    assert len(make_partition(sources, taken).parts) == 200
