"""The models that the benchmarks build: two sample models, and two that are generated because they are large."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SAMPLE_MODELS = Path(__file__).resolve().parents[1] / "sample_models"
# One block of the unfolded model has 22 nodes, so this makes 5016.
_UNFOLDED_BLOCKS = 228
_OPSET, _IR_VERSION = 17, 8

Shapes = dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]


@dataclass(frozen=True)
class BenchmarkModel:
    """One model to build.

    Attributes:
        name: Its name on the command line.
        title: Its name in tables.
        shapes: Its one shape profile: min, opt and max of each dynamic input.
        source: A sample model's file, or a function that makes the model.
    """

    name: str
    title: str
    shapes: Shapes
    source: Path | Callable[[], onnx.ModelProto]

    def file(self, folder: Path) -> Path:
        """Return the model's file, made in `folder` if it is not a sample model."""
        if isinstance(self.source, Path):
            return self.source
        path = folder / f"{self.name}.onnx"
        if not path.exists():
            path.write_bytes(self.source().SerializeToString())
        return path


def weighted_resnet50() -> onnx.ModelProto:
    """Return the sample ResNet-50 with random weights in the file (102 MB) instead of nodes that make constant ones."""
    model = onnx.load(SAMPLE_MODELS / "light_resnet50.onnx")
    graph = model.graph
    random = np.random.default_rng(0)
    small = {tensor.name: tensor for tensor in graph.initializer}
    fillers = [node for node in graph.node if node.op_type == "ConstantOfShape"]
    weights = []
    for node in fillers:
        shape = numpy_helper.to_array(small[node.input[0]]).tolist()
        # Vectors hold the scales and variances of normalizations, which must be positive.
        values = random.uniform(0.9, 1.1, shape) if len(shape) == 1 else random.normal(0, 0.02, shape)
        weights.append(numpy_helper.from_array(values.astype(np.float32), node.output[0]))
    shapes = {node.input[0] for node in fillers}
    kept_nodes = [node for node in graph.node if node.op_type != "ConstantOfShape"]
    kept_weights = [tensor for tensor in graph.initializer if tensor.name not in shapes]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept_nodes)
    graph.initializer.extend([*kept_weights, *weights])
    return model


class _Writer:
    """Collects nodes; each has one output, called after its node."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:  # noqa: ANN401 - of any kind
        output = f"{name}_output"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=name, **attributes))
        return output

    def constant(self, name: str, values: Any) -> str:  # noqa: ANN401 - whatever numpy makes an array of
        return self.node("Constant", [], name, value=numpy_helper.from_array(np.asarray(values), f"{name}_value"))


def unfolded_residual(blocks: int = _UNFOLDED_BLOCKS, channels: int = 8, size: int = 8) -> onnx.ModelProto:
    """Return residual blocks (conv, relu, conv, add) with weight normalization, exported without constant folding.

    Two thirds of the nodes compute weights from constants, so TensorRT folds them, and 5000 nodes build in seconds
    instead of the half minute that 5000 convolutions take. That makes what trtlab does for each node weigh more.
    """
    random = np.random.default_rng(0)
    writer = _Writer()

    def weight(name: str) -> str:
        direction = writer.constant(f"{name}/v", random.normal(0, 0.05, (channels, channels, 3, 3)).astype(np.float32))
        square = writer.node("Mul", [direction, direction], f"{name}/square")
        axes = writer.constant(f"{name}/axes", np.array([1, 2, 3], np.int64))
        total = writer.node("ReduceSum", [square, axes], f"{name}/sum", keepdims=1)
        unit = writer.node("Div", [direction, writer.node("Sqrt", [total], f"{name}/norm")], f"{name}/unit")
        gain = writer.constant(f"{name}/log_gain", np.full((channels, 1, 1, 1), -1, np.float32))
        return writer.node("Mul", [unit, writer.node("Exp", [gain], f"{name}/gain")], f"{name}/weight")

    value = "x"
    for number in range(blocks):
        block = f"/block{number}"
        hidden = writer.node("Conv", [value, weight(f"{block}/a")], f"{block}/conv_a", pads=[1] * 4)
        hidden = writer.node("Relu", [hidden], f"{block}/relu")
        hidden = writer.node("Conv", [hidden, weight(f"{block}/b")], f"{block}/conv_b", pads=[1] * 4)
        value = writer.node("Add", [value, hidden], f"{block}/add")
    shape: list[str | int | None] = ["batch", channels, size, size]
    graph = helper.make_graph(
        writer.nodes,
        "unfolded_residual",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, shape)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)


_RESNET_SHAPES: Shapes = {"gpu_0/data_0": ((1, 3, 224, 224), (4, 3, 224, 224), (8, 3, 224, 224))}
MODELS: dict[str, BenchmarkModel] = {
    model.name: model
    for model in (
        BenchmarkModel(
            "digits",
            "digits (small)",
            {"image": ((1, 1, 8, 8), (32, 1, 8, 8), (256, 1, 8, 8))},
            SAMPLE_MODELS / "digits.onnx",
        ),
        BenchmarkModel("light_resnet50", "ResNet-50, light", _RESNET_SHAPES, SAMPLE_MODELS / "light_resnet50.onnx"),
        BenchmarkModel("weighted_resnet50", "ResNet-50, 102 MB of weights", _RESNET_SHAPES, weighted_resnet50),
        BenchmarkModel("unfolded", "5016 nodes", {"x": ((1, 8, 8, 8), (4, 8, 8, 8), (8, 8, 8, 8))}, unfolded_residual),
    )
}
