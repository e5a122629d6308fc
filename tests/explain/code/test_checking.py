"""Which names of a script are found to be missing, and which are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.explain.code.scripts import OBJECTS, checked, symbols
from trtlab._errors import InputError
from trtlab._results import from_dict
from trtlab.explain.code import CodeReport, check_code

# A line, the name in it that is gone, and a release without it.
GONE = [
    ("config.max_workspace_size = 1 << 30", "IBuilderConfig.max_workspace_size", "10.0"),
    ("builder.max_workspace_size = 1 << 30", "Builder.max_workspace_size", "8.6"),
    ("builder.fp16_mode = True", "Builder.fp16_mode", "8.6"),
    ("builder.int8_mode = True", "Builder.int8_mode", "8.6"),
    ("builder.strict_type_constraints = True", "Builder.strict_type_constraints", "8.6"),
    ("builder.int8_calibrator = None", "Builder.int8_calibrator", "8.6"),
    ("builder.refittable = True", "Builder.refittable", "8.6"),
    ("builder.debug_sync = True", "Builder.debug_sync", "8.6"),
    ("builder.average_find_iterations = 2", "Builder.average_find_iterations", "8.6"),
    ("builder.build_cuda_engine(network)", "Builder.build_cuda_engine", "8.6"),
    ("builder.build_engine(network, config)", "Builder.build_engine", "10.0"),
    ("builder.max_batch_size = 8", "Builder.max_batch_size", "10.0"),
    ("builder.platform_has_fast_fp16", "Builder.platform_has_fast_fp16", "11.0"),
    ("builder.platform_has_fast_int8", "Builder.platform_has_fast_int8", "11.0"),
    ("config.set_flag(trt.BuilderFlag.FP16)", "BuilderFlag.FP16", "11.0"),
    ("config.set_flag(trt.BuilderFlag.INT8)", "BuilderFlag.INT8", "11.0"),
    ("config.set_flag(trt.BuilderFlag.STRICT_TYPES)", "BuilderFlag.STRICT_TYPES", "10.0"),
    ("config.int8_calibrator = None", "IBuilderConfig.int8_calibrator", "11.0"),
    ("trt.IInt8EntropyCalibrator2", "IInt8EntropyCalibrator2", "11.0"),
    ("trt.IInt8MinMaxCalibrator", "IInt8MinMaxCalibrator", "11.0"),
    ("trt.CalibrationAlgoType.ENTROPY_CALIBRATION_2", "CalibrationAlgoType", "11.0"),
    ("tensor.set_dynamic_range(-1, 1)", "ITensor.set_dynamic_range", "11.0"),
    ("layer.precision = trt.float16", "IIdentityLayer.precision", "11.0"),
    ("layer.set_output_type(0, trt.float16)", "IIdentityLayer.set_output_type", "11.0"),
    ("flags = 1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH)", "NetworkDefinitionCreationFlag.EXPLICIT_BATCH", "11.0"),
    ("engine.has_implicit_batch_dimension", "ICudaEngine.has_implicit_batch_dimension", "11.0"),
    ("network.add_convolution(tensor, 1, (3, 3), w)", "INetworkDefinition.add_convolution", "10.0"),
    ("network.add_fully_connected(tensor, 1, w)", "INetworkDefinition.add_fully_connected", "10.0"),
    ("network.add_rnn_v2(tensor, 1, 2, 3, op)", "INetworkDefinition.add_rnn_v2", "10.0"),
    ("engine.num_bindings", "ICudaEngine.num_bindings", "10.0"),
    ("engine.max_batch_size", "ICudaEngine.max_batch_size", "10.0"),
    ("engine.get_binding_name(0)", "ICudaEngine.get_binding_name", "10.0"),
    ("engine.get_binding_index('x')", "ICudaEngine.get_binding_index", "10.0"),
    ("engine.get_binding_shape(0)", "ICudaEngine.get_binding_shape", "10.0"),
    ("engine.get_binding_dtype(0)", "ICudaEngine.get_binding_dtype", "10.0"),
    ("engine.binding_is_input(0)", "ICudaEngine.binding_is_input", "10.0"),
    ("engine.get_profile_shape(0, 'x')", "ICudaEngine.get_profile_shape", "10.0"),
    ("engine.get_location(0)", "ICudaEngine.get_location", "10.0"),
    ("engine.device_memory_size", "ICudaEngine.device_memory_size", "11.0"),
    ("engine.create_execution_context_without_device_memory()", "ICudaEngine.create_execution_context_without_device_memory", "11.0"),
    ("context.execute_async_v2([1], 0)", "IExecutionContext.execute_async_v2", "10.0"),
    ("context.execute_async(1, [1], 0)", "IExecutionContext.execute_async", "10.0"),
    ("context.execute(1, [1])", "IExecutionContext.execute", "10.0"),
    ("context.set_binding_shape(0, (1,))", "IExecutionContext.set_binding_shape", "10.0"),
    ("context.get_binding_shape(0)", "IExecutionContext.get_binding_shape", "10.0"),
    ("context.active_optimization_profile = 1", "IExecutionContext.active_optimization_profile", "10.0"),
    ("tensor.dtype = trt.float16", "ITensor.dtype", "11.0"),
    ("trt.UffParser()", "UffParser", "10.0"),
    ("trt.CaffeParser()", "CaffeParser", "10.0"),
    ("trt.get_plugin_registry().plugin_creator_list", "IPluginRegistry.plugin_creator_list", "11.0"),
    ("parser.supports_model(b'')", "OnnxParser.supports_model", "11.0"),
    ("trt.infer.ConsoleLogger", "infer", "8.6"),
    ("trt.DimsCHW(1, 2, 3)", "DimsCHW", "8.6"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "symbol", "release"), GONE, ids=[symbol for _, symbol, _ in GONE])
def test_each_name_that_is_gone_is_found_with_what_replaces_it(line: str, symbol: str, release: str) -> None:
    report = checked(line, release)
    assert [finding.symbol for finding in report.findings] == [symbol]
    (finding,) = report.findings
    assert finding.line == OBJECTS.count("\n") + 1
    attribute = symbol.rpartition(".")[2]
    text = (OBJECTS + line).splitlines()[finding.line - 1]
    assert text[finding.column - 1 : finding.end_column - 1] == attribute
    assert finding.certain
    assert finding.replacement.en
    assert finding.replacement.zh
    assert finding.references
    assert finding.until or finding.kind == "other_flavour"


def test_an_older_release_still_has_them() -> None:
    assert symbols("config.max_workspace_size = 1\nengine.num_bindings\ncontext.execute_async_v2([1], 0)", "8.6") == []
    assert symbols("config.set_flag(trt.BuilderFlag.FP16)\ntensor.dtype = trt.float16", "10.16") == []
    assert symbols("builder.fp16_mode = True", "7.2") == []


def test_what_is_read_only_may_be_read() -> None:
    assert symbols("context.active_optimization_profile\nprint(tensor.dtype)", "11.4") == []


def test_names_that_only_newer_releases_have() -> None:
    (finding,) = checked("config.set_flag(trt.BuilderFlag.STRIP_PLAN)", "8.6").findings
    assert (finding.kind, finding.mechanical, finding.since) == ("later", False, "10.0.1")
    assert finding.sentence() == "BuilderFlag.STRIP_PLAN comes with TensorRT 10.0."
    assert symbols("config.set_flag(trt.BuilderFlag.STRIP_PLAN)", "8.2") == [], "8.2 was not read: nothing is claimed"


# --- How TensorRT comes into a script


@pytest.mark.parametrize(
    "text",
    [
        "import tensorrt as trt\ntrt.IInt8Calibrator",
        "import tensorrt\ntensorrt.IInt8Calibrator",
        "import numpy, tensorrt as t\nt.IInt8Calibrator",
        "from tensorrt import IInt8Calibrator",
        "from tensorrt import IInt8Calibrator as Base, Logger\nclass C(Base): pass",
        "import tensorrt as trt\nfrom tensorrt import tensorrt as inner\ninner.IInt8Calibrator",
        "import importlib\ntrt = importlib.import_module('tensorrt')\nimport tensorrt\ntrt.IInt8Calibrator",
        "from polygraphy import mod\ntrt = mod.lazy_import('tensorrt>=8')\nimport tensorrt\ntrt.IInt8Calibrator",
        "def load():\n    import tensorrt as trt\n    return trt\nload().IInt8Calibrator",
        "import tensorrt as trt\nshort = trt\nshort.IInt8Calibrator",
    ],
)
def test_every_way_to_import_it(text: str) -> None:
    report = check_code(text, release="11.4")
    assert [finding.symbol for finding in report.findings] == ["IInt8Calibrator"]
    assert report.uses_tensorrt


def test_everything_imported_at_once() -> None:
    report = check_code(
        "from tensorrt import *\nbuilder = Builder(Logger())\nbuilder.max_batch_size = 1\n", release="10.8"
    )
    assert [finding.symbol for finding in report.findings] == ["Builder.max_batch_size"]


@pytest.mark.parametrize(
    "text",
    [
        "engine.num_bindings\nbuilder.build_cuda_engine(network)",
        "from .tensorrt import IInt8Calibrator",
        "import tensorrt_llm\ntensorrt_llm.Builder().max_batch_size",
        "import torch_tensorrt as trt\ntrt.IInt8Calibrator",
        "class tensorrt: pass\ntensorrt.IInt8Calibrator",
        "'import tensorrt'",
    ],
)
def test_scripts_that_do_not_import_it_are_left_alone(text: str) -> None:
    report = check_code(text, release="11.4")
    assert report.findings == ()
    assert not report.uses_tensorrt
    assert "TensorRT is not imported" in repr(report)


def test_code_for_the_other_flavour() -> None:
    rtx = check_code("import tensorrt_rtx as trt\ntrt.Logger()", release="11.4")
    assert [(finding.kind, finding.symbol) for finding in rtx.findings] == [("module", "tensorrt_rtx")]
    tensorrt = check_code(
        "import tensorrt as trt\nconfig = trt.Builder(trt.Logger()).create_builder_config()\n", release="rtx-1.7"
    )
    assert [(finding.kind, finding.symbol) for finding in tensorrt.findings] == [("module", "tensorrt")]
    assert "Import tensorrt_rtx" in tensorrt.findings[0].replacement.en
    assert symbols("config.set_flag(trt.BuilderFlag.TF32)", "rtx-1.7") == ["tensorrt"]
    own = check_code("import tensorrt_rtx as trt\ntrt.RuntimeConfig\nc: trt.ComputeCapability", release="rtx-1.7")
    assert own.findings == ()
    only = check_code("import tensorrt as trt\ntrt.ComputeCapability", release="11.4").findings
    assert [(finding.kind, finding.sentence()) for finding in only] == [
        ("other_flavour", "ComputeCapability is in TensorRT-RTX only.")
    ]


def test_the_installed_release_is_the_default() -> None:
    report = check_code("import tensorrt_rtx as trt\ntrt.Builder(trt.Logger()).max_batch_size = 1\n")
    assert report.installed
    assert report.flavour == "tensorrt_rtx"
    assert [finding.symbol for finding in report.findings] == ["Builder.max_batch_size"]


# --- Following objects


@pytest.mark.parametrize(
    "text",
    [
        "with trt.Builder(logger) as b, b.create_builder_config() as c:\n    c.max_workspace_size = 1",
        "class Net:\n    def __init__(self):\n        self.c = config\n    def go(self):\n        self.c.max_workspace_size = 1",
        "class Net:\n    def __init__(self, c):\n        self.c = c\n    def go(self):\n        self.c.max_workspace_size = 1\nNet(config)",
        "def make(c):\n    c.max_workspace_size = 1\nmake(config)",
        "def make():\n    return config\nmake().max_workspace_size = 1",
        "def make(c: trt.IBuilderConfig):\n    c.max_workspace_size = 1",
        "def make(c: 'trt.IBuilderConfig | None'):\n    c.max_workspace_size = 1",
        "from typing import Optional\ndef make(c: Optional[trt.IBuilderConfig] = None):\n    c.max_workspace_size = 1",
        "def make() -> trt.IBuilderConfig: ...\nmake().max_workspace_size = 1",
        "pair = [config, config]\nfor c in pair:\n    c.max_workspace_size = 1",
        "a, (c, d) = 1, (config, 2)\nc.max_workspace_size = 1",
        "if (c := config):\n    c.max_workspace_size = 1",
        "c = config if engine else config\nc.max_workspace_size = 1",
        "c = None\nfor i in range(2):\n    if c: c.max_workspace_size = 1\n    c = config",
        "async def make(c):\n    async with c as d:\n        d.max_workspace_size = 1\nmake(config)",
        "import contextlib\n@contextlib.contextmanager\ndef given():\n    yield config\nwith given() as c:\n    c.max_workspace_size = 1",
        "class Own(trt.IBuilderConfig): pass\nOwn().max_workspace_size = 1",
        "match engine:\n    case _:\n        config.max_workspace_size = 1",
        "get = lambda: config\nget().max_workspace_size = 1",
        "try:\n    c = config\nfinally:\n    c.max_workspace_size = 1",
        "[c for c in [config] if c.max_workspace_size]",
        "class Net:\n    @property\n    def c(self):\n        return config\nNet().c.max_workspace_size = 1",
        "from contextlib import ExitStack\nwith ExitStack() as stack:\n    c = stack.enter_context(config)\n    c.max_workspace_size = 1",
    ],
)  # fmt: skip
def test_objects_are_followed_wherever_they_go(text: str) -> None:
    (finding,) = checked(text).findings
    assert finding.symbol == "IBuilderConfig.max_workspace_size"
    assert finding.certain


@pytest.mark.parametrize(
    "text",
    [
        "class Own:\n    num_bindings = 3\nOwn().num_bindings",
        "class Own:\n    def __init__(self):\n        self.max_batch_size = 1\n    def go(self):\n        return self.max_batch_size",
        "class Engine:\n    def build_engine(self): ...\nEngine().build_engine()",
        "import argparse\nargs = argparse.ArgumentParser().parse_args()\nargs.max_batch_size\nargs.max_workspace_size\nargs.fp16_mode",
        "import common\ncommon.build_engine(1)",
        "module.stride\nmodule.padding\nmodule.precision\nfile.destroy()",
        "[1].max_batch_size\n'x'.num_bindings",
        "'engine.num_bindings'  # engine.num_bindings",
        "self_made = dict(max_workspace_size=1)",
        "def max_workspace_size(): ...\nmax_workspace_size()",
    ],
)  # fmt: skip
def test_what_others_call_the_same_is_no_false_alarm(text: str) -> None:
    report = checked(text)
    assert report.findings == ()
    assert report.guarded == ()


def test_on_an_unknown_object_a_name_of_tensorrt_alone_is_reported_as_uncertain() -> None:
    report = check_code(
        "import tensorrt\ndef run(thing, my_engine, cfg):\n    thing.num_bindings\n    my_engine.num_bindings\n",
        release="10.8",
    )
    assert [(finding.certain, finding.mechanical) for finding in report.findings] == [(False, False), (False, True)]


def test_names_that_others_use_too_need_a_variable_that_says_what_it_is() -> None:
    text = "import tensorrt\ndef run(builder, trtConfig, args):\n    builder.max_batch_size\n    trtConfig.max_workspace_size\n"
    text += "    args.max_batch_size\n"
    assert [finding.line for finding in check_code(text, release="10.8").findings] == [3, 4]


def test_objects_of_earlier_cells_are_known_by_the_live_namespace() -> None:
    import tensorrt_rtx  # noqa: TID251 - a live object of the bindings is what is asked about here

    builder = tensorrt_rtx.Builder(tensorrt_rtx.Logger())
    namespace = {
        "rtx": tensorrt_rtx,
        "b": builder,
        "Kind": tensorrt_rtx.Builder,
        "other": object(),
        "text": "x",
        "unused": 1,
    }
    report = check_code(
        "b.max_batch_size = 1\nother.max_batch_size\nc = b.create_builder_config()\nc.max_workspace_size = 2",
        namespace=namespace,
    )
    assert [finding.symbol for finding in report.findings] == [
        "Builder.max_batch_size",
        "IBuilderConfig.max_workspace_size",
    ]
    assert (
        report.changed
        == "other.max_batch_size\nc = b.create_builder_config()\nc.set_memory_pool_limit(rtx.MemoryPoolType.WORKSPACE, 2)"
    )
    assert not check_code("1 + 1", namespace={"text": "x"}).uses_tensorrt


# --- The report


def test_findings_come_in_the_order_of_the_script_each_once() -> None:
    text = "def later():\n    engine.num_bindings\nfor i in range(3):\n    engine.num_bindings\nlater()\nlater()\nengine.num_bindings"
    assert [finding.line - OBJECTS.count("\n") for finding in checked(text).findings] == [2, 4, 7]


def test_reports_can_be_written_and_read_back() -> None:
    report = checked("config.max_workspace_size = 1\nif trt.__version__ < '10':\n    engine.num_bindings")
    assert from_dict(CodeReport, report.to_dict()) == report


def test_nothing_of_the_script_is_executed(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    check_code(f"import tensorrt\nopen({str(trace)!r}, 'w')\nraise SystemExit\n", release="10.8")
    assert not trace.exists()


def test_many_nested_loops_and_a_long_script_take_no_time() -> None:
    nested = (
        "".join(f"{' ' * depth}for i{depth} in engine:\n" for depth in range(40)) + " " * 40 + "engine.num_bindings"
    )
    assert symbols(nested) == ["ICudaEngine.num_bindings"]
    functions = "".join(
        f"def f{i}(engine):\n    for i in range(engine.num_bindings):\n        print(i)\n" for i in range(500)
    )
    assert len(checked(functions).findings) == 500


def test_a_wrong_release_is_an_input_error() -> None:
    with pytest.raises(InputError, match="is no release"):
        check_code("import tensorrt", release="newest")
