"""Measure what the worker does for the graph panel, in seconds of processor time: collect the graph, send it, look at a node.

A model of any size is made of encoder blocks like those that exporters write: 22 nodes with paths for names, a third of them
with weights. Goal: 20,000 nodes collected in 0.3 s.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from machine import machine_line
from onnx import ModelProto, NodeProto, TensorProto, helper

from trtlab._results import from_dict
from trtlab.model.arithmetic import estimate_arithmetic
from trtlab.model.graph_document import GraphDocument, collect_graph
from trtlab.model.node_details import NodeLookup
from trtlab.model.reading import ModelFile
from trtlab.plots.graph import graph_picture
from trtlab.widgets.graph_data import graph_trait

if TYPE_CHECKING:
    from collections.abc import Callable

GOAL_NODES, GOAL_SECONDS = 20_000, 0.3
_PARTS = ("query", "key", "value", "output", "up", "gate", "down")
_WIDTH = 8
Made = TypeVar("Made")


def encoder(count: int) -> ModelProto:
    """Return a model of `count` nodes: blocks of a product, a sum and a nonlinear function, each block added to what it read."""
    nodes: list[NodeProto] = []
    weights: list[TensorProto] = []
    before = "x"
    while len(nodes) < count:
        layer, at = len(nodes) // 22, before
        for part in _PARTS:
            prefix = f"/encoder/layer.{layer}/{part}"
            weights.append(helper.make_tensor(f"{prefix}/w", TensorProto.FLOAT, [_WIDTH, _WIDTH], [0.5] * _WIDTH**2))
            for operator, inputs in (("MatMul", [f"{prefix}/w"]), ("Add", [before]), ("Tanh", [])):
                nodes.append(
                    helper.make_node(operator, [at, *inputs], [f"{prefix}/{operator}_out"], f"{prefix}/{operator}")
                )
                at = nodes[-1].output[0]
        nodes.append(
            helper.make_node("Add", [at, before], [f"/encoder/layer.{layer}/out"], f"/encoder/layer.{layer}/Add")
        )
        before = nodes[-1].output[0]
    del nodes[count:]
    shape: list[str | int | None] = ["batch", _WIDTH]
    graph_inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, shape)]
    graph = helper.make_graph(nodes, "encoder", graph_inputs, outputs, initializer=weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def measure(count: int, folder: Path, rounds: int) -> dict[str, float]:
    """Return the fastest of several rounds for each part, in seconds of processor time."""
    path = folder / f"{count}.onnx"
    path.write_bytes(encoder(count).SerializeToString())
    all_rounds = [one_round(path, count) for _ in range(rounds)]
    return {name: min(each[name] for each in all_rounds) for name in all_rounds[0]}


def one_round(path: Path, count: int) -> dict[str, float]:
    """Do everything once; return the seconds of each part."""
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Made]) -> Made:
        started = time.process_time()
        result = work()
        seconds[name] = time.process_time() - started
        return result

    file = timed("read", lambda: ModelFile(path))
    document = timed("collect", lambda: collect_graph(file))
    text = timed("to JSON", lambda: json.dumps(document.to_dict()))
    received = timed("from JSON", lambda: from_dict(GraphDocument, json.loads(text)))
    trait = timed("trait", lambda: graph_trait(received))
    lookup = NodeLookup(file)
    timed("first node", lambda: lookup.details(count // 2))
    timed("next node", lambda: lookup.details(count // 2 + 1))
    timed("arithmetic", lambda: estimate_arithmetic(file))
    timed("picture", lambda: graph_picture(trait))
    return seconds


def main() -> None:
    """Measure, print a table or JSON, and exit with 1 if the goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, nargs="+", default=[50, 500, 5000, GOAL_NODES], help="sizes of the models")
    parser.add_argument("--rounds", type=int, default=3, help="rounds for each size; the fastest counts (default: 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = {count: measure(count, Path(folder), arguments.rounds) for count in arguments.nodes}
    if arguments.json:
        print(json.dumps({"machine": machine_line(), "seconds": figures}, indent=2))
    else:
        print(machine_line())
        names = list(next(iter(figures.values())))
        print("| nodes | " + " | ".join(names) + " |\n|" + "---:|" * (len(names) + 1))
        for count, row in figures.items():
            print(f"| {count} | " + " | ".join(f"{row[name]:.3f}" for name in names) + " |")
    if figures.get(GOAL_NODES, {}).get("collect", 0.0) > GOAL_SECONDS:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
