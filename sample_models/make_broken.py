"""Make the folder broken/: models that fail, each for one reason that people meet in practice.

Most are the same small convolutional network with one thing wrong, so that what differs is what breaks it.
`build_healthy` is that network with nothing wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from make_transformer import FILE as TRANSFORMER_FILE
from make_transformer import build_transformer
from onnx import TensorProto, helper, numpy_helper
from sample_writing import (
    GraphWriter,
    finish_model,
    float_tensor,
    integer_tensor,
    rename_output,
    run_script,
    write_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FOLDER = "broken"
SEED = 3
CUSTOM_DOMAIN = "com.example"
TRUNCATED_BYTES = 4096
ATTENTION_OPSET, ATTENTION_IR_VERSION = 23, 10

WEB_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><title>Sign in to continue</title></head>
<body>
<h1>Sign in to continue</h1>
<p>The file you asked for is only for members of this project.</p>
</body>
</html>
"""

GIT_LFS_POINTER = """version https://git-lfs.github.com/spec/v1
oid sha256:6c3c624b58dbbcd3c0dd82b4c53f04194d1247c6eebdaab7c610cf7d66709b3b
size 102530333
"""


def seeded(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return random numbers that are the same on every machine."""
    return (np.random.default_rng(SEED).random(shape) - 0.5).astype(np.float32)


def build_healthy(channels: int = 3) -> onnx.ModelProto:
    """Return the network that the others break: convolution, Relu, global average, fully connected layer.

    Args:
        channels: How many input channels the convolution's weights are made for; the image has three.
    """
    writer = GraphWriter()
    kernel = writer.weight("features.conv.weight", seeded((4, channels, 3, 3)))
    value = writer.node("Conv", ["image", kernel], "/features/conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    value = writer.node("Relu", [value], "/features/relu")
    value = writer.node("Flatten", [writer.node("GlobalAveragePool", [value], "/features/pool")], "/flatten")
    matrix = writer.weight("classifier.weight", seeded((10, 4)))
    rename_output(writer, writer.node("Gemm", [value, matrix], "/classifier", transB=1), "logits")
    graph = writer.graph(
        "network", [float_tensor("image", ["batch", 3, 8, 8])], [float_tensor("logits", ["batch", 10])]
    )
    return finish_model(graph, "A small convolutional network.")


def build_missing_initializer() -> onnx.ModelProto:
    """Return the network without the weights of its convolution, as a careless graph surgery leaves it."""
    model = build_healthy()
    del model.graph.initializer[0]
    return model


def build_cycle() -> onnx.ModelProto:
    """Return a network in which two nodes wait for each other."""
    writer = GraphWriter()
    writer.node("Add", ["image", "/gate_output"], "/mix")
    value = writer.node("Sigmoid", ["/mix_output"], "/gate")
    writer.nodes.append(helper.make_node("Relu", [value], ["logits"], name="/relu"))
    shape: list[str | int] = ["batch", 3, 8, 8]
    return finish_model(
        writer.graph("cycle", [float_tensor("image", shape)], [float_tensor("logits", shape)]),
        "A network in which two nodes wait for each other.",
    )


def build_mismatched_channels() -> onnx.ModelProto:
    """Return the network with a convolution made for four channels, fed with three."""
    return build_healthy(channels=4)


def build_unsupported_operator() -> onnx.ModelProto:
    """Return a network with an operator that the ONNX standard has and TensorRT's parser refuses: Det."""
    writer = GraphWriter()
    turned = writer.node("Transpose", ["features"], "/gram/Transpose", perm=[0, 2, 1])
    gram = writer.node("MatMul", ["features", turned], "/gram/MatMul")
    volume = writer.node("Det", [gram], "/gram/Det")
    rename_output(writer, writer.node("Sqrt", [volume], "/volume"), "volume")
    graph = writer.graph("volume", [float_tensor("features", ["batch", 4, 16])], [float_tensor("volume", ["batch"])])
    return finish_model(graph, "The volume spanned by four feature vectors, by way of a determinant.")


def build_custom_operator() -> onnx.ModelProto:
    """Return the network with an operator of a domain of its own, for which there is no plugin."""
    model = build_healthy()
    relu = next(node for node in model.graph.node if node.op_type == "Relu")
    relu.op_type = "LearnedSwish"
    relu.domain = CUSTOM_DOMAIN
    relu.name = "/features/swish"
    relu.attribute.append(helper.make_attribute("beta", 1.5))
    model.opset_import.append(helper.make_opsetid(CUSTOM_DOMAIN, 1))
    return model


def build_int16_input() -> onnx.ModelProto:
    """Return a network whose input is of a type that TensorRT does not have: 16-bit integers, as of raw audio."""
    writer = GraphWriter()
    as_float = writer.node("Cast", ["samples"], "/Cast", to=TensorProto.FLOAT)
    scale = writer.weight("scale", np.float32(1.0 / 32768.0))
    rename_output(writer, writer.node("Mul", [as_float, scale], "/Mul"), "signal")
    samples = helper.make_tensor_value_info("samples", TensorProto.INT16, ["batch", 16])
    graph = writer.graph("audio", [samples], [float_tensor("signal", ["batch", 16])])
    return finish_model(graph, "Scales 16-bit audio samples to -1 to 1.")


def build_batch_baked_in() -> onnx.ModelProto:
    """Return the network with a Reshape to [1, 4] in place of Flatten: the exporter saw one sample."""
    model = build_healthy()
    flatten = next(node for node in model.graph.node if node.op_type == "Flatten")
    flatten.op_type = "Reshape"
    flatten.name = "/reshape"
    flatten.input.append("flat_shape")
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 4], dtype=np.int64), "flat_shape"))
    return model


def build_branch_ranks() -> onnx.ModelProto:
    """Return a network with an If whose branches give tensors of different rank: one drops the last dimension."""
    whole, short = GraphWriter(), GraphWriter()
    kept = whole.node("Relu", ["features"], "/keep/Relu")
    summed = short.node("ReduceMax", ["features"], "/pool/ReduceMax", axes=[1], keepdims=0)
    writer = GraphWriter()
    mean = writer.node("ReduceMean", ["features"], "/mean", keepdims=0)
    positive = writer.node("Greater", [mean, writer.weight("limit", np.float32(0.0))], "/positive")
    writer.nodes.append(
        helper.make_node(
            "If",
            [positive],
            ["/choice_output"],
            name="/choice",
            then_branch=whole.graph("keep", [], [float_tensor(kept, ["batch", 16])]),
            else_branch=short.graph("pool", [], [float_tensor(summed, ["batch"])]),
        )
    )
    # What follows takes any rank, so that the model is valid ONNX, which allows branches to differ.
    rename_output(writer, writer.node("ReduceSum", ["/choice_output"], "/total", keepdims=0), "total")
    return finish_model(
        writer.graph("branch_ranks", [float_tensor("features", ["batch", 16])], [float_tensor("total", [])]),
        "An If with branches of rank 2 and rank 1.",
    )


def build_several_refused() -> onnx.ModelProto:
    """Return a network with six nodes that TensorRT refuses, each for another reason, and good ones between them.

    Opset 23, the first with Attention. In the order of the graph: Resize (an attribute), Attention (parses, and the builder has no
    kernel for it in float32), LearnedSwish (no plugin), Det in a branch of an If, BitwiseNot (no such operator), and ReduceSum
    (axes known only at run time).
    """
    writer = GraphWriter()
    value = _convolution(writer, "image", "/encoder/stem", channels=3)
    scales = writer.weight("encoder.scales", np.array([1, 1, 0.5, 0.5], np.float32))
    value = writer.node("Resize", [value, "", scales], "/encoder/shrink/Resize", mode="cubic", antialias=1)
    value = _convolution(writer, value, "/encoder/block")
    key = writer.node("Tanh", [value], "/encoder/attention/key")
    values = writer.node("Sigmoid", [value], "/encoder/attention/value")
    value = writer.node("Attention", [value, key, values], "/encoder/attention/Attention")
    value = writer.node("LearnedSwish", [value], "/decoder/gate/LearnedSwish", domain=CUSTOM_DOMAIN, beta=1.5)
    value = _convolution(writer, value, "/decoder/block")
    value = _choice(writer, value)
    bits = writer.node("Cast", [value], "/head/mask/Cast", to=TensorProto.INT32)
    bits = writer.node("BitwiseNot", [bits], "/head/mask/BitwiseNot")
    mask = writer.node("Cast", [bits], "/head/mask/Cast_1", to=TensorProto.FLOAT)
    value = writer.node("Mul", [value, mask], "/head/mask/Mul")
    value = writer.node("ReduceSum", [value, "axes"], "/head/ReduceSum", keepdims=1)
    rename_output(writer, writer.node("Softplus", [value], "/head/Softplus"), "scores")
    inputs = [float_tensor("image", [1, 3, 16, 16]), _condition("detailed"), integer_tensor("axes", [1])]
    shape = ["scores_0", "scores_1", "scores_2", "scores_3"]
    graph = writer.graph("several_refused", inputs, [float_tensor("scores", shape)])
    model = finish_model(graph, "A network with six nodes that TensorRT refuses.", domains=[CUSTOM_DOMAIN])
    model.opset_import[0].version, model.ir_version = ATTENTION_OPSET, ATTENTION_IR_VERSION
    return model


def _condition(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.BOOL, [])


def _convolution(writer: GraphWriter, value: str, name: str, channels: int = 8) -> str:
    kernel = writer.weight(f"{name.strip('/').replace('/', '.')}.weight", seeded((8, channels, 3, 3)))
    value = writer.node("Conv", [value, kernel], f"{name}/Conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    return writer.node("Relu", [value], f"{name}/Relu")


def _choice(writer: GraphWriter, value: str) -> str:
    """Append an If; one branch scales by determinants, the other does not."""
    detailed, plain = GraphWriter(), GraphWriter()
    volume = detailed.node("Det", [value], "/head/detailed/Det")
    axes = detailed.integers("head.detailed.axes", [2, 3])
    volume = detailed.node("Unsqueeze", [volume, axes], "/head/detailed/Unsqueeze")
    scaled = detailed.node("Mul", [value, volume], "/head/detailed/Mul")
    kept = plain.node("Elu", [value], "/head/plain/Elu")
    shape = [1, 8, 8, 8]
    branches = {
        "then_branch": detailed.graph("detailed", [], [float_tensor(scaled, shape)]),
        "else_branch": plain.graph("plain", [], [float_tensor(kept, shape)]),
    }
    return writer.node("If", ["detailed"], "/head/choice", **branches)


def with_external_weights(location: str) -> onnx.ModelProto:
    """Return the network with the weights of its convolution in another file."""
    model = build_healthy()
    weight = model.graph.initializer[0]
    length = len(weight.raw_data)
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(length))):
        weight.external_data.add(key=key, value=value)
    return model


def build_external_data_missing() -> onnx.ModelProto:
    """Return the network with weights in a file that was not copied along."""
    return with_external_weights("external_data_missing.weights.bin")


def build_external_data_escapes() -> onnx.ModelProto:
    """Return the network with "weights" read from a file outside of the model's folder.

    That file exists: what a loader that follows the path gets is the first bytes of another model.
    """
    return with_external_weights(f"../{TRANSFORMER_FILE}")


def truncated_bytes() -> bytes:
    """Return the first bytes of a good model, as an interrupted download leaves them."""
    whole: bytes = build_transformer().SerializeToString()
    return whole[:TRUNCATED_BYTES]


MODELS: dict[str, Callable[[], onnx.ModelProto]] = {
    "missing_initializer.onnx": build_missing_initializer,
    "cycle.onnx": build_cycle,
    "mismatched_channels.onnx": build_mismatched_channels,
    "unsupported_operator.onnx": build_unsupported_operator,
    "custom_operator.onnx": build_custom_operator,
    "int16_input.onnx": build_int16_input,
    "batch_baked_in.onnx": build_batch_baked_in,
    "branch_ranks.onnx": build_branch_ranks,
    "several_refused.onnx": build_several_refused,
    "external_data_missing.onnx": build_external_data_missing,
    "external_data_escapes.onnx": build_external_data_escapes,
}

FILES: dict[str, Callable[[], bytes]] = {
    "empty.onnx": bytes,
    "truncated.onnx": truncated_bytes,
    "html.onnx": WEB_PAGE.encode,
    "git_lfs_pointer.onnx": GIT_LFS_POINTER.encode,
}


def make(folder: Path) -> None:
    """Write all broken models into the subfolder broken/ of a folder."""
    for name, content in FILES.items():
        write_file(folder / FOLDER / name, content())
    for name, build in MODELS.items():
        write_file(folder / FOLDER / name, build().SerializeToString())


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the models below the folder given on the command line."""
    run_script(__doc__, make, arguments)


if __name__ == "__main__":
    main()
