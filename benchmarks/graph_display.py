"""How soon a graph is drawn in JupyterLab, how smoothly it moves, and how long Netron takes for the same graphs.

    python benchmarks/graph_display.py [--rounds 3] [--sizes 50 500 5000 20000] [--no-netron] [--write]

The same graphs, once as the trait that `trtlab.widgets.GraphView` shows in a real JupyterLab in a real Chromium without a
GPU, once as ONNX files in Netron's own page in the same Chromium. Times are taken in the page:

- *first paint*: from the widget's render call to the frame after its first drawing.
- *from the cell*: from the request that shows the view to that same frame; the graph is sent to the page in this time.
- *frames a second*: one wheel event for each frame, for a while; and the longest frame in it.
- Netron: from opening the page to its drawn graph, file reading included; given up after 120 s.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machine import machine_line
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.browser.conftest import CHROMIUM_OPTIONS
from tests.browser.find_chromium import find_chromium
from tests.browser.jupyterlab_server import running_jupyterlab
from tests.browser.notebook_page import place_notebook, read_or_make_notebook, run_all_cells
from tests.widgets import graph_samples as samples

ROOT = Path(__file__).resolve().parents[1]
REPORT = Path(__file__).with_suffix(".md")
SIZES = (50, 500, 5000, 20_000)
GOALS_SECONDS = {50: 0.15, 500: 0.25, 5000: 0.8, 20_000: 1.5}
GOAL_FRAMES = 30
GIVE_UP_SECONDS = 120
FAMILIES = {
    "residual net": "residual({size})",
    "residual net, names without parts": "residual({size}, grouped=False)",
    "transformer": "transformer({size})",
    "random": "scattered({size})",
}
# Netron does not group: names without parts would be the same graph twice.
MAKERS = {"residual net": samples.residual, "transformer": samples.transformer, "random": samples.scattered}

PREPARE = """
import sys
sys.path.insert(0, {root!r})
from tests.widgets import graph_samples
from trtlab.widgets.graph_view import GraphView
graph = status = None
"""
MAKE = """
graph = graph_samples.{sample}
status = graph_samples.status_of(graph, parser=[{size} // 3], builder=[{size} // 2], unknown=[{size} // 5])
"""
# Shows the view in the second cell, and waits until it is drawn and that frame is over; milliseconds.
SHOW = """async () => {
    performance.clearMarks();
    const panel = window.jupyterapp.shell.currentWidget;
    panel.content.activeCellIndex = 1;
    const begin = performance.now();
    window.jupyterapp.commands.execute('notebook:run-cell');
    const mark = (name) => performance.getEntriesByName(name)[0]?.startTime;
    while (!mark('trtlab-graph-drawn')) await new Promise(requestAnimationFrame);
    const end = await new Promise(requestAnimationFrame);
    return { paint: end - mark('trtlab-graph-render'), cell: end - begin };
}"""
# One wheel event for each frame; every length of a frame in milliseconds.
MOVE = """async ({ count, isZoom }) => {
    const canvas = document.querySelector('.trtlab-graph-canvas');
    canvas.focus({ preventScroll: true });
    const box = canvas.getBoundingClientRect();
    const middle = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true, cancelable: true };
    const frames = [];
    let last = await new Promise(requestAnimationFrame);
    for (let each = 0; each < count; each += 1) {
        const isBack = each >= count / 2;
        const deltaY = (isBack ? -1 : 1) * (isZoom ? 30 : 25);
        canvas.dispatchEvent(new WheelEvent('wheel', { ...middle, deltaY, ctrlKey: isZoom }));
        const now = await new Promise(requestAnimationFrame);
        frames.push(now - last);
        last = now;
    }
    return frames;
}"""


@contextmanager
def notebook_page(browser: Browser) -> Iterator[Page]:
    """Open JupyterLab with a notebook whose second cell shows `graph`."""
    with tempfile.TemporaryDirectory() as folder, running_jupyterlab(Path(folder), ROOT / "sample_models") as server:
        cells = [PREPARE.format(root=str(ROOT)), "if graph:\n    display(GraphView(graph, status=status))"]
        name = place_notebook(read_or_make_notebook(cells), server, "graph-display")
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(GIVE_UP_SECONDS * 1000)
        page.goto(server.lab_address(name))
        run_all_cells(page, allow_errors=False)
        yield page
        page.close()


def execute(page: Page, code: str) -> None:
    """Run code in the notebook's kernel, beside its cells."""
    page.evaluate(
        "async (code) => { const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;"
        " await kernel.requestExecute({ code, store_history: false }).done; }",
        code,
    )


def measure_graphs(page: Page, sizes: list[int], rounds: int) -> list[dict[str, Any]]:
    """Show each graph `rounds` times after one that does not count."""
    results = []
    for family, sample in FAMILIES.items():
        for size in sizes:
            execute(page, MAKE.format(sample=sample.format(size=size), size=size))
            page.evaluate(SHOW)
            times = [page.evaluate(SHOW) for _ in range(rounds)]
            result = {
                "family": family, "size": size, "paint_seconds": [each["paint"] / 1000 for each in times],
                "cell_seconds": [each["cell"] / 1000 for each in times], "moves": {},
            }  # fmt: skip
            if size == max(sizes):
                result["moves"] = measure_moves(page)
            print(json.dumps(result), flush=True)
            results.append(result)
    return results


def measure_moves(page: Page) -> dict[str, dict[str, float]]:
    """Move and zoom the graph that is shown: as it opens, then with every group unfolded, from near and from afar."""
    region = page.get_by_role("region", name="ONNX graph")
    moves = {"as it opens, pan": frames(page, is_zoom=False), "as it opens, zoom": frames(page, is_zoom=True)}
    unfold = region.get_by_role("button", name="Unfold all")
    if unfold.is_visible():
        unfold.click()
        moves["unfolded, pan"] = frames(page, is_zoom=False)
    region.get_by_role("button", name="Fit").click()
    moves["whole graph, pan"] = frames(page, is_zoom=False)
    page.evaluate(MOVE, {"count": 2, "isZoom": True})
    for _ in range(8):  # to where single boxes appear, the scale with most to draw
        region.get_by_role("button", name="Zoom in (+)").click()
    moves["zoomed in from there, zoom"] = frames(page, is_zoom=True)
    return moves


def frames(page: Page, *, is_zoom: bool) -> dict[str, float]:
    """Return frames a second, and the longest frame in milliseconds."""
    lengths = page.evaluate(MOVE, {"count": 90, "isZoom": is_zoom})
    return {"frames_per_second": 1000 * len(lengths) / sum(lengths), "longest_ms": max(lengths)}


# Netron


def write_onnx(graph: dict[str, Any], path: Path) -> None:
    """Write the same graph as an ONNX file without weights."""
    import onnx
    from onnx import TensorProto, helper

    nodes = graph["nodes"]
    inputs: dict[int, list[str]] = {}
    outputs = []
    for source, target in zip(graph["edges"]["from"], graph["edges"]["to"], strict=True):
        tensor = f"t{source}" if source >= 0 else graph["terminals"][-1 - source]["name"]
        if target >= 0:
            inputs.setdefault(target, []).append(tensor)
        else:
            outputs.append(tensor)
    made = [
        helper.make_node(
            graph["operators"][operator], inputs.get(number, ["t0"] if number else []), [f"t{number}"], name=name
        )
        for number, (name, operator) in enumerate(zip(nodes["name"], nodes["operator"], strict=True))
    ]
    values = [
        helper.make_tensor_value_info(each["name"], TensorProto.FLOAT, [1])
        for each in graph["terminals"]
        if each["kind"] == "input"
    ]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in outputs]
    onnx.save(helper.make_model(helper.make_graph(made, "g", values, results)), path)


def measure_netron(browser: Browser, size: int, family: str) -> dict[str, Any]:
    """Open the graph in Netron's page and wait until nodes are drawn in it."""
    import netron

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        write_onnx(MAKERS[family](size), path)
        host, port = netron.serve(str(path), None, browse=False)
        address = f"http://{host}:{port}"
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        context.add_cookies([{"name": "consent", "value": "1", "url": address}])
        # Whatever it asks of other places would only wait for a network that may not be there.
        context.route(lambda url: not url.startswith(address), lambda route: route.abort())
        page = context.new_page()
        begin = time.monotonic()
        try:
            page.goto(address, timeout=GIVE_UP_SECONDS * 1000)
            # Its page forbids eval, so that only a selector can be waited for; the body's class says that the graph is shown.
            page.locator("body.default g.node").first.wait_for(state="attached", timeout=GIVE_UP_SECONDS * 1000)
            result = {"seconds": time.monotonic() - begin, "nodes": page.locator("g.node").count(), "note": ""}
        except PlaywrightError as error:
            result = {"seconds": None, "nodes": 0, "note": netron_note(error)}
        finally:
            context.close()
            netron.stop((host, port))
    print(json.dumps({"netron": family, "size": size, **result}), flush=True)
    return {"size": size, **result}


def netron_note(error: PlaywrightError) -> str:
    """Say why nothing was drawn."""
    if "crashed" in str(error):
        return "its page crashed"
    return f"not drawn after {GIVE_UP_SECONDS} s" if "Timeout" in str(error) else str(error).partition("\n")[0]


# Report


def report(results: list[dict[str, Any]], netron_results: dict[str, list[dict[str, Any]]], rounds: int) -> str:
    """Return the page that says what was measured."""
    lines = [
        "# How soon a graph is drawn, and how smoothly it moves",
        "",
        f"The tables are what `python benchmarks/graph_display.py --rounds {rounds} --write` writes. {machine_line()}.",
        "Headless Chromium without a GPU, window 1400 x 1000, picture 480 pixels high. What each figure means stands at the",
        "head of that script. Median and worst of the rounds; other work ran on the machine where the load says so.",
        "",
        "| graph | nodes | first paint, s | worst, s | goal, s | from the cell, s | Netron, s |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        paint, size = result["paint_seconds"], result["size"]
        goal = GOALS_SECONDS.get(size)
        netron = next((each for each in netron_results.get(result["family"], []) if each["size"] == size), None)
        verdict = f"{goal} {judged(paint, goal)}" if goal else "none"
        cell = statistics.median(result["cell_seconds"])
        lines.append(
            f"| {result['family']} | {size} | {statistics.median(paint):.3f} | {max(paint):.3f} | {verdict} | {cell:.3f} "
            f"| {netron_cell(netron)} |"
        )
    lines += [
        "",
        f"Moving, at the largest size; the goal is {GOAL_FRAMES} frames a second (60 is the most that the browser gives):",
        "",
    ]
    lines += ["| graph | how | frames a second | longest frame, ms |", "|---|---|---|---|"]
    for result in results:
        for how, figures in result["moves"].items():
            lines.append(
                f"| {result['family']} | {how} | {figures['frames_per_second']:.0f} | {figures['longest_ms']:.0f} |"
            )
    return "\n".join(lines) + "\n"


def judged(times: list[float], goal: float) -> str:
    """Say whether a goal is met in every round, or at least by the median."""
    if max(times) <= goal:
        return "met"
    return "met by the median" if statistics.median(times) <= goal else "**missed**"


def netron_cell(result: dict[str, Any] | None) -> str:
    """Return Netron's cell of a row."""
    if result is None:
        return "not run"
    return f"{result['seconds']:.1f}" if result["seconds"] is not None else result["note"]


def main() -> int:
    """Measure, print, and write the report if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--no-netron", action="store_true", help="leave Netron out")
    parser.add_argument("--write", action="store_true", help=f"write {REPORT.name}")
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_OPTIONS)
        with notebook_page(browser) as page:
            results = measure_graphs(page, arguments.sizes, arguments.rounds)
        netron_results = {}
        if not arguments.no_netron:
            for family in MAKERS:
                netron_results[family] = [measure_netron(browser, size, family) for size in arguments.sizes]
        browser.close()
    text = report(results, netron_results, arguments.rounds)
    if arguments.write:
        REPORT.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
