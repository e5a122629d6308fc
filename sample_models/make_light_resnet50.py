"""Make light_resnet50.onnx: ResNet-50 in a small file, with a dynamic batch.

The onnx package carries "light" versions of well-known networks for its own tests: their large weights are replaced by
`ConstantOfShape` nodes. The layers, and so parsing, building and memory, are those of the real network; the answers
are not. This script takes that model (Apache-2.0, by the ONNX contributors) and makes its batch dimension dynamic.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import numpy_helper
from sample_writing import IR_VERSION, write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE = "light_resnet50.onnx"
SOURCE = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / FILE


def name_batch(value: onnx.ValueInfoProto) -> None:
    """Replace the first dimension of an input or output by the word `batch`."""
    value.type.tensor_type.shape.dim[0].dim_param = "batch"


def free_reshapes(graph: onnx.GraphProto) -> None:
    """Let every Reshape that flattens to a fixed batch of one take any batch instead."""
    targets = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    for weight in graph.initializer:
        if weight.name not in targets:
            continue
        shape = numpy_helper.to_array(weight).copy()
        if shape[0] == 1:
            # Zero means "as in the input". -1 would do here too, but not in a Reshape that already has one.
            shape[0] = 0
            weight.CopyFrom(numpy_helper.from_array(shape.astype(np.int64), weight.name))


def drop_unused_weights(graph: onnx.GraphProto) -> None:
    """Remove the weights that no node reads: the exporter left one, and ONNX Runtime warns of it at each start."""
    used = {name for node in graph.node for name in node.input}
    kept = [weight for weight in graph.initializer if weight.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def drop_weight_inputs(graph: onnx.GraphProto) -> None:
    """Leave only real inputs: IR version 3 also listed each of the 269 weights as one."""
    weights = {weight.name for weight in graph.initializer}
    real = [value for value in graph.input if value.name not in weights]
    del graph.input[:]
    graph.input.extend(real)


def build_light_resnet50(source: Path = SOURCE) -> onnx.ModelProto:
    """Return onnx's light ResNet-50 with a dynamic batch."""
    model = onnx.load(str(source))
    free_reshapes(model.graph)
    drop_weight_inputs(model.graph)
    drop_unused_weights(model.graph)
    for value in (*model.graph.input, *model.graph.output):
        name_batch(value)
    model.ir_version = IR_VERSION
    model.doc_string = (
        "light_resnet50.onnx of the onnx package (Apache-2.0, the ONNX contributors), changed by trtlab: the batch "
        "dimension is dynamic, weights are no longer listed as inputs. The weights of a layer are all equal: what it "
        "answers means nothing."
    )
    return model


def make(path: Path) -> None:
    """Write the model to a file, or as light_resnet50.onnx into a folder."""
    target = path if path.suffix == ".onnx" else path / FILE
    write_file(target, build_light_resnet50().SerializeToString())


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the model at the place given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        default=Path(__file__).resolve().parent,
        help="the file to write, or the folder to write it into (default: the folder of this script)",
    )
    make(parser.parse_args(arguments).path)


if __name__ == "__main__":
    main()
