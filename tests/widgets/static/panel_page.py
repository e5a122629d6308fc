"""A page that shows the panel's own modules with a model that only records: no kernel, no JupyterLab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from trtlab.widgets._esm import joined_module, stylesheet

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

ADDRESS: Final = "http://localhost/"  # Chromium gives the clipboard to it as to https

# What JupyterLab's two themes say, as far as the panel uses it.
THEMES: Final = {
    "light": {
        "layout-color1": "white", "inverse-layout-color1": "#212121", "ui-inverse-font-color1": "#fff",
        "ui-font-color1": "rgba(0,0,0,.87)", "ui-font-color2": "rgba(0,0,0,.54)",
        "border-color1": "#bdbdbd", "border-color2": "#e0e0e0", "brand-color1": "#1976d2",
    },
    "dark": {
        "layout-color1": "#212121", "inverse-layout-color1": "#eee", "ui-inverse-font-color1": "rgba(0,0,0,.87)",
        "ui-font-color1": "rgba(255,255,255,.87)", "ui-font-color2": "rgba(255,255,255,.54)",
        "border-color1": "#616161", "border-color2": "#424242", "brand-color1": "#2196f3",
    },
}  # fmt: skip

_HARNESS: Final = """
import widget from "./panel.js";

class RecordingModel {
  constructor(state) { this.state = state; this.sent = []; this.listeners = new Map(); }
  get(name) { return this.state[name]; }
  set(name, value) { this.state[name] = value; this.emit(`change:${name}`); }
  send(message) { this.sent.push(message); }
  on(name, listener) { this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]); }
  off(name, listener) { this.listeners.set(name, (this.listeners.get(name) ?? []).filter((other) => other !== listener)); }
  emit(name, ...values) { for (const listener of this.listeners.get(name) ?? []) listener(...values); }
  get listenerCount() { return [...this.listeners.values()].reduce((sum, list) => sum + list.length, 0); }
}

window.openPanel = (view, report) => {
  window.model ??= new RecordingModel({ view, engine_report: report });
  const el = document.body.appendChild(document.createElement("div"));
  window.closePanel = widget.render({ model: window.model, el });
};
window.nextFrame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
"""


class PanelPage:
    """The panel in a page of its own."""

    def __init__(self, page: Page, *, theme: str = "light") -> None:
        self.page = page
        variables = "".join(f"--jp-{name}: {value};" for name, value in THEMES[theme].items())
        html = f"""<!doctype html><meta charset="utf-8"><title>panel</title>
            <style>body {{ margin: 12px; background: var(--jp-layout-color1); {variables} }}</style>
            <link rel="stylesheet" href="panel.css">
            <body data-jp-theme-light="{str(theme == "light").lower()}"><script type="module" src="harness.js"></script>"""
        self._files = {
            "": ("text/html", html),
            "harness.js": ("text/javascript", _HARNESS),
            "panel.js": ("text/javascript", joined_module("build_panel.js")),
            "panel.css": ("text/css", stylesheet("build_panel.css")),
        }
        page.route(f"{ADDRESS}**", self._serve)
        page.goto(ADDRESS)
        page.wait_for_function("() => window.openPanel")

    def _serve(self, route: Route) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        if name in self._files:
            kind, body = self._files[name]
            route.fulfill(content_type=kind, body=body)
        else:
            route.fulfill(status=404)

    def open(self, view: dict[str, Any], report: dict[str, Any] | None = None) -> None:
        """Show the panel; a second call shows a second view of the same model."""
        self.page.evaluate("([view, report]) => window.openPanel(view, report)", [view, report or {}])

    def set_view(self, view: dict[str, Any]) -> None:
        """Replace the trait `view`, and wait until the page has drawn it."""
        self.page.evaluate("async (view) => { window.model.set('view', view); await window.nextFrame(); }", view)

    def set_report(self, report: dict[str, Any]) -> None:
        """Replace the trait `engine_report`, and wait until the page has drawn it."""
        self.page.evaluate(
            "async (data) => { window.model.set('engine_report', data); await window.nextFrame(); }", report
        )

    def send(self, message: dict[str, Any]) -> None:
        """Send a custom message, and wait until the page has drawn it."""
        self.page.evaluate(
            "async (data) => { window.model.emit('msg:custom', data); await window.nextFrame(); }", message
        )

    def send_log(self, records: list[list[Any]]) -> None:
        """Send log records."""
        self.send({"type": "log", "records": records})

    def send_lines(self, first: int, count: int) -> None:
        """Send log records `line 0`, `line 1` and so on, made in the page: thousands would take seconds to get there."""
        self.page.evaluate(
            """async ([first, count]) => {
              const record = (_, offset) => [first + offset, 0, "info", "build", "", `line ${first + offset}`];
              window.model.emit("msg:custom", { type: "log", records: Array.from({ length: count }, record) });
              await window.nextFrame();
            }""",
            [first, count],
        )

    def sent(self) -> list[dict[str, Any]]:
        """Return what the page sent, without its request for the log on opening."""
        messages: list[dict[str, Any]] = self.page.evaluate("() => window.model.sent")
        return [message for message in messages if message["command"] != "log_request"]

    def tab(self, name: str) -> None:
        """Click on a tab."""
        self.page.locator(f"[data-tab={name}]").click()
