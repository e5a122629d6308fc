"""Operators that are not of the ONNX standard, and what they would need.

Asked of TensorRT-RTX 1.7.1: its parser does not look at the domain. A node whose operator has a name it knows is taken for that
operator (`com.acme.Relu` builds as ONNX's Relu); of any other it asks for a plugin of that name, and finds none
(`Plugin not found, are the plugin name, version, and namespace correct?`). Of ONNX Runtime's 150 own operators it knows 17 names.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Sequence

from trtlab._format import plural, shorten_middle
from trtlab.model.description import Finding
from trtlab.support.findings.model_facts import ModelFacts, Node
from trtlab.support.findings.wording import SEEN, listed, quoted

_ONNX_RUNTIME = frozenset({"com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc"})
_CLASSICAL = "ai.onnx.ml"
# Names of ONNX Runtime's operators that the parser of TensorRT-RTX 1.7.1 knows (supports_operator).
_TAKEN_FROM_ONNX_RUNTIME = frozenset(
    {
        "Attention", "CausalConvWithState", "DequantizeLinear", "GatherND", "Gelu", "GridSample", "GroupQueryAttention",
        "LinearAttention", "MatMulNBits", "MultiHeadAttention", "Pad", "QMoE", "QuantizeLinear", "Range", "RotaryEmbedding",
        "SkipSimplifiedLayerNormalization", "Trilu",
    }
)  # fmt: skip
# The parser's own names, which NVIDIA's exporters write.
_PARSERS_OWN = "TRT_"
# Plugins that come with the full TensorRT (libnvinfer_plugin). The registry of TensorRT-RTX 1.7.1 has ROIAlign_TRT alone.
_FULL_TENSORRT = frozenset(
    {
        "BatchedNMS_TRT", "BatchedNMSDynamic_TRT", "BatchTilePlugin_TRT", "CropAndResize", "CropAndResizeDynamic",
        "CustomEmbLayerNormPluginDynamic", "CustomFCPluginDynamic", "CustomGeluPluginDynamic", "CustomQKVToContextPluginDynamic",
        "CustomSkipLayerNormPluginDynamic", "DecodeBbox3DPlugin", "DetectionLayer_TRT", "DisentangledAttention_TRT",
        "EfficientNMS_TRT", "EfficientNMS_Explicit_TF_TRT", "EfficientNMS_Implicit_TF_TRT", "EfficientNMS_ONNX_TRT",
        "FlattenConcat_TRT", "GenerateDetection_TRT", "GridAnchor_TRT", "GridAnchorRect_TRT", "InstanceNormalization_TRT",
        "ModulatedDeformConv2d", "MultilevelCropAndResize_TRT", "MultilevelProposeROI_TRT",
        "MultiscaleDeformableAttnPlugin_TRT", "NMS_TRT", "NMSDynamic_TRT", "Normalize_TRT", "PillarScatterPlugin",
        "PriorBox_TRT", "Proposal", "ProposalDynamic", "ProposalLayer_TRT", "PyramidROIAlign_TRT", "Region_TRT", "Reorg_TRT",
        "ResizeNearest_TRT", "RPROI_TRT", "ScatterND", "ScatterElements", "SpecialSlice_TRT", "Split",
        "VoxelGeneratorPlugin",
    }
)  # fmt: skip


def domain_findings(facts: ModelFacts) -> Iterator[Finding]:
    """Return one finding for each domain and what becomes of its operators."""
    groups: dict[tuple[str, str], list[Node]] = defaultdict(list)
    for node in facts.all_nodes:
        kind = _kind(node, facts)
        if kind:
            groups[kind, node.domain].append(node)
    writers = {
        "taken": _taken,
        "known": _known,
        "onnx_runtime": _onnx_runtime,
        "classical": _classical,
        "plugin": _plugin,
        "custom": _custom,
    }
    for (kind, _), nodes in groups.items():
        yield writers[kind](nodes)


def _kind(node: Node, facts: ModelFacts) -> str:
    if not node.domain and (node.operator in _FULL_TENSORRT and node.operator not in _standard_operators()):
        return "plugin"
    if not node.domain or (node.domain, node.operator) in facts.functions or node.operator.startswith(_PARSERS_OWN):
        return ""
    if node.domain in _ONNX_RUNTIME:
        return "known" if node.operator in _TAKEN_FROM_ONNX_RUNTIME else "onnx_runtime"
    if node.operator in _standard_operators():
        return "taken"
    if node.domain == _CLASSICAL:
        return "classical"
    return "plugin" if node.operator in _FULL_TENSORRT else "custom"


@functools.cache
def _standard_operators() -> frozenset[str]:
    from onnx import defs

    return frozenset(schema.name for schema in defs.get_all_schemas() if schema.domain == "")


def _operators(nodes: Sequence[Node]) -> str:
    return listed(sorted({node.operator for node in nodes}), quote=False)


def _domain(nodes: Sequence[Node]) -> str:
    return shorten_middle(nodes[0].domain)


def _taken(nodes: Sequence[Node]) -> Finding:
    text = (
        f"{plural(len(nodes), 'node')} of the domain '{_domain(nodes)}' with the name of a standard operator: {_operators(nodes)}. "
        f"{SEEN} does not look at the domain and takes {'it' if len(nodes) == 1 else 'them'} for ONNX's. If yours computes something "
        "else, rename it, and give TensorRT a plugin of the new name."
    )
    return Finding("support.domain_ignored", "warning", text, nodes[0].reference)


def _known(nodes: Sequence[Node]) -> Finding:
    text = (
        f"{plural(len(nodes), 'operator')} of ONNX Runtime: {_operators(nodes)}. {SEEN} knows these names and may take them, with some "
        "attributes and inputs only. For other releases, export without ONNX Runtime's optimizations."
    )
    return Finding("support.onnxruntime_operator", "info", text, nodes[0].reference)


def _onnx_runtime(nodes: Sequence[Node]) -> Finding:
    text = (
        f"{plural(len(nodes), 'operator')} of ONNX Runtime alone ('{_domain(nodes)}'): {_operators(nodes)}. {SEEN} refuses "
        "such nodes. They come from a model that ONNX Runtime optimized, fused or quantized. Take the model from before that step, "
        "and let TensorRT optimize it."
    )
    return Finding("support.onnxruntime_operator", "warning", text, nodes[0].reference)


def _classical(nodes: Sequence[Node]) -> Finding:
    text = (
        f"{plural(len(nodes), 'node')} of classical machine learning ('{_CLASSICAL}'): {_operators(nodes)}. {SEEN} refuses such nodes. "
        "Cut them off and run them with ONNX Runtime, or express them in tensor operators (hummingbird-ml does that for trees)."
    )
    return Finding("support.classical_operator", "warning", text, nodes[0].reference)


def _plugin(nodes: Sequence[Node]) -> Finding:
    text = (
        f"{plural(len(nodes), 'node')} {'needs' if len(nodes) == 1 else 'need'} a plugin of the full TensorRT: "
        f"{_operators(nodes)}. {SEEN} does not have it. Build with the package tensorrt and its plugin library "
        "(trt.init_libnvinfer_plugins), or cut the node off."
    )
    return Finding("support.plugin", "warning", text, nodes[0].reference)


def _custom(nodes: Sequence[Node]) -> Finding:
    first = nodes[0]
    version = _attribute(first, "plugin_version") or "1"
    namespace = _attribute(first, "plugin_namespace")
    text = (
        f"{plural(len(nodes), 'node')} of the foreign domain '{_domain(nodes)}': {_operators(nodes)}. {SEEN} refuses such nodes unless "
        f"a plugin is loaded, here one of the name {quoted(first.operator)}, version {quoted(version)}"
        f"{f', namespace {quoted(namespace)}' if namespace else ''}. Load its library, or export with standard operators."
    )
    return Finding("support.custom_operator", "warning", text, first.reference)


def _attribute(node: Node, name: str) -> str:
    return next((item.s.decode("utf-8", "replace") for item in node.message.attribute if item.name == name), "")
