"""The graph panel's page on traits that are made by hand: no TensorRT, no ONNX file, and every message of the page is kept.

A test shows it in a notebook and asks the kernel for `panel.received`.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import anywidget
import traitlets

from tests.widgets import graph_samples
from trtlab.widgets._esm import joined_module, stylesheet

Data = dict[str, Any]
WORDS = ("not looked at", "supported", "refused by the parser", "refused by the builder", "could not be judged")
NUMBER_OF = {"parser": 2, "builder": 3, "unknown": 4}
HOSTILE = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>"


class GraphHarness(anywidget.AnyWidget):
    """An anywidget with the traits of GRAPH_CONTRACT.md that answers as the kernel does, and keeps what the page sends."""

    _esm = joined_module("graph_panel.js")
    _css = stylesheet("graph_panel.css")
    graph = traitlets.Dict().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    overlay = traitlets.Dict().tag(sync=True)
    engine = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    selected = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(self, graph: Data | None = None, *, faults: dict[str, list[int]] | None = None, **view: Any) -> None:
        super().__init__()
        self.received: list[Data] = []
        self.on_msg(self._receive)
        graph = graph or {}
        if faults is not None:
            self.status = survey(graph, faults)
        self.graph = graph
        self.view = view_of(graph, self.status, **view)

    def finish(self, **faults: list[int]) -> None:
        """End a survey: the status, then the view, as two changes."""
        self.status = survey(self.graph, faults)
        self.view = view_of(self.graph, self.status)

    def commands(self, name: str = "") -> list[Data]:
        """Return the messages of the page, of one command or all but the pictures."""
        return [
            each for each in self.received if each["command"] == name or (not name and each["command"] != "picture")
        ]

    def _receive(self, _widget: object, message: Data, _buffers: object) -> None:
        if message["command"] != "picture":
            self.received.append(message)
        if message["command"] == "details":
            self.send(details_of(self.graph, self.status, message["node"]))
        elif message["command"] in {"cut", "reduce"}:
            self.send({"type": "saved", "text": f"Saved {message['path'] or 'part.onnx'}: 3 nodes."})


def card_of(where: str, *, state: str = "error") -> Data:
    """Return a diagnosis card about a node."""
    return {
        "state": state, "state_word": "", "title": "Antialiased resizing is not taken", "code": "UNSUPPORTED_NODE_ATTR",
        "id": "parse.unsupported_node", "where": [f"node '{where}' (Resize)"], "lines": None,
        "why": f"'{where}' has antialias 1; TensorRT takes 0.",
        "do": [
            {"text": "Leave it out where the picture only grows.", "code": "attribute.i = 0"},
            {"text": "Resize before the model.", "code": ""},
        ],
        "more": [{"title": "The original message", "text": "Assertion failed: antialias == 0"}],
    }  # fmt: skip


def survey(graph: Data, faults: dict[str, list[int]], *, whole: bool = False) -> Data:
    """Return the trait `status` with a problem for each fault, in the order of the graph; `whole` adds one of the model."""
    status = graph_samples.status_of(graph, **faults)
    names = graph.get("nodes", {}).get("name", [])
    problems: list[Data] = [
        {
            "node": number, "title": "Antialiased resizing is not taken", "where": names[number],
            "word": WORDS[status["of"][number]], "state": "unknown" if status["of"][number] == NUMBER_OF["unknown"] else "error",
            "card": card_of(names[number]),
        }
        for number in sorted(number for numbers in faults.values() for number in numbers)
    ]  # fmt: skip
    if whole:
        title = "The opset is too new"
        problems.insert(
            0,
            {
                "node": -1,
                "title": title,
                "where": "the model",
                "word": "refused",
                "state": "error",
                "card": card_of("model"),
            },
        )
    part = 0
    partitions = []
    for state in status["of"]:
        part += state != 1
        partitions.append(part if state == 1 else -1)
    return {"of": status["of"], "problems": problems, "partitions": partitions}


def view_of(
    graph: Data,
    status: Data,
    *,
    running: str = "",
    note: str = "",
    flavour: str = "TensorRT-RTX 1.7.1.116",
    **changes: Any,
) -> Data:
    """Return the trait `view` as the kernel makes it for a graph and a status."""
    counts: Counter[int] = Counter(status.get("of", []))
    problems = len(status.get("problems", []))
    is_open, is_done = bool(graph), bool(status)
    reason = "A check is running." if running else "" if is_open else "Choose a model first."
    state, text = (
        "waiting",
        "Choose a model to look at." if not is_open else "Quick check asks TensorRT's parser about every node.",
    )
    if running:
        state, text = "running", "Quick check is running"
    elif is_done:
        count = len(graph["nodes"]["name"])
        state, text = (
            ("failed", f"{problems} of {count} nodes refused")
            if problems
            else ("done", f"TensorRT takes all {count} nodes")
        )
    title = graph.get("title", "")
    view: Data = {
        "headline": {"state": state, "text": text}, "started": time.time() if running else None, "progress": running,
        "depth": "quick" if is_done else "",
        "buttons": {
            "quick": {"enabled": not reason, "label": "Quick check", "reason": reason},
            "full": {"enabled": not reason, "label": "Full check", "reason": reason},
            "cancel": {"enabled": bool(running), "label": "Cancel", "reason": "" if running else "Nothing is running."},
            "netron": {"enabled": is_open, "label": "Open in Netron", "reason": "" if is_open else "Choose a model first."},
        },
        "models": [{"value": name, "label": name} for name in dict.fromkeys(["resnet.onnx", "encoder.onnx", *([title] if title else [])])],
        "model": title,
        "model_lines": [f"{title}: opset 17, weights 97.8 MiB", "inputs: image: float32 [batch x 3 x 224 x 224]"] if is_open else [],
        "flavour": flavour if is_done else "",
        "counts": [{"status": number, "word": WORDS[number], "count": counts[number]} for number in range(5) if counts[number]],
        "findings": [], "releases": {}, "note": note, "netron": "trtlab/netron/index.html?path=resnet.onnx" if is_open else "",
        "partition_text": "TensorRT would take 2 parts: 98 % of the nodes, 99.6 % of the arithmetic (estimated)" if problems else "",
        "python": f"import trtlab\n\nreport = trtlab.check({title!r}, depth='quick')",
    }  # fmt: skip
    return view | changes


def details_of(graph: Data, status: Data, number: int) -> Data:
    """Return the message `details` about a node, as far as the graph tells."""
    nodes, edges, tensors = graph["nodes"], graph["edges"], graph["tensors"]
    ends = list(zip(edges["from"], edges["to"], edges["tensor"], strict=True))
    name = nodes["name"][number]
    problem = next((each for each in status.get("problems", []) if each["node"] == number), None)
    inputs = [
        {"name": tensors[tensor], "type": "float32 [batch x 64 x 56 x 56]", "parsed": "",
         "made_by": max(-1, source), "constant": "", "role": "X"}
        for source, to, tensor in ends if to == number
    ]  # fmt: skip
    weight = {
        "name": f"{name}.weight",
        "type": "float32 [64 x 64 x 3 x 3]",
        "parsed": "",
        "made_by": -1,
        "constant": "-0.013 .. 0.92, 144 KiB",
        "role": "W",
    }
    readers = [to for source, to, _ in ends if source == number and to >= 0]
    output = {
        "name": f"{name}_output",
        "type": "float32 [batch x 64 x 56 x 56]",
        "parsed": "float16 [8 x 64 x 56 x 56]",
        "read_by": readers,
        "role": "Y",
    }
    return {
        "type": "details", "node": number,
        "details": {
            "title": name, "operator": graph["operators"][nodes["operator"][number]], "domain": "",
            "scope": graph["scopes"][nodes["scope"][number]]["path"],
            "index": nodes["index"][number], "status": status.get("of", [0] * len(nodes["name"]))[number],
            "card": problem["card"] if problem else None,
            "attributes": [["kernel_shape", "ints", "[3, 3]"], ["auto_pad", "string", "NOTSET"], ["values", "floats", "0.5, " * 400]],
            "inputs": [*inputs, weight], "outputs": [output], "doc": "",
        },
    }  # fmt: skip


def findings() -> list[Data]:
    """Return two cards of what is known before a parse."""
    return [
        card_of("layer0/block0/conv0", state="warning") | {"title": "int64 is narrowed to int32"},
        card_of("pool", state="info"),
    ]


def releases() -> Data:
    """Return the table of other releases, with every kind of answer."""
    cells = [
        {"verdict": "no", "note": "came with 10.0", "sure": "documented"},
        {"verdict": "yes", "note": "", "sure": "documented"},
        {"verdict": "yes", "note": "4 of 5 test models were built", "sure": "measured"},
        {"verdict": "unknown", "note": "", "sure": "unknown"},
    ]
    rows = [
        {"operator": name, "count": count, "cells": cells}
        for name, count in (("Conv", 53), ("com.acme.FoldedWindowAttention", 1), ("opset 17", 0))
    ]
    return {
        "columns": ["8.6", "10.0", "RTX 1.7", "11.1"],
        "rows": rows,
        "note": "Yes means that the release's table lists the operator.",
    }


def long_names(count: int = 60) -> Data:
    """Return a graph whose names have 200 characters without a place to break them."""
    graph = graph_samples.chain(count)
    names = [f"{'very_long_scope_name_' * 9}{number:011d}" for number in range(count)]
    return graph | {"title": f"{'long' * 48}.onnx", "nodes": graph["nodes"] | {"name": names}}


def hostile() -> Data:
    """Return a graph all of whose texts are markup."""
    graph = graph_samples.chain(8)
    names = [f"{HOSTILE}{number}" for number in range(8)]
    return graph | {
        "title": HOSTILE, "nodes": graph["nodes"] | {"name": names}, "operators": [HOSTILE] * len(graph["operators"]),
        "tensors": [HOSTILE] * len(graph["tensors"]), "scopes": [graph["scopes"][0] | {"title": HOSTILE, "path": HOSTILE}],
    }  # fmt: skip
