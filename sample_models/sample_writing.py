"""What the scripts that make the sample models share: writing graphs by hand, and writing files safely."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PRODUCER = "trtlab sample models"
# Opset 17 is the first with LayerNormalization; IR version 8 is what belongs to it. Every onnx, ONNX Runtime and
# TensorRT of the last years reads both.
OPSET = 17
IR_VERSION = 8


class GraphWriter:
    """Collects nodes and weights of a graph in the order they are written.

    Every node is named by the caller and its only output is called ``<name>_output``, so that a name seen in a log,
    in the graph or in a histogram always leads back to the line that wrote it.
    """

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:  # noqa: ANN401 - ONNX attributes are of any kind
        """Append a node with one output, and return the name of that output."""
        output = f"{name}_output"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=name, **attributes))
        return output

    def weight(self, name: str, values: Any) -> str:  # noqa: ANN401 - whatever numpy makes an array of
        """Append a constant tensor, and return its name."""
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def integers(self, name: str, values: Sequence[int]) -> str:
        """Append a constant list of int64, as shapes and axes are, and return its name."""
        return self.weight(name, np.array(values, dtype=np.int64))

    def graph(
        self, name: str, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.GraphProto:
        """Return the graph written so far."""
        return helper.make_graph(self.nodes, name, list(inputs), list(outputs), self.weights)


def float_tensor(name: str, shape: Sequence[str | int]) -> onnx.ValueInfoProto:
    """Describe a float32 input or output; a dimension that is a word is dynamic."""
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, list(shape))


def integer_tensor(name: str, shape: Sequence[str | int]) -> onnx.ValueInfoProto:
    """Describe an int64 input or output; a dimension that is a word is dynamic."""
    return helper.make_tensor_value_info(name, onnx.TensorProto.INT64, list(shape))


def rename_output(graph: GraphWriter, output: str, name: str) -> None:
    """Give the output of a graph the name that users shall see."""
    for node in graph.nodes:
        for index, value in enumerate(node.output):
            if value == output:
                node.output[index] = name


def finish_model(graph: onnx.GraphProto, description: str, *, domains: Sequence[str] = ()) -> onnx.ModelProto:
    """Wrap a graph into a model of the opset and IR version that all hand-made samples share."""
    opsets = [helper.make_opsetid("", OPSET), *(helper.make_opsetid(domain, 1) for domain in domains)]
    model = helper.make_model(graph, producer_name=PRODUCER, opset_imports=opsets, ir_version=IR_VERSION)
    model.doc_string = description
    return model


def write_file(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside its target, then rename it: readers never see half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        # mkstemp makes files that only their owner can read; a sample is for everybody.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    print(f"wrote {path} ({len(content)} bytes)")


def run_script(description: str | None, make: Callable[[Path], object], arguments: Sequence[str] | None) -> None:
    """Read the output folder from the command line and make the samples there."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(__file__).resolve().parent,
        help="where to write (default: the folder of this script)",
    )
    make(parser.parse_args(arguments).folder)
