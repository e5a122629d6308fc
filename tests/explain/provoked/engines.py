"""Loading an engine on a machine that has no driver: whatever the file is, that is what TensorRT meets."""

from __future__ import annotations

from pathlib import Path

from tests import models
from tests.explain.provoked.case import Case
from tests.explain.provoked.files import LFS, PAGE

BUILD = """\
import sys
import tensorrt_rtx as trt

logger = trt.Logger(trt.Logger.{severity})
builder = trt.Builder(logger)
network = builder.create_network()
parser = trt.OnnxParser(network, logger)
parser.parse_from_file("model.onnx")
content = bytes(builder.build_serialized_network(network, builder.create_builder_config()))
"""
READ = """\
import sys
import tensorrt_rtx as trt

logger = trt.Logger(trt.Logger.{severity})
with open("model.engine", "rb") as stream:
    content = stream.read()
"""
LOAD = """\
runtime = trt.Runtime(logger)
engine = runtime.deserialize_cuda_engine(content)
"""
USE = LOAD + "context = engine.create_execution_context()\n"
CHECKED = LOAD + 'if engine is None:\n    sys.exit("Failed to load the engine")\n'


def loaded(name: str, truth: str, content: bytes | None, use: str = USE, *, edit: str = "") -> Case:
    """Return a case that loads a file, or, without one, an engine that it has just built and `edit` has changed."""

    def beside(folder: Path) -> None:
        (folder / "model.engine").write_bytes(content or b"")

    program = (READ if content is not None else BUILD) + edit + use
    return Case(
        name, "engines", truth, lambda: models.relu((1, 4)), beside=beside, program=program, through_trtlab=False, without_driver=True
    )  # fmt: skip


CASES = (
    loaded("good engine", "env.no_gpu", None),
    loaded("good engine, looked at", "env.no_gpu", None, CHECKED),
    loaded("good engine, asked for its tensors", "env.no_gpu", None, LOAD + "print(engine.num_io_tensors)\n"),
    loaded("half an engine", "deserialize.corrupt", None, edit="content = content[: len(content) // 2]\n"),
    loaded("engine without its end", "deserialize.corrupt", None, edit="content = content[:-1]\n"),
    loaded("head of an engine", "deserialize.corrupt", None, edit="content = content[:20]\n"),
    loaded("engine whose first bytes were overwritten", "deserialize.corrupt", None, edit='content = b"\\0\\1\\2\\3" + content[4:]\n'),
    loaded("empty engine file", "deserialize.corrupt", b""),
    loaded("ONNX file as an engine", "deserialize.corrupt", models.relu((1, 4)).SerializeToString()),
    loaded("web page as an engine", "deserialize.corrupt", PAGE),
    loaded("text as an engine", "deserialize.corrupt", LFS),
    loaded("PyTorch file as an engine", "deserialize.corrupt", b"PK\x03\x04" + bytes(2000)),
    Case("engine file that is not there", "engines", "file.not_found", program=READ.replace("model.engine", "weights/best.engine") + USE,
         through_trtlab=False),
)  # fmt: skip
