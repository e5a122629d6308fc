"""The graph's canvas: layout, folding, scopes, selecting by mouse and keyboard, marks, pictures, hostile models."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from tests.widgets import graph_samples
from tests.widgets.static.graph_page import GraphPage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>/../../etc/passwd?a=1&b=\'\x07\ud800'

# No two boxes of a layer overlap, and every edge that was not turned round leads down.
LAYOUT_IS_SOUND = """(() => {
  const { layout, widths, boxes } = scene;
  for (const layer of layout.layers) {
    const row = layer.filter((vertex) => vertex < boxes.count);
    for (let at = 1; at < row.length; at += 1) {
      const room = layout.x[row[at]] - layout.x[row[at - 1]] - (widths[row[at]] + widths[row[at - 1]]) / 2;
      if (!(room > 0)) return `boxes ${row[at - 1]} and ${row[at]} overlap`;
    }
  }
  for (let edge = 0; edge < layout.from.length; edge += 1) {
    const isDown = layout.rank[layout.to[edge]] > layout.rank[layout.from[edge]];
    if (isDown === layout.turned.has(edge)) return `edge ${edge} leads the wrong way`;
  }
  return layout.x.every(Number.isFinite) ? "" : "a box has no place";
})()"""


@pytest.fixture
def graph(panel_browser: Browser) -> Iterator[GraphPage]:
    """A page without a graph; a JavaScript error on it fails the test."""
    errors: list[str] = []
    context = panel_browser.new_context(viewport={"width": 1200, "height": 800})
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield GraphPage(page)
    hacked = page.evaluate("() => window.hacked")
    context.close()
    assert hacked is None
    assert not errors, "the page threw:\n" + "\n".join(errors)


def flat(count: int, edges: list[tuple[int, int]]) -> dict[str, Any]:
    """A graph of `count` nodes with these edges."""
    sketch = graph_samples.Sketch("flat.onnx")
    for number in range(count):
        sketch.node("Add", f"n{number}")
    sketch.edges = edges
    return sketch.data()


@pytest.mark.parametrize(
    "sample",
    [
        graph_samples.chain(60),
        graph_samples.residual(300),
        graph_samples.transformer(300),
        graph_samples.scattered(400),
        flat(40, [(each, (each * 7 + 3) % 40) for each in range(40)]),
        flat(30, [(0, each) for each in range(1, 30)]),
        flat(200, [(each, each + 1) for each in range(199)] + [(each, each + 100) for each in range(100)]),
        flat(1, []),
    ],
    ids=["chain", "residual", "transformer", "random", "circles", "fan", "long edges", "single"],
)
def test_boxes_of_any_graph_stand_apart_and_edges_lead_down(graph: GraphPage, sample: dict[str, Any]) -> None:
    graph.show(sample)
    graph.ask("canvas.setFolded('all', false)")
    assert graph.ask(LAYOUT_IS_SOUND) == ""
    assert graph.ask("scene.boxes.count") == len(sample["nodes"]["name"]) + len(sample["terminals"])


def test_large_graph_starts_folded_and_its_problem_is_on_a_group(graph: GraphPage) -> None:
    sample = graph_samples.transformer(5000)
    graph.show(sample, graph_samples.status_of(sample, parser=[3000], unknown=[3001]))
    assert graph.ask("scene.boxes.count") < 1000
    marked = graph.ask("scene.problemBoxes.map((box) => [scene.boxes.kind[box], scene.boxState[box]])")
    assert marked == [[2, 2]]
    graph.press("n")
    assert "1 refused by the parser, 1 could not be judged" in graph.focused()
    graph.press("Enter", "Enter", "Enter")
    assert graph.focused().split(", ")[2:] == ["refused by the parser", "1 input edge", "1 output edge"]
    assert graph.ask("scene.nodeOfBox(scene.focus)") == 3000


def test_click_unfolds_a_group_in_its_place_and_f_folds_it_again(graph: GraphPage) -> None:
    graph.show(graph_samples.residual(60))
    graph.ask("canvas.setFolded('all', true)")
    folded = graph.ask("scene.boxes.count")
    node = 5
    before = graph.ask("place(argument)", node)
    graph.click(node)
    assert graph.ask("scene.boxes.count") > folded
    first_of_group = graph.ask("place(1)")
    assert first_of_group == pytest.approx(before, abs=1)
    graph.press("f")
    assert graph.ask("scene.boxes.count") == folded


def test_edges_too_long_for_bends_are_drawn_all_the_same(graph: GraphPage) -> None:
    long = [(each, each + 100) for each in range(100)]
    graph.show(flat(200, [(each, each + 1) for each in range(199)] + long))
    assert graph.ask("scene.layout.far.length") == len(long)
    assert graph.ask("canvas.svg()").count("stroke-dasharray") == 1
    assert graph.ask("canvas.path(3, 110).length") == 9


def test_selection_from_outside_unfolds_and_the_same_again_changes_nothing(graph: GraphPage) -> None:
    graph.show(graph_samples.residual(60))
    graph.ask("canvas.setFolded('all', true)")
    graph.click(5, shift=True)
    selected = graph.called("select")[-1]
    assert len(selected) > 10, "all nodes of the group"
    graph.ask("canvas.select(argument)", selected)
    assert graph.ask("scene.boxes.kind[scene.boxes.boxOf[5]]") == 2, "still folded"
    graph.ask("canvas.select([5])")
    assert graph.ask("scene.nodeOfBox(scene.boxes.boxOf[5])") == 5


def test_arrow_keys_walk_along_edges_and_say_where_they_are(graph: GraphPage) -> None:
    sample = graph_samples.residual(40)
    graph.show(sample, graph_samples.status_of(sample, parser=[1]))
    graph.press("ArrowDown")
    assert graph.focused() == "input image, float32 [batch x 3 x 224 x 224]"
    graph.press("ArrowDown")
    assert graph.focused() == "conv1, Conv, supported, 1 input edge, 2 output edges"
    graph.press("ArrowDown")
    assert graph.focused() == "layer0/block0/conv0, Conv, refused by the parser, 1 input edge, 1 output edge"
    graph.press("ArrowRight")
    assert graph.focused().startswith("layer0/block0/downsample")
    graph.press("ArrowUp", "ArrowUp")
    assert graph.focused().startswith("input image")
    graph.press("ArrowDown", "Enter")
    assert graph.called("select") == [[0]]
    assert graph.called("open") == [0]


def test_nodes_are_selected_by_click_shift_click_and_rubber_band(graph: GraphPage) -> None:
    graph.show(graph_samples.residual(40))
    graph.click(1)
    graph.click(2, shift=True)
    graph.click(1, shift=True)
    (left, top), (right, bottom) = graph.ask("place(3)"), graph.ask("place(4)")
    graph.page.keyboard.down("Shift")
    graph.page.mouse.move(left - 60, top - 10)
    graph.page.mouse.down()
    graph.page.mouse.move(right + 20, bottom + 10, steps=3)
    graph.page.mouse.up()
    graph.page.keyboard.up("Shift")
    selected = graph.called("select")
    assert selected[:3] == [[1], [1, 2], [2]]
    assert set(selected[3]) >= {2, 3, 4}
    graph.press("Escape")
    assert graph.called("select")[-1] == []


def test_drag_and_wheel_move_the_graph_but_do_not_trap_the_page(graph: GraphPage) -> None:
    graph.show(graph_samples.residual(200))
    x, y = graph.ask("place(0)")
    graph.page.mouse.move(x + 250, y)
    graph.page.mouse.wheel(0, 200)
    graph.page.wait_for_function("() => window.scrollY > 0")
    assert graph.ask("place(0)")[1] < y, "the page has scrolled"
    graph.ask("window.scrollTo(0, 0)")
    graph.page.wait_for_function("() => window.scrollY === 0")
    assert graph.ask("place(0)") == [x, y]
    graph.page.keyboard.down("Control")
    graph.page.mouse.wheel(0, -200)
    graph.page.keyboard.up("Control")
    graph.page.wait_for_function("() => canvas.view.scale > 0.9")
    x, y = graph.ask("place(0)")
    graph.page.mouse.down()
    graph.page.mouse.move(x + 200, y + 80, steps=4)
    graph.page.mouse.up()
    assert graph.ask("place(0)") == pytest.approx([x - 50, y + 80], abs=260)
    graph.ask("canvas.focus()")
    top = graph.ask("canvas.view.top")
    graph.page.mouse.wheel(0, 100)
    graph.page.wait_for_function("(top) => canvas.view.top < top", arg=top)
    assert graph.ask("window.scrollY") == 0


def test_branches_and_functions_open_and_lead_back(graph: GraphPage) -> None:
    sample = graph_samples.branches()
    graph.show(sample, graph_samples.status_of(sample, parser=[4]))
    assert "inside: ✕ 1" in graph.ask("canvas.svg()"), "a refused node in a branch is seen on the node that holds it"
    graph.ask("canvas.select([1], { center: true })")
    assert graph.page.get_by_role("button", name="Open then_branch").is_visible()
    graph.press("Shift+Enter")
    assert graph.ask("scene.scope") == 1
    assert graph.called("scope") == [1]
    graph.page.get_by_role("button", name="main graph").click()
    assert graph.ask("scene.scope") == 0
    graph.ask("canvas.select([4], { center: true })")
    assert graph.ask("scene.scope") == 1
    graph.press("Backspace")
    assert graph.ask("scene.scope") == 0
    assert graph.focused() == "" or graph.ask("scene.nodeOfBox(scene.focus)") == 1


def test_neighbourhood_path_search_and_filter(graph: GraphPage) -> None:
    sample = graph_samples.transformer(120)
    graph.show(sample, graph_samples.status_of(sample, parser=[9], unknown=[40]))
    graph.ask("canvas.neighbourhood([9], 1)")
    assert graph.ask("scene.boxes.count") == 3
    graph.page.get_by_role("button", name="Show all").click()
    assert graph.ask("scene.boxes.count") == 123
    path = graph.ask("canvas.path(1, 20)")
    assert path[0] == 1
    assert path[-1] == 20
    assert graph.ask("canvas.path(20, 1)") == path[::-1]
    assert graph.ask("scene.pathSegments.size") >= len(path) - 1
    assert graph.ask("canvas.path(2, 6)") == []
    assert graph.ask("canvas.search('softmax')") == [
        number for number, name in enumerate(sample["nodes"]["name"]) if "Softmax" in name
    ]
    assert graph.ask("canvas.search('/layer.0.*MatMul$/')") == [2, 6, 10, 14, 20]
    assert graph.ask("canvas.search('/(/')") == []
    assert graph.ask("canvas.search('tensor_0')")[:1] == [0], "an input's tensor finds its reader"
    graph.ask("canvas.filterStatus([2])")
    assert graph.ask("scene.boxFaded.reduce((sum, each) => sum + each, 0)") == 119
    graph.ask("canvas.filterStatus([])")
    assert graph.ask("scene.boxFaded.some(Boolean)") is False


def test_overlay_shows_values_and_where_they_come_from(graph: GraphPage) -> None:
    graph.show(graph_samples.residual(40))
    overlay = {
        "name": "time",
        "unit": "ms",
        "source": "recorded on a T4",
        "values": {"0": 0.5, "1": 2, "2": 8},
        "low": 0.5,
        "high": 8,
    }
    graph.ask("canvas.setOverlay(argument)", overlay)
    picture = graph.ask("canvas.svg()")
    assert ">8.00 ms<" in picture
    assert ">time: 0.500<" in picture
    assert ">8.00 ms · recorded on a T4<" in picture
    assert graph.ask("[0, 1, 2].map((node) => scene.scaleStep(scene.boxValue[scene.boxes.boxOf[node]]))") == [0, 5, 23]
    graph.ask("canvas.setFolded('all', true)")
    assert ">up to 8.00 ms<" in graph.ask("canvas.svg()")
    graph.ask("canvas.setOverlay({})")
    assert "recorded" not in graph.ask("canvas.svg()")


def test_engine_view_joins_the_nodes_of_a_layer_and_names_it(graph: GraphPage) -> None:
    graph.show(graph_samples.residual(40))
    engine = {
        "source": "engine of today",
        "layers": [
            {"name": "conv + relu", "type": "Fused", "nodes": [1, 2]},
            {"name": "alone", "type": "Conv", "nodes": [3]},
        ],
    }
    graph.ask("canvas.setEngine(argument)", engine)
    hues = graph.ask("[1, 2, 3, 4].map((node) => scene.layerHue(scene.boxes.boxOf[node]))")
    assert hues[0] == hues[1] != ""
    assert hues[2:] == ["", ""]
    assert "fused to one layer (1 of 2 layers, engine of today)" in graph.ask("canvas.svg()")
    graph.page.mouse.move(*graph.ask("place(1)"))
    assert "layer conv + relu (2 nodes fused)" in graph.page.locator(".trtlab-graph-tip").inner_text()
    assert graph.called("hover")[-1] == 1


def test_state_is_said_by_shape_sign_and_word(graph: GraphPage) -> None:
    sample = graph_samples.chain(8)
    graph.show(sample, graph_samples.status_of(sample, parser=[1], builder=[2], unknown=[3]))
    picture = graph.ask("canvas.svg()")
    for text in ("✕ parser", "refused by the parser: 1", "? not judged", "could not be judged: 1", "supported: 5"):
        assert f">{text}<" in picture, text
    shapes = graph.ask("import('./graph_looks.js').then(({ NODE_STATES }) => NODE_STATES.map((state) => state.shape))")
    assert len(set(shapes)) == 5


def test_picture_is_xml_and_has_a_png_beside_it(graph: GraphPage) -> None:
    graph.show(graph_samples.residual(30))
    check = """(() => { const page = new DOMParser().parseFromString(canvas.svg(), "image/svg+xml");
      return [page.querySelector("parsererror")?.textContent ?? "", page.documentElement.getAttribute("width")]; })()"""
    error, width = graph.ask(check)
    assert error == ""
    kind, size, pixels = graph.ask(
        "canvas.png(2).then(async (blob) => [blob.type, blob.size, (await createImageBitmap(blob)).width])"
    )
    assert kind == "image/png"
    assert size > 5000
    assert pixels == pytest.approx(2 * float(width), abs=2)


def test_hostile_names_stay_text_in_page_and_picture(graph: GraphPage) -> None:
    sample = graph_samples.residual(12, grouped=False)
    sample["nodes"]["name"] = [HOSTILE, HOSTILE, "x" * 10_000, *sample["nodes"]["name"][3:]]
    sample["operators"] = ["<b>Conv</b>" + "y" * 10_000] * 9
    sample["terminals"][0]["name"] = HOSTILE
    sample["scopes"][0]["title"] = HOSTILE
    sample["title"] = HOSTILE
    graph.show(sample)
    graph.page.mouse.move(*graph.ask("place(0)"))
    graph.press("ArrowDown", "ArrowDown")
    assert "<img src=x" in graph.page.locator(".trtlab-graph-tip").inner_text()
    assert graph.page.locator("script:not([src]), img, b").count() == 0
    check = """(() => { const page = new DOMParser().parseFromString(canvas.svg(), "image/svg+xml");
      return [...new Set([...page.querySelectorAll("*")].map((node) => node.localName))].sort(); })()"""
    assert graph.ask(check) == ["g", "path", "rect", "svg", "text", "title"]
    assert len(graph.focused()) < 800


def test_malformed_graph_is_shown_as_far_as_it_goes(graph: GraphPage) -> None:
    sample = copy.deepcopy(graph_samples.residual(20))
    sample["edges"]["from"] += [10**9, -99, 3, 5, 4]
    sample["edges"]["to"] += [0, 1, 10**9, 5, 1]
    sample["edges"]["tensor"] += [0] * 5
    sample["groups"] += [{"title": "loop", "parent": len(sample["groups"]), "scope": 0}]
    sample["nodes"]["group"][4] = len(sample["groups"]) - 1
    sample["nodes"]["group"][5] = 999
    sample["inside"] = [[3, 77], [999, 0]]
    graph.show(sample, {"of": [9, -1, "x"], "problems": [], "partitions": []})
    graph.ask("canvas.setFolded('all', false)")
    assert graph.ask(LAYOUT_IS_SOUND) == ""
    assert graph.ask("scene.boxes.loops.size") == 1
    graph.ask("canvas.select([10 ** 9, -5], { center: true })")
    graph.ask("canvas.showScope(55)")
    assert graph.ask("canvas.path(0, 10 ** 9)") == []


def test_extreme_graphs_are_shown(graph: GraphPage) -> None:
    graph.show(flat(20_000, [(0, each) for each in range(1, 20_000)]))
    graph.ask("canvas.fit()")
    assert graph.ask("scene.layout.layers[1].length") == 19_999
    sketch = graph_samples.Sketch("deep.onnx")
    for depth in range(500):
        sketch.scope = sketch.hold(sketch.node("If", f"if_{depth}"), f"branch {depth}")
    deepest = sketch.node("Relu", "deepest")
    sample = sketch.data()
    graph.show(sample, graph_samples.status_of(sample, parser=[deepest]))
    assert "inside: ✕ 1" in graph.ask("canvas.svg()")
    graph.ask("canvas.select([argument], { center: true })", deepest)
    assert graph.ask("scene.scope") == 500
    assert graph.page.locator(".trtlab-graph-crumbs button").count() <= 5
    graph.show({})
    assert graph.page.get_by_text("No graph yet").is_visible()
    assert graph.ask("canvas.svg()").startswith("<svg")


def test_theme_changes_while_the_graph_is_shown(graph: GraphPage) -> None:
    sample = graph_samples.residual(20)
    graph.show(sample, graph_samples.status_of(sample, parser=[3]))
    light = graph.ask("canvas.colours")
    graph.ask(
        "(document.body.dataset.jpThemeLight = 'false', document.body.style.setProperty('--jp-layout-color1', '#212121'))"
    )
    dark = graph.ask("canvas.colours")
    assert dark["surface"] != light["surface"]
    assert dark["vermillion"] != light["vermillion"]


def test_destroyed_graph_listens_to_nothing(graph: GraphPage) -> None:
    graph.show(graph_samples.residual(20))
    graph.ask("canvas.destroy()")
    graph.ask("canvas.node.remove()")
    graph.ask("(document.body.dataset.jpThemeLight = 'false')")
    assert graph.ask("canvas.palette !== null"), "a change of theme no longer reaches it"
