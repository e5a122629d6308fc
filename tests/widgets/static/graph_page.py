"""A page that shows the graph's own modules, as they lie in the folder, without a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.widgets.static.panel_page import ADDRESS, THEMES
from trtlab.widgets._esm import STATIC, stylesheet

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

_HARNESS: Final = """
import { GraphCanvas } from "./graph_canvas.js";
const called = [];
const note = (name) => (value) => called.push([name, value]);
const canvas = new GraphCanvas({ onSelect: note("select"), onScope: note("scope"), onHover: note("hover"), onOpen: note("open") });
const panel = document.body.appendChild(document.createElement("div"));
panel.className = "trtlab";
panel.append(canvas.node);
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
/** Where a node's box is on the page. */
const place = (node) => {
  const { scene, view } = canvas;
  const [x, y] = view.toScreen(...scene.centre(scene.boxes.boxOf[node]));
  const stage = canvas.canvas.getBoundingClientRect();
  return [x + stage.left, y + stage.top];
};
Object.assign(window, { canvas, called, nextFrame, place });
"""


class GraphPage:
    """The graph in a page of its own."""

    def __init__(self, page: Page, *, theme: str = "light") -> None:
        self.page = page
        variables = "".join(f"--jp-{name}: {value};" for name, value in THEMES[theme].items())
        self._html = f"""<!doctype html><meta charset="utf-8"><title>graph</title>
            <style>body {{ margin: 12px; height: 2000px; background: var(--jp-layout-color1); {variables} }}</style>
            <link rel="stylesheet" href="graph.css">
            <body data-jp-theme-light="{str(theme == "light").lower()}"><script type="module" src="harness.js"></script>"""
        page.route(f"{ADDRESS}**", self._serve)
        page.goto(ADDRESS)
        page.wait_for_function("() => window.canvas")

    def _serve(self, route: Route) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        if name == "":
            route.fulfill(content_type="text/html", body=self._html)
        elif name == "harness.js":
            route.fulfill(content_type="text/javascript", body=_HARNESS)
        elif name == "graph.css":
            route.fulfill(content_type="text/css", body=stylesheet("graph_view.css"))
        elif name.endswith(".js") and (STATIC / name).is_file():
            route.fulfill(content_type="text/javascript", body=(STATIC / name).read_text(encoding="utf-8"))
        else:
            route.fulfill(status=404)

    def show(self, graph: dict[str, Any], status: dict[str, Any] | None = None) -> None:
        """Show a graph, and wait until it is drawn."""
        self.page.evaluate(
            "async ([graph, status]) => { canvas.setGraph(graph); canvas.setStatus(status); await nextFrame(); }",
            [graph, status or {}],
        )

    def ask(self, expression: str, argument: Any = None) -> Any:
        """Evaluate an expression that may use `canvas`, `scene` and `argument`; wait for the next drawing; return its value."""
        body = f"async (argument) => {{ const {{ scene }} = canvas; const value = await ({expression}); await nextFrame(); return value; }}"
        return self.page.evaluate(body, argument)

    def click(self, node: int, **options: Any) -> None:
        """Click in the middle of a node's box."""
        x, y = self.ask("place(argument)", node)
        if options.get("shift"):
            self.page.keyboard.down("Shift")
        self.page.mouse.click(x, y)
        if options.get("shift"):
            self.page.keyboard.up("Shift")
        self.ask("null")

    def press(self, *keys: str) -> None:
        """Press keys on the focused canvas."""
        self.ask("canvas.focus()")
        for key in keys:
            self.page.keyboard.press(key)
        self.ask("null")

    def called(self, name: str) -> list[Any]:
        """Return what a listener was called with, in order."""
        return [value for each, value in self.ask("called") if each == name]

    def focused(self) -> str:
        """Return what was said last."""
        return str(self.ask("canvas.live.textContent"))
