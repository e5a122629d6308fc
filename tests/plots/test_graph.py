"""The static picture of a graph: what it shows, that names are never markup, and that hostile graphs are drawn too."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.widgets import graph_samples as samples
from trtlab.plots.graph import graph_picture
from trtlab.plots.graph_layers import BOX_WIDTH, lay_out

SVG = "{http://www.w3.org/2000/svg}"


def texts(picture: str) -> list[str]:
    """Every text in a picture; fails where it is not XML, or holds anything but shapes and text."""
    root = ET.fromstring(picture)  # noqa: S314 - made here
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "defs", "marker", "path", "rect", "g", "text"}
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def node_count(picture: str) -> int:
    """How many boxes carry a sign of a state: nodes and groups."""
    return sum(text in ("○", "✓", "✕", "?") for text in texts(picture))


def test_a_small_graph_is_shown_whole() -> None:
    """Every node has a box with its operator, name and state; the legend says the words."""
    graph = samples.residual(50)
    picture = graph_picture(graph, status=samples.status_of(graph, parser=[20], builder=[33], unknown=[40]))
    assert node_count(picture) == 50
    shown = texts(picture)
    assert "layer0/block2/conv2" in shown
    for words in ("✕ refused by the parser", "✕ refused by the builder", "? could not be judged"):
        assert shown.count(words) == 2  # at the node, and in the legend
    assert "✓ supported" in shown
    assert "Node 'layer0/block2/conv2' (Conv): refused by the parser" in shown
    assert any(text.startswith("2 other problems in 50 nodes") for text in shown)


def test_a_large_graph_with_a_problem_shows_what_is_around_it() -> None:
    """Of 5,000 nodes, the refused one and its neighbours are shown, and how much is left out."""
    graph = samples.residual(5000)
    status = samples.status_of(graph, parser=[2500])
    status["problems"] = [{"node": 2500, "state": "error", "title": "", "where": "", "word": "", "card": None}]
    picture = graph_picture(graph, status=status)
    assert 3 < node_count(picture) <= 28
    shown = texts(picture)
    assert any(graph["nodes"]["name"][2500] in text for text in shown)
    assert any(re.fullmatch(r"⋯ \d+ more", text) for text in shown)
    assert picture == graph_picture(graph, status=status, around=2500)
    assert picture != graph_picture(graph, status=status, around=100)


def test_a_large_graph_without_problems_shows_its_groups() -> None:
    """Of an encoder, groups are shown; as many are open as there is room for."""
    graph = samples.transformer(400)
    picture = graph_picture(graph, status=samples.status_of(graph))
    shown = texts(picture)
    assert "400 nodes, all supported" in shown
    assert any(re.fullmatch(r"\d+ nodes of 400 are folded into groups\.", text) for text in shown)
    assert {"layer.14", "layer.15"} <= set(shown)
    assert node_count(picture) <= 60


def test_a_problem_in_a_group_or_a_branch_marks_what_holds_it() -> None:
    """A folded group and a node with branches say how many problems are inside, in the colour of the worst."""
    graph = samples.branches()
    status = samples.status_of(graph, parser=[4, 6])
    around_holder = texts(graph_picture(graph, status=status, around=1))
    assert "✕ 2 problems inside" in around_holder
    in_branch = texts(graph_picture(graph, status=status))
    assert "Node 'then_branch/Fold' (com.acme.Fold): refused by the parser" in in_branch
    assert "In then_branch of decide/If (If). 1 other problem in 9 nodes." in in_branch


def test_a_group_with_problems_says_so() -> None:
    """A picture of the whole, asked for at a node of another scope's worth, still counts what groups hide."""
    from trtlab.plots.graph_choice import ShownGraph, choose

    graph = samples.transformer(400)
    choice = choose(ShownGraph(graph, samples.status_of(graph, parser=[50, 51], unknown=[60])), None, 60)
    assert sum(box.problems for box in choice.boxes if box.kind == "group") == 3
    assert max(box.state for box in choice.boxes) == 2


def test_nothing_to_show_says_so() -> None:
    """Without a model there is a picture that says so; a node that is not there is an error."""
    assert "There are no nodes to show." in texts(graph_picture({}))
    with pytest.raises(IndexError, match="50 nodes"):
        graph_picture(samples.chain(50), around=50)


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "a\x00b\x1b\ud800",
        "]]>&amp;",
        "n" * 10_000,
        "层" * 200,
    ],
    ids=["script", "attribute", "controls", "entity", "long", "wide"],
)
def test_names_are_text(name: str) -> None:
    """Names of nodes, operators, tensors, groups and the model can hold anything; the picture stays a picture, and small."""
    sketch = samples.Sketch(name)
    first = sketch.node(name, name, sketch.terminal("input", name, name))
    sketch.node("Relu", name, first)
    graph = sketch.data()
    picture = graph_picture(graph, status=samples.status_of(graph, parser=[0]))
    assert texts(picture)
    assert "<script" not in picture
    assert "<img" not in picture
    assert len(picture) < 20_000


@pytest.mark.parametrize("most", [1, 7, 60])
@pytest.mark.parametrize(
    "graph", [samples.scattered(3000), samples.residual(3000), samples.chain(300)], ids=["random", "residual", "chain"]
)
def test_there_are_never_more_boxes_than_asked_for(graph: samples.Data, most: int) -> None:
    """Whatever the graph, the picture stays of a size that can be read."""
    assert node_count(graph_picture(graph, most=most)) <= most
    assert node_count(graph_picture(graph, around=20, most=most)) <= most


@given(st.integers(1, 30).flatmap(lambda count: st.tuples(
    st.lists(st.sampled_from([26.0, 46.0, 62.0]), min_size=count, max_size=count),
    st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=80),
)))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_boxes_never_overlap_and_edges_end_at_their_boxes(drawn: tuple[list[float], list[tuple[int, int]]]) -> None:
    """Any graph, circles included: boxes lie apart and inside the picture, each edge goes from its maker to its reader."""
    heights, edges = drawn
    layout = lay_out(heights, edges)
    boxes = list(zip(layout.boxes, heights, strict=True))
    for at, ((x, y), height) in enumerate(boxes):
        assert -0.01 <= x <= layout.width - BOX_WIDTH + 0.01
        assert -0.01 <= y <= layout.height - height + 0.01
        for (other_x, other_y), other_height in boxes[at + 1 :]:
            apart = abs(x - other_x) >= BOX_WIDTH - 0.01 or y + height <= other_y or other_y + other_height <= y
            assert apart
    for (begin, end), line in zip(edges, layout.lines, strict=True):
        for box, (x, y) in ((begin, line[0]), (end, line[-1])):
            left, top = layout.boxes[box]
            assert x == pytest.approx(left + BOX_WIDTH / 2)
            assert y == pytest.approx(top) or y == pytest.approx(top + heights[box])


def test_a_crowded_layer_is_spread_over_several() -> None:
    """A node that a hundred others read does not make a picture a hundred boxes wide."""
    layout = lay_out([46.0] * 101, [(0, reader) for reader in range(1, 101)])
    assert layout.width < 16 * BOX_WIDTH


def test_any_status_that_does_not_fit_is_left_out() -> None:
    """A status of another model marks nothing."""
    graph: dict[str, Any] = samples.chain(5)
    assert "○ not looked at" in texts(
        graph_picture(graph, status={"of": [2], "problems": [{"node": 99, "state": "error"}]})
    )
