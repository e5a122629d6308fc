"""More of most families: cases that were written to check the rules after the others had shaped them."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from tests import models
from tests.explain.provoked.api_use import BARE, script
from tests.explain.provoked.building import choice, workspace
from tests.explain.provoked.case import one_node
from tests.explain.provoked.configuring import contradicting, missing, plan_of
from tests.explain.provoked.constants import given
from tests.explain.provoked.custom_operators import custom, in_default_domain
from tests.explain.provoked.data_types import mixed, wrong_type
from tests.explain.provoked.engines import loaded
from tests.explain.provoked.files import file, good, graph
from tests.explain.provoked.operators import refused
from tests.explain.provoked.shapes import exported_for_one, wrong

INT32, INT64, INT8, UINT8 = TensorProto.INT32, TensorProto.INT64, TensorProto.INT8, TensorProto.UINT8
FLOAT, HALF, BOOL, STRING = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BOOL, TensorProto.STRING
IMAGE = (1, 3, 8, 8)

OPERATORS = (
    refused("BitwiseOr", "BitwiseOr", {"x": ((2, 4), INT32), "w": ((2, 4), INT32)}, opset=18, output_type=INT32),
    refused("cumulative product", "CumProd", {"x": (2, 4)}, opset=26, weights=(numpy_helper.from_array(np.array(1, np.int64), "axis"),)),
    refused("length of a sequence", "SequenceEmpty", {"x": (2, 4)}, names=()),
    refused("optional value", "Optional", {"x": (2, 4)}),
    refused("average pooling with dilated windows in one dimension", "AveragePool", {"x": (1, 3, 16)}, kernel_shape=[3], dilations=[3],
            opset=19),
    refused("smallest of equals when scattering", "ScatterND", {"x": (4, 4), "i": ((2, 1), INT64), "u": (2, 4)}, opset=18, reduction="min"),
)  # fmt: skip
CUSTOM = (
    custom("rotary embedding of a framework", "RotaryPositionEmbedding", "vllm.ops", {"x": (1, 4, 8)}),
    custom("quantizer of a hardware vendor", "FixedPointQuantize", "ai.vendor.nodes"),
    in_default_domain("region of interest of a plugin", "PyramidROIAlign_TRT", pooled_size=7),
)
TYPES = (
    mixed("comparison of float and integer", "Greater", FLOAT, INT64, output_type=BOOL),
    mixed("concatenation of half and float", "Concat", HALF, FLOAT, axis=0),
    mixed("exclusive or of integers", "Xor", INT32, INT32, output_type=BOOL),
    wrong_type("string input of a tokenizer", one_node("Identity", {"x": ((1,), STRING)}, output_type=STRING)),
    wrong_type("unsigned 64-bit indices", one_node("Gather", {"x": (4, 4), "i": ((2,), TensorProto.UINT64)})),
    wrong_type("layer normalization of integers", one_node("LayerNormalization", {"x": ((2, 4), INT32)}, weights=(models.weight("s", 4),),
              output_type=INT32)),
)  # fmt: skip
SHAPES = (
    wrong("four matrices times three", "MatMul", {"x": (4, 2, 3), "w": (3, 3, 5)}),
    wrong("division of different lengths", "Div", {"x": (7,), "w": (3,)}),
    wrong("axis of a sort", "TopK", {"x": (2, 6)}, axis=3, weights=(models.integers("k", 2),), outputs=("y", "i")),
    wrong("axis of a maximum", "ArgMax", {"x": (2, 3)}, axis=4, output_type=INT64),
    wrong("axis of a cumulative sum", "CumSum", {"x": (2, 4)}, weights=(numpy_helper.from_array(np.array(5, np.int64), "axis"),)),
    wrong("space that blocks do not divide", "SpaceToDepth", {"x": (1, 3, 7, 7)}, blocksize=2),
    wrong("kernel of another size than its weights", "Conv", {"x": IMAGE}, kernel_shape=[5, 5], weights=(models.weight("w", 4, 3, 3, 3),)),
    wrong("rank of a general product", "Gemm", {"x": (2, 3, 4), "w": (4, 5)}),
    wrong("indices of another rank", "GatherElements", {"x": (2, 3), "i": ((2,), INT64)}),
    wrong("labels of an Einstein sum", "Einsum", {"x": (2, 3), "w": (3, 4)}, equation="ijk,kl->il"),
    wrong("three dimensions made two", "Reshape", {"x": (2, 3, 5)}, weights=(models.integers("s", 6, 6),)),
    wrong("deconvolution of a vector", "ConvTranspose", {"x": (3, 8)}, weights=(models.weight("w", 3, 4, 3, 3),)),
    wrong("bias of a convolution", "Conv", {"x": (1, 3, 8, 8)}, weights=(models.weight("w", 4, 3, 3, 3), models.weight("b", 6))),
    exported_for_one(
        "heads for a batch of one",
        [models.node("Reshape", ["x", "s"], ["h"], "heads"), models.node("Softmax", ["h"], ["y"], "weights", axis=-1)],
        {"x": ("batch", 16)}, plan_of({"x": ((1, 16), (2, 16), (4, 16))}), weights=(models.integers("s", 1, 4, 4),)),
)  # fmt: skip
CONSTANTS = (
    given("axes of a product", "ReduceProd", {"x": (2, 4), "a": ((1,), INT64)}, opset=18),
    given("axes of a norm", "ReduceL2", {"x": (2, 4), "a": ((1,), INT64)}, opset=18),
    given("zero point that is an input", "DequantizeLinear", {"x": ((2, 4), INT8), "s": (), "z": ((), INT8)}),
)


def graph_without_its_first_node() -> onnx.ModelProto:
    proto = models.chain(3)
    del proto.graph.node[0]
    return proto


FILES = (
    file("reply of a server", lambda: b'{"error": "Repository not found"}'),
    file("half of a download", lambda: models.SAMPLES.joinpath("transformer.onnx").read_bytes()[:70_001]),
    file("zeros", lambda: bytes(5000)),
    file("compressed", lambda: b"\x1f\x8b\x08" + good()),
    graph("first node that was removed", graph_without_its_first_node),
)
PROFILES = (
    missing("no profile for a sequence", one_node("Softmax", {"x": (1, "length", 8)})),
    contradicting("two more channels", models.convolution, plan_of({"x": ((1, 5, 8, 8), (2, 5, 8, 8), (4, 5, 8, 8))})),
    contradicting("rank of five", models.convolution, plan_of({"x": (1, 1, 3, 8, 8)})),
)
BUILDING = (
    workspace("deconvolution in a kilobyte of workspace", one_node("ConvTranspose", {"x": (1, 64, 28, 28)},
              weights=(models.weight("w", 64, 64, 3, 3),))),
    choice("branch that keeps a single number", "parse.shape", [models.node("ReduceMean", ["x"], ["t"], "in_t", keepdims=0)],
           [models.node("Sigmoid", ["x"], ["e"], "in_e")]),
    choice("branches of float and Boolean", "parse.dtype", [models.node("Relu", ["x"], ["t"], "in_t")],
           [models.node("Cast", ["x"], ["e"], "in_e", to=BOOL)]),
)  # fmt: skip
API = (
    script("flag for FP8", "api.removed", "config.set_flag(trt.BuilderFlag.FP8)\n"),
    script("refittable builder", "api.removed", "builder.refittable = True\n", head=BARE),
    script("safe engine", "api.removed", "config.algorithm_selector = None\n"),
    script("calibration cache", "api.removed", "class Calibrator(trt.IInt8EntropyCalibrator):\n    pass\n"),
    script("deconvolution in two dimensions", "api.removed",
           "network.add_deconvolution(network.get_input(0), 4, (3, 3), np.zeros(36, np.float32))\n"),
    script("output by its number", "api.misuse", "network.unmark_output(0)\n"),
    script("level of optimization as text", "api.misuse", "config.builder_optimization_level = '3'\n"),
    script("file where its content is wanted", "api.misuse", "parser.parse(open('model.onnx'))\n"),
    script("None is parsed on after wrong channels", "parse.shape",
           "plan = builder.build_serialized_network(network, config)\n"
           "trt.Runtime(logger).deserialize_cuda_engine(plan).create_execution_context()\n",
           model=one_node("Conv", {"x": IMAGE}, weights=(models.weight("w", 4, 9, 3, 3),))),
)  # fmt: skip
ENGINES = (
    loaded(
        "three quarters of an engine", "deserialize.corrupt", None, edit="content = content[: len(content) * 3 // 4]\n"
    ),
    loaded("JSON as an engine", "deserialize.corrupt", b'{"imgsz": [640, 640], "names": {"0": "person"}}' * 20),
)
CASES = (*OPERATORS, *CUSTOM, *TYPES, *SHAPES, *CONSTANTS, *FILES, *PROFILES, *BUILDING, *API, *ENGINES)
