"""Operators that TensorRT-RTX's parser has no importer for, and attributes, modes and outputs that its importers refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, numpy_helper

from tests import models
from tests.explain.provoked.case import Case, Inputs, one_node, several_nodes

X = (2, 3, 8, 8)
BOOL, INT32, INT64 = TensorProto.BOOL, TensorProto.INT32, TensorProto.INT64
UINT8, INT8 = TensorProto.UINT8, TensorProto.INT8

# Two pages of the catalog speak of these: there is no importer, since the size of the result depends on the data, or since the
# full TensorRT has a plugin for it that TensorRT-RTX does not bring.
SAME = {
    "Compress": ("parse.datadependent",),
    "Unique": ("parse.datadependent",),
    "DeformConv": ("parse.plugin_missing",),
}


def refused(name: str, operator: str, inputs: Inputs, **options: Any) -> Case:
    """Return a case of one node that the parser does not support."""
    same = SAME.get(operator, ())
    return Case(name, "operators", "parse.unsupported_node", one_node(operator, inputs, **options), same=same)


def constants(*numbers: float, name: str = "c", dtype: Any = np.float32) -> TensorProto:
    """Return a one-dimensional initializer."""
    return numpy_helper.from_array(np.array(numbers, dtype), name)


# Operators that it does not have at all
WHOLE = (
    refused("determinant", "Det", {"x": (2, 4, 4)}),
    refused("Compress", "Compress", {"x": (4, 4), "condition": ((4,), BOOL)}, axis=0),
    refused("Unique", "Unique", {"x": (8,)}),
    refused("BitwiseAnd", "BitwiseAnd", {"x": ((2, 4), INT32), "w": ((2, 4), INT32)}, opset=18, output_type=INT32),
    refused("BitwiseNot", "BitwiseNot", {"x": ((2, 4), INT32)}, opset=18, output_type=INT32),
    refused("BitwiseXor", "BitwiseXor", {"x": ((2, 4), INT32), "w": ((2, 4), INT32)}, opset=18, output_type=INT32),
    refused("Col2Im", "Col2Im", {"x": (1, 5, 5)}, opset=18, weights=(models.integers("i", 5, 5), models.integers("b", 1, 5))),
    refused("AffineGrid", "AffineGrid", {"x": (1, 2, 3)}, opset=20, weights=(models.integers("size", 1, 1, 4, 4),)),
    refused("MatMulInteger", "MatMulInteger", {"x": ((2, 4), INT8), "w": ((4, 2), INT8)}, output_type=INT32),
    refused("ConvInteger", "ConvInteger", {"x": ((1, 1, 4, 4), UINT8), "w": ((1, 1, 2, 2), UINT8)}, output_type=INT32),
    refused("DynamicQuantizeLinear", "DynamicQuantizeLinear", {"x": (2, 4)}, outputs=("y", "s", "z"), output_type=UINT8),
    refused("DFT", "DFT", {"x": (1, 8, 1)}, axis=1),
    refused("Bernoulli", "Bernoulli", {"x": (2, 4)}),
    refused("Multinomial", "Multinomial", {"x": (2, 4)}, sample_size=4, output_type=INT32),
    refused("CenterCropPad", "CenterCropPad", {"x": (20, 10)}, opset=18, weights=(models.integers("size", 10, 7),)),
    refused("MaxUnpool", "MaxUnpool", {"x": (1, 1, 2, 2), "i": ((1, 1, 2, 2), INT64)}, kernel_shape=[2, 2], strides=[2, 2]),
    refused("MaxRoiPool", "MaxRoiPool", {"x": X, "rois": (4, 5)}, pooled_shape=[2, 2]),
    refused("loss of training", "SoftmaxCrossEntropyLoss", {"x": (3, 5), "labels": ((3,), INT64)}),
    refused("likelihood loss", "NegativeLogLikelihoodLoss", {"x": (3, 5), "labels": ((3,), INT64)}),
    refused("SequenceConstruct", "SequenceConstruct", {"x": (2, 4), "w": (2, 4)}),
    refused("deformable convolution", "DeformConv", {"x": (1, 1, 3, 3), "w": (1, 1, 2, 2), "o": (1, 8, 2, 2)}, opset=19),
    refused("TfIdfVectorizer", "TfIdfVectorizer", {"x": ((12,), INT32)}, mode="TF", min_gram_length=2, max_gram_length=2,
            max_skip_count=0, ngram_counts=[0, 4], ngram_indexes=[0], pool_int64s=[2, 3, 5, 4]),
    refused("MelWeightMatrix", "MelWeightMatrix", {}, weights=tuple(numpy_helper.from_array(np.array(value, kind), name) for value, kind,
            name in (
        (8, np.int64, "bins"), (16, np.int64, "length"), (8192, np.int64, "rate"), (0, np.float32, "low"), (4096, np.float32, "high")))),
    refused("BitCast", "BitCast", {"x": (2, 4)}, opset=26, to=INT32, output_type=INT32),
)  # fmt: skip

# Classical machine learning and training: domains of ONNX itself, which TensorRT never had
OTHER_DOMAINS = (
    refused("tree ensemble", "TreeEnsembleRegressor", {"x": (1, 4)}, domain="ai.onnx.ml", n_targets=1, nodes_modes=["LEAF"],
            nodes_featureids=[0], nodes_nodeids=[0], nodes_treeids=[0], nodes_values=[0.0], nodes_truenodeids=[0], nodes_falsenodeids=[0],
            target_ids=[0], target_nodeids=[0], target_treeids=[0], target_weights=[1.0]),
    refused("scaler of a pipeline", "Scaler", {"x": (1, 4)}, domain="ai.onnx.ml", offset=[0.0], scale=[1.0]),
    refused("linear classifier", "LinearClassifier", {"x": (1, 4)}, domain="ai.onnx.ml", coefficients=[1.0, 2.0, 3.0, 4.0],
            classlabels_ints=[0, 1], outputs=("y", "scores"), output_type=INT64),
)  # fmt: skip

# Importers that refuse an attribute, a mode or a further output
PARTS = (
    refused("dilated max pooling", "MaxPool", {"x": X}, kernel_shape=[3, 3], dilations=[2, 2]),
    refused("dilated average pooling", "AveragePool", {"x": X}, kernel_shape=[2, 2], dilations=[2, 2], opset=19),
    refused("max pooling with indices", "MaxPool", {"x": X}, kernel_shape=[3, 3], outputs=("y", "indices")),
    refused("column-major max pooling", "MaxPool", {"x": X}, kernel_shape=[3, 3], storage_order=1, outputs=("y", "indices")),
    refused("antialiased resize", "Resize", {"x": X}, opset=18, names=("x", "", "c"), mode="linear", antialias=1,
            weights=(constants(1, 1, 0.5, 0.5),)),
    refused("resize that keeps proportions", "Resize", {"x": X}, opset=18, names=("x", "", "", "c"), mode="linear",
            keep_aspect_ratio_policy="not_larger", weights=(models.integers("c", 2, 3, 5, 6),)),
    refused("resize of a region", "Resize", {"x": X}, names=("x", "roi", "c"), mode="linear",
            coordinate_transformation_mode="tf_crop_and_resize",
              weights=(constants(0, 0, 0, 0, 1, 1, 1, 1, name="roi"), constants(1, 1, 2, 2))),
    refused("normalization with its statistics", "LayerNormalization", {"x": (2, 4)}, weights=(models.weight("s", 4),),
            outputs=("y", "mean", "deviation")),
    refused("added scatter", "ScatterND", {"x": (4, 4), "i": ((2, 1), INT64), "u": (2, 4)}, reduction="add"),
    refused("multiplied scatter of elements", "ScatterElements", {"x": (4, 4), "i": ((1, 4), INT64), "u": (1, 4)}, opset=18,
            reduction="mul"),
    refused("attention with presents", "Attention", {"x": (2, 3, 4, 8), "k": (2, 3, 4, 8), "v": (2, 3, 4, 8), "pk": (2, 3, 2, 8),
            "pv": (2, 3, 2, 8)},
            names=("x", "k", "v", "", "pk", "pv"), opset=23, outputs=("y", "present_k", "present_v")),
    refused("batch normalization in training mode", "BatchNormalization", {"x": X}, training_mode=1, outputs=("y", "m", "v"),
            weights=tuple(models.weight(name, 3) for name in ("scale", "bias", "mean", "variance"))),
    refused("clipped LSTM", "LSTM", {"x": (5, 2, 4)}, hidden_size=3, input_forget=1,
            weights=(models.weight("w", 1, 12, 4), models.weight("r", 1, 12, 3))),
)  # fmt: skip


def several_refusals() -> Case:
    """Return a case whose first refusal, by the order of the nodes, counts."""
    nodes = [
        models.node("Relu", ["x"], ["a"], "activation"),
        models.node("Det", ["a"], ["b"], "first"),
        models.node("Unique", ["b"], ["y"], "second"),
    ]
    return Case("two refusals", "operators", "parse.unsupported_node", several_nodes(nodes, {"x": (2, 4, 4)}))


def inside_a_branch() -> Case:
    """Return a case whose operator lies in a branch of an If."""

    def make() -> Any:
        proto = models.branches(
            [models.node("Unique", ["x"], ["t"], "inside")], [models.node("Relu", ["x"], ["e"], "other")]
        )
        proto.graph.input[0].CopyFrom(models.value("x", (8,)))
        return proto

    return Case("operator inside a branch", "operators", "parse.unsupported_node", make, same=SAME["Unique"])


CASES = (*WHOLE, *OTHER_DOMAINS, *PARTS, several_refusals(), inside_a_branch())
