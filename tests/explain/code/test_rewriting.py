"""The changed script as a whole: everything else of its text stays, and notebooks stay notebooks."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

from tests.explain.code.scripts import OBJECTS, changed, rewritten
from trtlab.explain.code import check_code

BEFORE = '''\
#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""Build an engine.   (two spaces stay)"""
import  tensorrt as trt   # TensorRT


def build( onnx,half = False ):   # odd spacing stays
    """It says "config.max_workspace_size"."""
    builder=trt.Builder(trt.Logger( trt.Logger.INFO ))
    network = builder.create_network(1<<int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
    config = builder.create_builder_config()

    config.max_workspace_size=1<<30  # é 1 GiB
    builder.max_batch_size = 1
    # A comment.
    engine = builder.build_engine(network,config)
    for i in range(engine.num_bindings): print( engine.get_binding_name(i) , f"{engine.get_binding_shape(i)}" )
    return engine
'''
AFTER = '''\
#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""Build an engine.   (two spaces stay)"""
import  tensorrt_rtx as trt   # TensorRT


def build( onnx,half = False ):   # odd spacing stays
    """It says "config.max_workspace_size"."""
    builder=trt.Builder(trt.Logger( trt.Logger.INFO ))
    network = builder.create_network()
    config = builder.create_builder_config()

    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 1<<30)  # é 1 GiB
    # A comment.
    serialized_engine = builder.build_serialized_network(network, config)
    engine = trt.Runtime(builder.logger).deserialize_cuda_engine(serialized_engine) if serialized_engine is not None else None
    for i in range(engine.num_io_tensors): print( engine.get_tensor_name(i) , f"{engine.get_tensor_shape(engine.get_tensor_name(i))}" )
    return engine
'''  # fmt: skip


def test_a_whole_script() -> None:
    assert rewritten(BEFORE, "rtx-1.7") == AFTER
    report = check_code(BEFORE, release="rtx-1.7")
    assert all(finding.mechanical for finding in report.findings)
    assert check_code(AFTER, release="rtx-1.7").findings == ()


def test_a_script_without_anything_to_change_is_none() -> None:
    assert check_code("x = 1", release="10.8").changed is None
    assert check_code("import tensorrt as trt\ntrt.UffParser()", release="10.8").changed is None


def test_the_file_itself_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(BEFORE, "utf-8")
    assert check_code(path, release="rtx-1.7").changed == AFTER
    assert path.read_text("utf-8") == BEFORE


def test_places_inside_strings_are_right_or_left_alone() -> None:
    text = OBJECTS + 'x = f"""a\n{engine.num_bindings} é {engine.num_bindings}\n  {engine.get_binding_shape("x")}"""\n'
    after = check_code(text, release="10.8").changed or text
    ast.parse(after)
    if sys.version_info >= (3, 12):
        assert after == text.replace("num_bindings", "num_io_tensors").replace("get_binding_shape", "get_tensor_shape")
    assert len(after.splitlines()) == len(text.splitlines())


def test_new_names_never_hide_names_of_the_script() -> None:
    before = "def f(tensor_index, binding_index):\n    import tensor_address\n    context.execute_async_v2(b, 0)\n"
    after = changed(before)
    assert "for binding_index_, binding_address in enumerate(b):" in after


def test_the_module_goes_by_the_name_that_it_has_there() -> None:
    text = (
        "try:\n    import tensorrt as maybe\nexcept ImportError:\n    maybe = None\n"
        "def f(config: 'maybe.IBuilderConfig'):\n    config.max_workspace_size = 1\n"
        "class A:\n    import tensorrt as hidden\n"
        "def g(config):\n    import tensorrt as inner\n    config.max_workspace_size = 1\n"
    )
    after = rewritten(text)
    assert "config.set_memory_pool_limit(maybe.MemoryPoolType.WORKSPACE, 1)" in after
    assert "config.set_memory_pool_limit(inner.MemoryPoolType.WORKSPACE, 1)" in after


CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": ["builder.max_batch_size = 1\n"]},
    {
        "cell_type": "code",
        "execution_count": 3,
        "id": "é",
        "metadata": {"a": 1},
        "outputs": [{"x": "é"}],
        "source": ["%time import tensorrt as trt\n", "import tensorrt as trt"],
    },
    {
        "cell_type": "code",
        "source": ["!ls\n", "builder = trt.Builder(trt.Logger())\n", "builder.max_batch_size = 1"],
    },
    {
        "cell_type": "code",
        "source": "config = builder.create_builder_config()\nconfig.max_workspace_size = 1  # é\n",
    },
    {"cell_type": "code", "source": ["builder.max_batch_size = 1\n", "broken ("]},
]


def test_of_a_notebook_only_the_sources_of_cells_change(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    text = (
        json.dumps({"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1, ensure_ascii=False)
        + "\n"
    )
    path.write_text(text, "utf-8")
    after = check_code(path, release="10.8").changed
    assert after is not None
    cells = json.loads(after)["cells"]
    assert cells[:2] == CELLS[:2]
    assert cells[2]["source"] == ["!ls\n", "builder = trt.Builder(trt.Logger())\n"]
    assert cells[3]["source"] == (
        "config = builder.create_builder_config()\nconfig.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 1)  # é\n"
    )
    assert cells[4] == CELLS[4], "what could not be read stays"
    assert len(after.splitlines()) == len(text.splitlines()) - 1
    path.write_text(after, "utf-8")
    assert check_code(path, release="10.8").findings == ()


def test_a_setting_and_its_build_in_different_cells(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    sources = [
        "import tensorrt as trt\nbuilder = trt.Builder(trt.Logger())",
        "builder.fp16_mode = True",
        "engine = builder.build_cuda_engine(1)",
    ]
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": source} for source in sources]}))
    after = check_code(path, release="10.8").changed
    assert after is not None
    assert [cell["source"].splitlines()[-1] for cell in json.loads(after)["cells"]] == [
        "config = builder.create_builder_config()",
        "config.set_flag(trt.BuilderFlag.FP16)",
        "engine = trt.Runtime(builder.logger).deserialize_cuda_engine(serialized_engine) if serialized_engine is not None else None",
    ]


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "  # comment", "\r\n"])
def test_the_end_of_a_file(end: str) -> None:
    text = f"import tensorrt as trt{end if end.strip() else ''}\ndef f(engine):\n    return engine.num_bindings{end}"
    assert rewritten(text) == text.replace("num_bindings", "num_io_tensors")
