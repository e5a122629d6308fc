"""The Python API as people use it who write TensorRT 8 or 10 scripts, or who do not look at what a call returned."""

from __future__ import annotations

from collections.abc import Callable

import onnx

from tests import models
from tests.explain.provoked.case import Case, one_node

HEAD = """\
import numpy as np
import tensorrt_rtx as trt

logger = trt.Logger(trt.Logger.{severity})
builder = trt.Builder(logger)
network = builder.create_network()
config = builder.create_builder_config()
parser = trt.OnnxParser(network, logger)
with open("model.onnx", "rb") as stream:
    parser.parse(stream.read())
"""


def script(
    name: str,
    truth: str,
    lines: str,
    *,
    head: str = HEAD,
    model: Callable[[], onnx.ModelProto] | None = None,
    same: tuple[str, ...] = (),
) -> Case:
    """Return a case of a program; its model builds, if none is given."""
    made = model or (lambda: models.relu((1, 4)))
    return Case(name, "Python API", truth, made, program=head + lines, through_trtlab=False, same=same)


def removed(name: str, lines: str, *, head: str = HEAD) -> Case:
    return script(name, "api.removed", lines, head=head)


def misused(name: str, lines: str, *, head: str = HEAD) -> Case:
    return script(name, "api.misuse", lines, head=head)


BARE = "import numpy as np\nimport tensorrt_rtx as trt\n\nlogger = trt.Logger(trt.Logger.{severity})\nbuilder = trt.Builder(logger)\n"
CALIBRATOR = '''
class Calibrator(trt.IInt8EntropyCalibrator2):
    """Feeds random images."""

    def get_batch_size(self):
        return 8

config.int8_calibrator = Calibrator()
'''
REMOVED = (
    removed("flag for FP16", "config.set_flag(trt.BuilderFlag.FP16)\n"),
    removed("flag for INT8", "config.set_flag(trt.BuilderFlag.INT8)\n"),
    removed("flag for BF16", "config.set_flag(trt.BuilderFlag.BF16)\n"),
    removed("flag for strict types", "config.set_flag(trt.BuilderFlag.STRICT_TYPES)\n"),
    removed("flag for precision constraints", "config.set_flag(trt.BuilderFlag.OBEY_PRECISION_CONSTRAINTS)\n"),
    removed("explicit batch", "network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))\n", head=BARE),
    removed("explicit precision", "network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_PRECISION))\n",
            head=BARE),
    removed("largest batch of the builder", "builder.max_batch_size = 8\n", head=BARE),
    removed("workspace of the builder", "builder.max_workspace_size = 1 << 30\n", head=BARE),
    removed("workspace of the configuration", "config.max_workspace_size = 1 << 30\n"),
    removed("build_engine", "engine = builder.build_engine(network, config)\n"),
    removed("build_cuda_engine", "engine = builder.build_cuda_engine(network)\n"),
    removed("half precision of the builder", "builder.fp16_mode = True\n", head=BARE),
    removed("question for fast FP16", "if builder.platform_has_fast_fp16:\n    print('FP16')\n", head=BARE),
    removed("question for fast INT8", "if builder.platform_has_fast_int8:\n    print('INT8')\n", head=BARE),
    removed("calibrator", CALIBRATOR),
    removed("calibrator by minimum and maximum", "class Calibrator(trt.IInt8MinMaxCalibrator):\n    pass\n"),
    removed("calibrator of the configuration", "config.int8_calibrator = None\n"),
    removed("calibration profile", "config.set_calibration_profile(builder.create_optimization_profile())\n"),
    removed("number of bindings", "print(trt.ICudaEngine.num_bindings)\n", head=BARE),
    removed("shape of a binding", "print(trt.ICudaEngine.get_binding_shape)\n", head=BARE),
    removed("execution by bindings", "print(trt.IExecutionContext.execute_v2, trt.IExecutionContext.set_binding_shape)\n", head=BARE),
    removed("UFF parser", "parser = trt.UffParser()\n", head=BARE),
    removed("Caffe parser", "parser = trt.CaffeParser()\n", head=BARE),
    removed("fully connected layer",
            "network.add_fully_connected(network.get_input(0), 10, np.zeros((10, 4), np.float32), np.zeros(10, np.float32))\n"),
    removed("convolution in two dimensions", "network.add_convolution(network.get_input(0), 4, (3, 3), np.zeros(36, np.float32))\n"),
    removed("pooling in two dimensions", "network.add_pooling(network.get_input(0), trt.PoolingType.MAX, (2, 2))\n"),
    removed("precision of a layer", "network.get_layer(0).precision = trt.float16\n"),
    removed("type of an output", "network.get_layer(0).set_output_type(0, trt.float16)\n"),
    removed("dynamic range of a tensor", "network.get_input(0).dynamic_range = (-1.0, 1.0)\n"),
    removed("setter of a dynamic range", "network.get_input(0).set_dynamic_range(-1.0, 1.0)\n"),
    removed("selector of algorithms", "class Selector(trt.IAlgorithmSelector):\n    pass\n"),
    removed("least timing iterations", "config.min_timing_iterations = 4\n"),
    removed("quantization flag", "config.set_quantization_flag(trt.QuantizationFlag.CALIBRATE_BEFORE_FUSION)\n"),
    removed("implicit batch", "print(network.has_implicit_batch_dimension)\n"),
    removed("logger of TensorRT 4", "logger = trt.infer.ConsoleLogger(trt.infer.LogSeverity.INFO)\n", head=BARE),
    removed("type of a layer", "print(trt.LayerType.FULLY_CONNECTED)\n", head=BARE),
    removed("old verbosity", "config.profiling_verbosity = trt.ProfilingVerbosity.VERBOSE\n"),
    removed("name that is imported", "from tensorrt_rtx import IInt8EntropyCalibrator2\n", head=BARE),
)  # fmt: skip
WITHOUT_CALL_OF_BASE = """
class Logger(trt.ILogger):
    def __init__(self):
        self.lines = []

    def log(self, severity, message):
        self.lines.append(message)

builder = trt.Builder(Logger())
"""
WITHOUT_METHOD = """
class Logger(trt.ILogger):
    def __init__(self):
        trt.ILogger.__init__(self)

    def write(self, severity, message):
        print(message)

builder = trt.Builder(Logger())
network = builder.create_network()
print(builder.build_serialized_network(network, builder.create_builder_config()))
"""
MODULE = "import logging\nimport numpy as np\nimport tensorrt_rtx as trt\n"
MISUSED = (
    misused("no logger for the builder", "builder = trt.Builder()\n", head=MODULE),
    misused("no logger for the parser", "parser = trt.OnnxParser(network)\n"),
    misused("no logger for the runtime", "runtime = trt.Runtime()\n", head=MODULE),
    misused("Python's logger", "builder = trt.Builder(logging.getLogger('tensorrt'))\n", head=MODULE),
    misused("logger that does not call its base class", WITHOUT_CALL_OF_BASE, head=MODULE),
    misused("logger without its method", WITHOUT_METHOD, head=MODULE),
    misused("workspace as a fraction", "config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 4e9)\n"),
    misused("workspace without its pool", "config.set_memory_pool_limit(1 << 30)\n"),
    misused("type of NumPy for an input", "network.add_input('z', np.float32, (1, 4))\n"),
    misused("input without a shape", "network.add_input('z', trt.float32, None)\n"),
    misused("name as an output", "network.mark_output('y')\n"),
    misused("flag by its name", "config.set_flag('TF32')\n"),
    misused("build without a configuration", "plan = builder.build_serialized_network(network)\n"),
    misused("profile without its largest shape",
            "profile = builder.create_optimization_profile()\nprofile.set_shape('x', (1, 4), (2, 4))\n"),
    misused("profile with shapes as text",
            "profile = builder.create_optimization_profile()\nprofile.set_shape('x', '1x4', '2x4', '4x4')\n"),
    misused("path where bytes are wanted", "runtime = trt.Runtime(logger)\nengine = runtime.deserialize_cuda_engine('model.engine')\n"),
    misused("model object for the parser", "parser.parse(network)\n"),
    misused("target by its name", "config.set_compute_capability('SM86', 0)\n"),
    misused("list as a constant", "network.add_constant((2,), [1.0, 2.0])\n"),
    misused("batch as a number of a shape", "network.add_shuffle(network.get_input(0)).reshape_dims = '1, 4'\n"),
)  # fmt: skip
AND_ON = """\
plan = builder.build_serialized_network(network, config)
"""
LOAD = """\
runtime = trt.Runtime(logger)
engine = runtime.deserialize_cuda_engine(plan)
context = engine.create_execution_context()
"""
QUIET = HEAD.replace("{severity}", "INTERNAL_ERROR")


def det() -> onnx.ModelProto:
    return one_node("Det", {"x": (2, 4, 4)})()


def nameless_custom() -> onnx.ModelProto:
    return one_node("MySwish", {"x": (2, 4)}, domain="my.ops")()


def product() -> onnx.ModelProto:
    return one_node("MatMul", {"x": (2, 3), "w": (4, 5)})()


SAVE = AND_ON + 'with open("model.engine", "wb") as stream:\n    stream.write(plan)\n'
PASSED_ON = (
    script("None is loaded after a build without a profile", "config.profile_missing", AND_ON + LOAD, model=models.relu),
    script("None is saved after a build without a profile", "config.profile_missing", SAVE, model=models.relu),
    script("None is made bytes after a build without a profile", "config.profile_missing", AND_ON + "content = bytes(plan)\n",
           model=models.relu),
    script("refusal of the parser that nobody looked at", "parse.unsupported_node", SAVE, model=det),
    script("missing plugin that nobody looked at", "parse.plugin_missing", AND_ON + LOAD, model=nameless_custom),
    script("wrong shapes that nobody looked at", "parse.shape", SAVE, model=product),
    script("output of a network that was never parsed", "parse.unsupported_node", "print(network.get_output(0).shape)\n" + SAVE, model=det),
    script("silent logger, None is saved", "build.null_engine", SAVE, head=QUIET, model=models.relu),
    script("silent logger, None is measured", "build.null_engine", AND_ON + "print(plan.nbytes)\n", head=QUIET, model=models.relu),
    script("silent logger, None is loaded", "build.null_engine",
           AND_ON + "engine = trt.Runtime(logger).deserialize_cuda_engine(plan)\n", head=QUIET, model=models.relu),
    script("silent logger, None is made bytes", "build.null_engine", AND_ON + "content = bytearray(plan)\n", head=QUIET, model=models.relu),
)  # fmt: skip
IMPORTS = tuple(
    script(f"import of {name}", "env.library_missing", f"{line}\n", head="")
    for name, line in (
        ("tensorrt where only TensorRT-RTX is", "import tensorrt as trt"),
        ("pycuda", "import pycuda.driver as cuda\nimport pycuda.autoinit"),
        ("torch_tensorrt", "import torch_tensorrt"),
        ("torch2trt", "from torch2trt import torch2trt"),
        ("tensorrt_llm", "import tensorrt_llm"),
    )
)
FREED = script(
    "network that nobody holds", "worker.crash",
    'parser = trt.OnnxParser(builder.create_network(), logger)\nparser.parse(open("model.onnx", "rb").read())\nprint(parser.num_errors)\n',
    same=("api.misuse",),
)  # fmt: skip
CASES = (*REMOVED, *MISUSED, *PASSED_ON, *IMPORTS, FREED)
