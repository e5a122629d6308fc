"""The graph of an ONNX model in a notebook, alone: no survey, no panel around it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from trtlab._errors import InputError
from trtlab.widgets._esm import joined_module, stylesheet
from trtlab.widgets.still_picture import StillPicture


class GraphView(anywidget.AnyWidget):
    """Show an ONNX graph: layered, to be moved, folded, searched by eye and marked with any number for each node.

    Args:
        graph: The graph in columns, as `trtlab.widgets.graph_data.graph_trait` makes it; `{}` shows an empty view.
        status: What is known of each node; `{}` for nothing. Its form is that of the graph panel's trait `status`.
        overlay: A number for each node, as `show_overlay` sets it.
        engine: Which nodes were fused into which layer of an engine: `{"source": str, "layers": [{"name", "type", "nodes"}]}`.
        height_px: Height of the picture in CSS pixels.

    Attributes:
        selected: Numbers of the selected nodes, in both directions: what is set here is shown, what is clicked appears here.

    Example:
        >>> view = GraphView({})  # doctest: +SKIP
        >>> view.show_overlay({"conv_1": 1.2, "conv_2": 0.3}, name="time", unit="ms", source="T4, 2026-11-02")  # doctest: +SKIP
    """

    _esm = joined_module("graph_view.js")
    _css = stylesheet("graph_view.css")
    graph = traitlets.Dict().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    overlay = traitlets.Dict().tag(sync=True)
    engine = traitlets.Dict().tag(sync=True)
    selected = traitlets.List(traitlets.Int()).tag(sync=True)
    height_px = traitlets.Int(480, min=160, max=4000).tag(sync=True)

    def __init__(
        self,
        graph: Mapping[str, Any],
        *,
        status: Mapping[str, Any] | None = None,
        overlay: Mapping[str, Any] | None = None,
        engine: Mapping[str, Any] | None = None,
        height_px: int = 480,
    ) -> None:
        super().__init__(
            graph=dict(graph),
            status=dict(status or {}),
            overlay=dict(overlay or {}),
            engine=dict(engine or {}),
            height_px=height_px,
        )
        self._still = StillPicture(repr(self).removesuffix(" A notebook with widgets shows it."))
        self.on_msg(self._receive)

    def show_overlay(self, values: Mapping[int | str, float], *, name: str, unit: str, source: str = "") -> None:
        """Colour the nodes by a number, with its values on the boxes and a legend.

        Args:
            values: The number by node number, or by node name. Nodes that are not in it keep their look. A name that
                several nodes have marks them all. Numbers that are not finite are left out.
            name: What is measured, such as `time`.
            unit: Its unit, such as `ms`; "" for a bare number.
            source: Where the numbers come from, such as `recorded on a T4, 2026-11-02`; "" for measured here.

        Raises:
            InputError: None of `values` belongs to a node of this graph.
        """
        names = self.graph.get("nodes", {}).get("name", [])
        self.overlay = overlay_trait(values, names, name=name, unit=unit, source=source)

    def hide_overlay(self) -> None:
        """Show no numbers on the nodes."""
        self.overlay = {}

    def select(self, nodes: Iterable[int | str]) -> None:
        """Select nodes by number or name and bring the first into sight; unknown ones are left out."""
        names = self.graph.get("nodes", {}).get("name", [])
        self.selected = sorted(_by_number(dict.fromkeys(nodes, 0.0), names))

    def _ipython_display_(self) -> None:
        from IPython.display import display

        data, metadata = self._repr_mimebundle_() or ({"text/plain": repr(self)}, {})
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        # Until the page sends its own, which it cannot where no page is open.
        if not self._still.has_picture and self.graph:
            from trtlab.plots.graph import graph_picture

            self._still.set(graph_picture(self.graph, status=self.status))
        self._still.show()

    def _receive(self, _widget: object, message: object, _buffers: object) -> None:
        """The page sends what it drew, so that the saved notebook shows it too."""
        if isinstance(message, dict) and message.get("command") == "picture":
            self._still.set(message.get("svg"))

    def __repr__(self) -> str:
        count = len(self.graph.get("nodes", {}).get("name", []))
        title = str(self.graph.get("title", "")) or "no model"
        return f"GraphView of {title:.200}: {count} nodes. A notebook with widgets shows it."


def overlay_trait(
    values: Mapping[int | str, float], names: Sequence[str], *, name: str, unit: str, source: str = ""
) -> dict[str, Any]:
    """Return the trait `overlay`; see `GraphView.show_overlay` for the arguments. `names` are those of all nodes, in order.

    Raises:
        InputError: None of `values` belongs to a node.
    """
    numbers = _by_number(values, names)
    if values and not numbers:
        example = next(iter(values))
        raise InputError(f"No node of this graph is called {example!r:.80}, nor any other that values were given for.")
    return {
        "name": name,
        "unit": unit,
        "source": source,
        "values": {str(node): value for node, value in numbers.items()},
        "low": min(numbers.values(), default=0.0),
        "high": max(numbers.values(), default=0.0),
    }


def _by_number(values: Mapping[Any, float], names: Sequence[str]) -> dict[int, float]:
    """Return `values` by node number, where its keys are numbers or names."""
    wanted = {key: float(value) for key, value in values.items() if math.isfinite(value)}
    found = {
        int(key): value for key, value in wanted.items() if not isinstance(key, str) and 0 <= int(key) < len(names)
    }
    found.update((node, wanted[name]) for node, name in enumerate(names) if name in wanted)
    return found
