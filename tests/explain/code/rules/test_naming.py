"""Names that are called otherwise now, or always have the same value."""

from __future__ import annotations

import pytest

from tests.explain.code.scripts import changed, rewritten


@pytest.mark.parametrize(
    ("before", "after", "release"),
    [
        ("network.add_convolution(tensor, 1, (3, 3), w)  # c", "network.add_convolution_nd(tensor, 1, (3, 3), w)  # c", "10.8"),
        ("conv = network.add_convolution_nd(tensor, 1, (1, 1), w)\nconv.stride = (2,\n  2)",
         "conv = network.add_convolution_nd(tensor, 1, (1, 1), w)\nconv.stride_nd = (2,\n  2)", "10.8"),
        ("config.set_flag(trt.BuilderFlag.WEIGHTLESS)", "config.set_flag(trt.BuilderFlag.STRIP_PLAN)", "11.4"),
        ("f'{engine.device_memory_size}'", "f'{engine.device_memory_size_v2}'", "11.4"),
        ("trt.get_plugin_registry().plugin_creator_list", "trt.get_plugin_registry().all_creators", "11.4"),
        ("d = trt.DimsCHW(1, 2, 3)", "d = trt.Dims3(1, 2, 3)", "8.6"),
        ("trt.SliceMode.DEFAULT, trt.SliceMode.WRAP", "trt.SampleMode.STRICT_BOUNDS, trt.SampleMode.WRAP", "10.8"),
        ("trt.ResizeMode.NEAREST", "trt.InterpolationMode.NEAREST", "10.8"),
        ("if not engine.has_implicit_batch_dimension:\n    pass", "if not False:\n    pass", "11.4"),
        ("engine\\\n .num_bindings", "engine\\\n .num_io_tensors", "10.8"),
        ("# one\n(engine  # two\n  .num_bindings)  # three", "# one\n(engine  # two\n  .num_io_tensors)  # three", "10.8"),
    ],
)  # fmt: skip
def test_only_the_name_is_changed(before: str, after: str, release: str) -> None:
    assert changed(before, release) == after


def test_imported_names_keep_the_name_that_the_script_uses() -> None:
    text = "from tensorrt import (ResizeMode,  # mode\n    Logger)\nResizeMode.NEAREST\n"
    assert (
        rewritten(text)
        == "from tensorrt import (InterpolationMode as ResizeMode,  # mode\n    Logger)\nResizeMode.NEAREST\n"
    )
    text = "from tensorrt import DimsCHW as D\nD(1, 2, 3)\n"
    assert rewritten(text) == "from tensorrt import Dims3 as D\nD(1, 2, 3)\n"
    assert (
        rewritten("from tensorrt import SliceMode\nSliceMode.DEFAULT\n")
        == "from tensorrt import SliceMode\nSliceMode.DEFAULT\n"
    )


@pytest.mark.parametrize(
    ("before", "after", "release"),
    [
        ("import tensorrt as trt\n", "import tensorrt_rtx as trt\n", "rtx-1.7"),
        ("import os, tensorrt  # both\n", "import os, tensorrt_rtx as tensorrt  # both\n", "rtx-1.7"),
        ("from tensorrt import Logger\n", "from tensorrt_rtx import Logger\n", "rtx-1.7"),
        ("from  tensorrt  import (\n  Logger)\n", "from  tensorrt_rtx  import (\n  Logger)\n", "rtx-1.7"),
        ("import tensorrt_rtx as trt\n", "import tensorrt as trt\n", "11.4"),
        ("import tensorrt.plugin as p\n", "import tensorrt.plugin as p\n", "rtx-1.7"),
    ],
)
def test_the_module_of_the_other_flavour_is_imported_by_the_old_name(before: str, after: str, release: str) -> None:
    assert rewritten(before, release) == after


def test_a_newer_name_is_only_used_where_the_release_has_it() -> None:
    text = "config.set_flag(trt.BuilderFlag.STRICT_TYPES)"
    assert changed(text, "11.4") == text, "none of the flags that it became is in 11"
