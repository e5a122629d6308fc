"""Files that are no models, models that are incomplete, and graphs that break ONNX's rules."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import onnx

from tests import models
from tests.explain.provoked.case import Case, one_node

INVALID = "parse.invalid_model"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 97781949\n"
PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>The file was not found.</body></html>\n"
    * 20
)


def file(name: str, content: Callable[[], bytes]) -> Case:
    return Case(name, "files", INVALID, content=content)


def graph(name: str, make: Callable[[], onnx.ModelProto]) -> Case:
    return Case(name, "files", INVALID, make)


def good() -> bytes:
    return models.convolution().SerializeToString()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
        archive.writestr("archive/data/0", bytes(400))
    return stream.getvalue()


def tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("model.onnx")
        member.size = len(good())
        archive.addfile(member, io.BytesIO(good()))
    return stream.getvalue()


FILES = (
    file("empty file", lambda: b""),
    file("web page", lambda: PAGE),
    file("pointer of Git LFS", lambda: LFS),
    file("archive of PyTorch", zipped),
    file("packed archive", tarred),
    file("JSON", lambda: json.dumps({"model_type": "bert", "hidden_size": 768}, indent=2).encode()),
    file("TensorFlow Lite", lambda: b"\x1c\x00\x00\x00TFL3\x14\x00\x20\x00" + bytes(range(256)) * 4),
    file("engine as a model", lambda: b"ftrt" + bytes(range(256)) * 40),
    file("picture", lambda: b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 4),
    file("cut after ten bytes", lambda: good()[:10]),
    file("cut in the middle", lambda: good()[: len(good()) // 2]),
    file("cut in the weights", lambda: models.SAMPLES.joinpath("digits.onnx").read_bytes()[:20_000]),
    file("cut before its last byte", lambda: good()[:-1]),
    file("overwritten in the middle", lambda: good()[:100] + b"\xff" * 60 + good()[160:]),
)


# Graphs


def missing_weight() -> onnx.ModelProto:
    proto = models.convolution()
    del proto.graph.initializer[:]
    return proto


def missing_input() -> onnx.ModelProto:
    nodes = [models.node("Add", ["x", "offset_that_was_cut_off"], ["y"], "sum")]
    return models.model(nodes, [models.value("x", (2, 4))], [models.value("y", (2, 4))])


def cycle() -> onnx.ModelProto:
    nodes = [models.node("Add", ["x", "b"], ["a"], "one"), models.node("Relu", ["a"], ["b"], "two")]
    return models.model(nodes, [models.value("x", (2, 4))], [models.value("b", (2, 4))])


def reads_itself() -> onnx.ModelProto:
    nodes = [models.node("Add", ["x", "y"], ["y"], "loop")]
    return models.model(nodes, [models.value("x", (2, 4))], [models.value("y", (2, 4))])


def no_nodes() -> onnx.ModelProto:
    return models.model([], [models.value("x", (2, 4))], [models.value("y", (2, 4))])


def no_outputs() -> onnx.ModelProto:
    proto = models.relu((2, 4))
    del proto.graph.output[:]
    return proto


def output_that_nothing_makes() -> onnx.ModelProto:
    proto = models.relu((2, 4))
    proto.graph.output[0].name = "probabilities"
    return proto


def no_graph() -> onnx.ModelProto:
    proto = models.relu((2, 4))
    proto.ClearField("graph")
    return proto


def short_weight() -> onnx.ModelProto:
    """Return a model whose weight has fewer bytes than its shape needs."""
    proto = models.convolution()
    proto.graph.initializer[0].raw_data = proto.graph.initializer[0].raw_data[:-40]
    return proto


def tensor_made_twice() -> onnx.ModelProto:
    nodes = [models.node("Relu", ["x"], ["y"], "one"), models.node("Sigmoid", ["x"], ["y"], "two")]
    return models.model(nodes, [models.value("x", (2, 4))], [models.value("y", (2, 4))])


def input_twice() -> onnx.ModelProto:
    nodes = [models.node("Relu", ["x"], ["y"], "one")]
    values = [models.value("x", (2, 4)), models.value("x", (2, 4))]
    return models.model(nodes, values, [models.value("y", (2, 4))])


def branch_without_output() -> onnx.ModelProto:
    proto = models.branches([models.node("Relu", ["x"], ["t"], "then")], [models.node("Relu", ["x"], ["e"], "else")])
    proto.graph.input[0].CopyFrom(models.value("x", (2, 4)))
    del proto.graph.node[0].attribute[0].g.output[:]
    return proto


def branch_reads_nothing() -> onnx.ModelProto:
    proto = models.branches([models.node("Relu", ["gone"], ["t"], "then")], [models.node("Relu", ["x"], ["e"], "else")])
    proto.graph.input[0].CopyFrom(models.value("x", (2, 4)))
    return proto


GRAPHS = (
    graph("weight that was removed", missing_weight),
    graph("input that was removed", missing_input),
    graph("circle of two nodes", cycle),
    graph("node that reads itself", reads_itself),
    graph("no nodes", no_nodes),
    graph("no outputs", no_outputs),
    graph("output that nothing makes", output_that_nothing_makes),
    graph("no graph", no_graph),
    graph("weight with too few bytes", short_weight),
    graph("tensor made twice", tensor_made_twice),
    graph("input given twice", input_twice),
    graph("branch without an output", branch_without_output),
    graph("branch that reads what is not there", branch_reads_nothing),
    graph("operator without an input", one_node("Relu", {"x": (2, 4)}, names=())),
    graph("operator without its second input", one_node("MatMul", {"x": (2, 4)})),
)  # fmt: skip


# Weights in other files. Both pages of the catalog are right: the model is invalid, and its external data are missing.


def external(name: str, size: int | None, *, length: int = 432, offset: int | None = None) -> Case:
    def make() -> onnx.ModelProto:
        proto = models.convolution()
        weight = proto.graph.initializer[0]
        weight.CopyFrom(models.external(weight, "model.onnx.data", offset=offset, length=length))
        weight.ClearField("raw_data")
        return proto

    def beside(folder: Path) -> None:
        if size is not None:
            (folder / "model.onnx.data").write_bytes(bytes(size))

    return Case(name, "files", INVALID, make, beside=beside, same=("parse.external_data",))


EXTERNAL = (
    external("weights that were not copied along", None),
    external("weights that are too short", 100),
    external("weights that begin behind the end", 432, offset=4096),
    external("empty file of weights", 0),
)
PARSER = """\
import tensorrt_rtx as trt

logger = trt.Logger(trt.Logger.{severity})
builder = trt.Builder(logger)
network = builder.create_network()
parser = trt.OnnxParser(network, logger)
"""
MISSING_FILE = Case(
    "file that is not there", "files", "file.not_found", content=lambda: b"", through_trtlab=False,
    program=PARSER + """\
with open("weights/best.onnx", "rb") as stream:
    parser.parse(stream.read())
""",
)  # fmt: skip
MISSING_FOR_THE_PARSER = Case(
    "file that is not there, read by the parser", "files", "file.not_found", content=lambda: b"", through_trtlab=False,
    program=PARSER + """\
if not parser.parse_from_file("weights/best.onnx"):
    for index in range(parser.num_errors):
        print(parser.get_error(index))
""",
)  # fmt: skip
CASES = (*FILES, *GRAPHS, *EXTERNAL, MISSING_FILE, MISSING_FOR_THE_PARSER)
