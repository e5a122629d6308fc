"""Operators of other domains, as exporters and optimizers write them: TensorRT looks for a plugin, and there is none."""

from __future__ import annotations

from typing import Any

import onnx
from onnx import helper

from tests import models
from tests.explain.provoked.case import Case, Inputs, one_node, several_nodes

X = (2, 3, 8, 8)


def custom(name: str, operator: str, domain: str, inputs: Inputs | None = None, **options: Any) -> Case:
    """Return a case of one node that needs a plugin."""
    made = one_node(operator, inputs or {"x": X}, domain=domain, **options)
    return Case(name, "custom operators", "parse.plugin_missing", made)


def in_default_domain(name: str, operator: str, **attributes: Any) -> Case:
    """Return a case whose exporter wrote the operator into ONNX's own domain, as many do for TensorRT's plugins."""
    return Case(name, "custom operators", "parse.plugin_missing", one_node(operator, {"x": X}, **attributes))


def beside_a_supported_node() -> onnx.ModelProto:
    nodes = [
        models.node("Relu", ["x"], ["a"], "activation"),
        models.node("DeformableAttention", ["a"], ["b"], "attention_3", domain="mmdeploy"),
        models.node("Sigmoid", ["b"], ["y"], "gate"),
    ]
    return models.model(nodes, [models.value("x", X)], [models.value("y", X)], opsets={"": 13, "mmdeploy": 1})


def inside_a_branch() -> onnx.ModelProto:
    proto = models.branches(
        [models.node("MySwish", ["x"], ["t"], "inside", domain="my.ops")],
        [models.node("Relu", ["x"], ["e"], "other")],
    )
    proto.opset_import.append(helper.make_opsetid("my.ops", 1))
    proto.graph.input[0].CopyFrom(models.value("x", (2, 4)))
    return proto


def inside_a_function() -> onnx.ModelProto:
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("my.ops", 1)]
    body = [
        helper.make_node("Relu", ["a"], ["t"], name="activation"),
        helper.make_node("MySwish", ["t"], ["b"], name="swish", domain="my.ops"),
    ]
    function = helper.make_function("my.blocks", "Block", ["a"], ["b"], body, imports)
    call = models.node("Block", ["x"], ["y"], "block_0", domain="my.blocks")
    return models.model(
        [call],
        [models.value("x", (2, 4))],
        [models.value("y", (2, 4))],
        opsets={"": 17, "my.blocks": 1, "my.ops": 1},
        functions=[function],
    )


def case_of(name: str, make: Any) -> Case:
    return Case(name, "custom operators", "parse.plugin_missing", make)


CASES = (
    custom("own domain", "MySwish", "my.ops"),
    custom("fused product of ONNX Runtime", "FusedMatMul", "com.microsoft", {"x": (2, 4), "w": (4, 2)}, transA=0),
    custom("fused bias of ONNX Runtime", "BiasGelu", "com.microsoft", {"x": (1, 4, 8)}, weights=(models.weight("b", 8),)),
    custom("layer normalization of ONNX Runtime", "SkipLayerNormalization", "com.microsoft", {"x": (1, 4, 8), "s": (1, 4, 8)},
           weights=(models.weight("g", 8),)),
    custom("deformable convolution of mmcv", "MMCVModulatedDeformConv2d", "mmcv"),
    custom("suppression of mmdeploy", "TRTBatchedNMS", "mmdeploy", {"x": (1, 10, 1, 4), "s": (1, 10, 3)}),
    custom("left over by PyTorch's exporter", "ATen", "org.pytorch.aten", overload_name="index_put"),
    custom("extension of ONNX Runtime", "BertTokenizer", "ai.onnx.contrib", {"x": (1,)}),
    custom("scatter of torch_scatter", "scatter_max", "torch_scatter", {"x": (4, 4)}),
    in_default_domain("suppression plugin in ONNX's domain", "EfficientNMS_TRT", max_output_boxes=10, plugin_version="1"),
    in_default_domain("YOLO layer in ONNX's domain", "YoloLayer_TRT", num_classes=80),
    in_default_domain("activation plugin in ONNX's domain", "FlattenConcat_TRT", axis=1),
    in_default_domain("misspelt operator", "Reluu"),
    case_of("custom operator between supported ones", beside_a_supported_node),
    case_of("custom operator inside a branch", inside_a_branch),
    case_of("custom operator inside a function", inside_a_function),
    case_of("two custom operators", several_nodes(
        [models.node("GroupNormPlugin", ["x"], ["a"], "group_norm"), models.node("SeqLen2Spatial", ["a"], ["y"], "spatial")], {"x": X})),
)  # fmt: skip
