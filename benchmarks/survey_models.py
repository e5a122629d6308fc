"""The models that `survey.py` measures, good and with faults spread over them."""

from __future__ import annotations

from pathlib import Path

import onnx
from benchmark_models import MODELS, Shapes, unfolded_residual
from onnx import TensorProto, helper

SAMPLE_MODELS = Path(__file__).resolve().parents[1] / "sample_models"


def good_models() -> dict[str, onnx.ModelProto]:
    """Return the models by name: ResNet-50 with light weights, and two of 5,016 and about 20,000 nodes."""
    return {
        "ResNet-50, 415 nodes": onnx.load(SAMPLE_MODELS / "light_resnet50.onnx"),
        "5,016 nodes": unfolded_residual(228),
        "20,020 nodes": unfolded_residual(910),
    }


def shapes_of(path: Path) -> Shapes:
    """Return the shape profile that a model of these, read from a file, is built with on all sides."""
    inputs = {value.name for value in onnx.load(path).graph.input}
    return next(item.shapes for item in MODELS.values() if set(item.shapes) <= inputs)


def with_faults(model: onnx.ModelProto, count: int, *, importer_only: bool = False) -> tuple[onnx.ModelProto, set[str]]:
    """Return a copy of a model with faulty nodes spread evenly over it, and their names.

    Half of them are refused by the parser's static checks (Bernoulli), half by an importer (ReduceSum with axes known at run time
    only), which stops the parser each time; or all of the second kind.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    inferred = onnx.shape_inference.infer_shapes(model)
    shapes = {value.name: value for value in inferred.graph.value_info if value.type.tensor_type.elem_type == 1}
    usable = [place for place, node in enumerate(graph.node) if node.op_type == "Relu" and node.output[0] in shapes]
    chosen = [usable[(number + 1) * len(usable) // (count + 1)] for number in range(count)]
    graph.input.append(helper.make_tensor_value_info("runtime_axes", TensorProto.INT64, [1]))
    names: set[str] = set()
    nodes: list[onnx.NodeProto] = []
    for place, node in enumerate(graph.node):
        nodes.append(node)
        if place in chosen:
            made = node.output[0]
            node.output[0] = f"{made}_before"
            is_static = not importer_only and chosen.index(place) % 2 == 0
            nodes += _faulty(graph, made, _sizes(shapes[made]), is_static=is_static)
            names.add(f"fault_{made}")
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)
    return changed, names


def _faulty(graph: onnx.GraphProto, made: str, sizes: list[int | str], *, is_static: bool) -> list[onnx.NodeProto]:
    before, name = f"{made}_before", f"fault_{made}"
    if is_static:
        return [helper.make_node("Bernoulli", [before], [made], name=name)]
    reduced = f"{made}_reduced"
    graph.value_info.append(helper.make_tensor_value_info(reduced, TensorProto.FLOAT, [*sizes[:-1], 1]))
    return [
        helper.make_node("ReduceSum", [before, "runtime_axes"], [reduced], name=name, keepdims=1),
        helper.make_node("Add", [before, reduced], [made], name=f"add_{made}"),
    ]


def _sizes(value: onnx.ValueInfoProto) -> list[int | str]:
    return [size.dim_value or size.dim_param for size in value.type.tensor_type.shape.dim]
