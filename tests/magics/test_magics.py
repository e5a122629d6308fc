"""The magics in a real kernel: what a person would read below the cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [
    pytest.mark.notebook,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
REFUSED = """
import tensorrt_rtx as trt
logger = trt.Logger(trt.Logger.INFO)
builder = trt.Builder(logger)
network = builder.create_network(0)
engine = builder.build_serialized_network(network, builder.create_builder_config())
engine.nbytes
"""


def run(cells: list[str], folder: Path) -> list[Any]:
    """Execute cells below `%load_ext trtlab`; errors do not stop. Returns the outputs of each."""
    sources = ["%load_ext trtlab", *cells]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])  # type: ignore[no-untyped-call]
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": str(folder)}}
    ).execute()
    assert notebook.cells[0].outputs == []
    return [cell.outputs for cell in notebook.cells[1:]]


def html(outputs: Any) -> str:
    return "".join(output.data.get("text/html", "") for output in outputs if output.output_type == "display_data")


def streams(outputs: Any) -> str:
    return "".join(output.text for output in outputs if output.output_type == "stream")


def errors(outputs: Any) -> list[str]:
    return [output.ename for output in outputs if output.output_type == "error"]


def test_watch_shows_the_cause_of_what_c_plus_plus_wrote(tmp_path: Path) -> None:
    watched, python, native, fine = run(
        [
            f"%%trt_watch{REFUSED}",
            "%%trt_watch\nprint('[E] Error Code 2: OutOfMemory (Requested size was 5 bytes.)')\n1 + 1",
            (
                "%%trt_watch --lang zh\nimport os\n"
                "_ = os.system('echo \"[E] 3: getPluginCreator could not find plugin: <b>X</b> version: 1\"')"
            ),
            "%%trt_watch\nprint('all well')",
        ],
        tmp_path,
    )
    assert "at least one output" in streams(watched), "what C++ writes still appears"
    assert errors(watched) == ["AttributeError"], "and so does the exception"
    assert "parse.invalid_model" in html(watched)
    assert "build.out_of_memory" in html(python)
    assert "<b>X" not in html(native)
    assert "建议操作" in html(native)
    assert html(fine) == ""
    assert streams(fine) == "all well\n"


def test_watch_names_calls_that_are_gone(tmp_path: Path) -> None:
    (outputs,) = run(
        [
            "%%trt_watch --release 11.4\nimport tensorrt_rtx as trt\nbuilder = trt.Builder(trt.Logger())\nbuilder.max_workspace_size = 1"
        ],
        tmp_path,
    )
    shown = html(outputs) + "".join(str(output.get("data", {})) for output in outputs)
    assert "max_workspace_size" in shown
    assert "set_memory_pool_limit" in shown


def test_explain_a_name_a_cell_a_variable_and_the_last_exception(tmp_path: Path) -> None:
    name, cell, _, variable, _, last, wrong = run(
        [
            "%trt_explain INVALID_ARGUMENT",
            "%%trt_explain\n[E] Error Code 2: OutOfMemory (Requested size was 5 bytes.)",
            "log = '[E] Error Code 2: OutOfMemory (Requested size was 5 bytes.)'",
            "%trt_explain log",
            "import tensorrt_rtx\ntensorrt_rtx.IInt8EntropyCalibrator2",
            "%trt_explain",
            "%trt_explain --lang fr X",
        ],
        tmp_path,
    )
    assert "name.INVALID_ARGUMENT" in html(name)
    assert "build.out_of_memory" in html(cell)
    assert "build.out_of_memory" in html(variable)
    assert "api.removed" in html(last)
    assert "fr" in streams(wrong) + str(errors(wrong))


def test_every_failing_cell_where_that_is_wanted(tmp_path: Path) -> None:
    before, _, failing, other, well, _, after = run(
        [REFUSED, "%trt_explain --auto on", REFUSED, "1 / 0", "1 + 1", "%trt_explain --auto off", REFUSED], tmp_path
    )
    assert html(before) == ""
    assert "parse.invalid_model" in html(failing)
    assert html(other) == "", "a division by zero is none of TensorRT's business"
    assert html(well) == ""
    assert html(after) == ""


def test_it_can_be_unloaded(tmp_path: Path) -> None:
    _, _, gone = run(["%trt_explain --auto on", "%unload_ext trtlab", "%trt_explain INVALID_ARGUMENT"], tmp_path)
    assert "UsageError" in streams(gone)
