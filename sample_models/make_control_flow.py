"""Make control_flow.onnx: a signal processor with an If, a Loop and a Scan, each with a body of its own.

If the signal is loud it is compressed, else amplified (If); it is then softened three times (Loop), and last smoothed
by a running average along the time steps (Scan).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto, helper
from sample_writing import GraphWriter, finish_model, float_tensor, run_script, write_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import onnx

FILE = "control_flow.onnx"
CHANNELS = 8
SOFTENING_ROUNDS = 3


def compress_branch() -> onnx.GraphProto:
    """Return the branch for a loud signal. It reads `signal` from the graph around it."""
    writer = GraphWriter()
    compressed = writer.node("Tanh", ["signal"], "/compress/Tanh")
    return writer.graph("compress", [], [float_tensor(compressed, ["steps", CHANNELS])])


def amplify_branch() -> onnx.GraphProto:
    """Return the branch for a quiet signal. Its result has the same shape as the other branch's: TensorRT insists."""
    writer = GraphWriter()
    amplified = writer.node("Mul", ["signal", writer.weight("amplify.gain", np.float32(2.0))], "/amplify/Mul")
    return writer.graph("amplify", [], [float_tensor(amplified, ["steps", CHANNELS])])


def soften_body() -> onnx.GraphProto:
    """Return the body of the Loop: x becomes x - x * x * x / 10."""
    writer = GraphWriter()
    square = writer.node("Mul", ["softened", "softened"], "/soften/square")
    cube = writer.node("Mul", [square, "softened"], "/soften/cube")
    part = writer.node("Mul", [cube, writer.weight("soften.strength", np.float32(0.1))], "/soften/part")
    result = writer.node("Sub", ["softened", part], "/soften/Sub")
    going_on = writer.node("Identity", ["keep_going"], "/soften/keep_going")
    return writer.graph(
        "soften",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("keep_going", TensorProto.BOOL, []),
            float_tensor("softened", ["steps", CHANNELS]),
        ],
        [
            helper.make_tensor_value_info(going_on, TensorProto.BOOL, []),
            float_tensor(result, ["steps", CHANNELS]),
        ],
    )


def average_body() -> onnx.GraphProto:
    """Return the body of the Scan: a running average that forgets a quarter of itself at each step."""
    writer = GraphWriter()
    kept = writer.node("Mul", ["average", writer.weight("average.keep", np.float32(0.75))], "/average/keep")
    added = writer.node("Mul", ["step", writer.weight("average.add", np.float32(0.25))], "/average/add")
    average = writer.node("Add", [kept, added], "/average/Add")
    copy = writer.node("Identity", [average], "/average/copy")
    return writer.graph(
        "average",
        [float_tensor("average", [CHANNELS]), float_tensor("step", [CHANNELS])],
        [float_tensor(average, [CHANNELS]), float_tensor(copy, [CHANNELS])],
    )


def build_control_flow() -> onnx.ModelProto:
    """Return the signal processor as an ONNX model."""
    writer = GraphWriter()
    size = writer.node("Abs", ["signal"], "/loudness/Abs")
    loudness = writer.node("ReduceMean", [size], "/loudness/ReduceMean", keepdims=0)
    loud = writer.node("Greater", [loudness, writer.weight("loudness.limit", np.float32(1.0))], "/loudness/Greater")
    level = writer.node("If", [loud], "/level", then_branch=compress_branch(), else_branch=amplify_branch())
    rounds = writer.weight("soften.rounds", np.int64(SOFTENING_ROUNDS))
    start = writer.weight("soften.start", np.bool_(True))
    soft = writer.node("Loop", [rounds, start, level], "/soften", body=soften_body())
    silence = writer.weight("average.start", np.zeros(CHANNELS, dtype=np.float32))
    # Written out, because a Scan has two outputs: the last average, and the average at each step.
    writer.nodes.append(
        helper.make_node(
            "Scan", [silence, soft], ["last", "smooth"], name="/average", body=average_body(), num_scan_inputs=1
        )
    )
    graph = writer.graph(
        "control_flow",
        [float_tensor("signal", ["steps", CHANNELS])],
        [float_tensor("smooth", ["steps", CHANNELS]), float_tensor("last", [CHANNELS])],
    )
    return finish_model(graph, "A signal processor with an If, a Loop and a Scan.")


def make(folder: Path) -> None:
    """Write control_flow.onnx into a folder."""
    write_file(folder / FILE, build_control_flow().SerializeToString())


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the model in the folder given on the command line."""
    run_script(__doc__, make, arguments)


if __name__ == "__main__":
    main()
