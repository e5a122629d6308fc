"""The graph's kernel side: overlays by number and name, selection, and the picture that a saved notebook carries."""

from __future__ import annotations

import base64
import math
from typing import Any

import pytest

from tests.widgets import graph_samples
from trtlab._errors import InputError
from trtlab.widgets.graph_view import GraphView
from trtlab.widgets.still_picture import LARGEST_PICTURE, StillPicture

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg"><text>é &lt;b&gt;</text></svg>'


class Handle:
    """Records what a shown output is replaced with."""

    def __init__(self) -> None:
        self.bundles: list[dict[str, str]] = []

    def update(self, bundle: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.bundles.append(bundle)


@pytest.fixture
def view() -> GraphView:
    return GraphView(graph_samples.residual(30))


def test_overlay_takes_numbers_and_names_and_knows_its_range(view: GraphView) -> None:
    view.show_overlay({"conv1": 2.0, 3: 0.5, "layer0/block0/add": math.nan}, name="time", unit="ms", source="T4")
    assert view.overlay == {
        "name": "time", "unit": "ms", "source": "T4", "values": {"0": 2.0, "3": 0.5}, "low": 0.5, "high": 2.0,
    }  # fmt: skip
    view.hide_overlay()
    assert view.overlay == {}


def test_overlay_marks_every_node_of_a_name_and_refuses_names_that_none_has(view: GraphView) -> None:
    names = view.graph["nodes"]["name"]
    names[4] = names[5] = "twice"
    view.show_overlay({"twice": 1.0}, name="error", unit="")
    assert view.overlay["values"] == {"4": 1.0, "5": 1.0}
    with pytest.raises(InputError, match="No node of this graph is called 'nowhere'"):
        view.show_overlay({"nowhere": 1.0, 99: 2.0}, name="error", unit="")
    assert view.overlay["values"] == {"4": 1.0, "5": 1.0}


def test_nodes_are_selected_by_name_or_number(view: GraphView) -> None:
    view.select(["conv1", 7, "nowhere", -3])
    assert view.selected == [0, 7]


def test_repr_says_what_is_shown() -> None:
    assert repr(GraphView({})) == "GraphView of no model: 0 nodes. A notebook with widgets shows it."
    assert "resnet.onnx: 30 nodes" in repr(GraphView(graph_samples.residual(30)))


def test_view_shown_where_no_page_is_open_has_a_picture(view: GraphView, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_options: shown.append(bundle))
    view._ipython_display_()
    assert "application/vnd.jupyter.widget-view+json" in shown[0]
    assert "data:image/svg+xml;base64," in shown[1]["text/html"]


def test_picture_from_the_page_is_kept_as_an_image_that_cannot_run() -> None:
    still = StillPicture('graph of "<b>"')
    assert "img" not in still.html()
    assert still.set(PICTURE)
    html = still.html()
    assert 'alt="graph of &quot;&lt;b&gt;&quot;"' in html
    assert base64.b64encode(PICTURE.encode()).decode() in html
    assert "<svg" not in html


def test_shown_picture_is_replaced_only_by_another_one() -> None:
    still = StillPicture("graph")
    handle = Handle()
    still._handle = handle
    assert still.set(PICTURE)
    assert still.set(PICTURE)
    assert len(handle.bundles) == 1
    assert handle.bundles[0]["text/plain"] == "graph"


@pytest.mark.parametrize(
    "message",
    [
        {"command": "picture"},
        {"command": "picture", "svg": 5},
        {"command": "picture", "svg": "<script>"},
        {"command": "picture", "svg": "<svg" + " " * LARGEST_PICTURE},
        {"command": "other", "svg": PICTURE},
        "picture",
        None,
    ],
    ids=["nothing", "number", "script", "too large", "other command", "text", "none"],
)
def test_what_is_no_picture_is_not_kept(view: GraphView, message: Any) -> None:
    view._receive(view, message, [])
    assert "img" not in view._still.html()
    view._receive(view, {"command": "picture", "svg": PICTURE}, [])
    assert "img" in view._still.html()
