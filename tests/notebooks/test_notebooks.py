"""Every committed notebook runs from top to bottom in a real kernel, and is committed without outputs."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from trtlab.explain.catalog import catalog

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# The kernel's own remark about TCP, and what nbclient leaves for the garbage collector, are no findings about a notebook.
pytestmark = [
    pytest.mark.notebook,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the notebooks beside the sample models, as `trtlab lab` lays them out."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copytree(ROOT / "sample_models", folder / "sample_models")
    (folder / "notebooks").mkdir()
    return folder / "notebooks"


def execute(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a notebook and return it with its outputs; an exception in a cell fails the test with its traceback."""
    monkeypatch.setenv("TRTLAB_CACHE_DIR", str(folder / "cache"))
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook


def texts(notebook: Any) -> str:
    """Return all that a person would read below the cells."""
    parts = []
    for cell in notebook.cells:
        parts += [
            output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", ())
        ]
    return "\n".join(parts)


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "00_start_here",
        "01_build_step_by_step",
        "02_graph_and_unsupported_nodes",
        "05_error_codes",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_without_outputs(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    for cell in document["cells"]:
        assert not cell.get("outputs"), cell["id"]
        assert cell.get("execution_count") is None, cell["id"]
    assert document["metadata"]["kernelspec"]["name"] == "python3"


def test_start_here_builds_and_explains_a_failure(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = texts(execute(ROOT / "notebooks" / "00_start_here.ipynb", course, monkeypatch))
    assert "BuildReport: Engine of" in said
    assert "BuildPanel(" in said
    assert "LearnedSwish" in said
    assert "Do this:" in said


def test_build_step_by_step_shows_each_step(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = texts(execute(ROOT / "notebooks" / "01_build_step_by_step.ipynb", course, monkeypatch))
    for step in ("load", "check", "parse", "build"):
        assert f"✓ {step}: done" in said
    assert "the plan has no shape profile" in said
    assert "A proposal from the dimensions' names" in said
    assert "has no input 'masks'" in said
    assert "both called 'sequence'" in said
    assert "min <= opt <= max does not hold for 4..2..1" in said
    assert "import tensorrt" in said
    assert "the batch or another size was baked into the model" in said
    assert not list(course.glob("*.engine*")), "the notebook leaves its files behind"


def test_every_refused_node_is_found_understood_and_cut_out(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = texts(execute(ROOT / "notebooks" / "02_graph_and_unsupported_nodes.ipynb", course, monkeypatch))
    assert "GraphPanel(" in said
    assert "6 of 22 nodes refused" in said
    for name in ("Resize", "Attention", "LearnedSwish", "BitwiseNot", "ReduceSum", "Det"):
        assert re.search(rf"[(.]{name}\)(?: in \S+)?: refused", said), name
    assert "TensorRT does not compute determinants" in said
    assert "TensorRT would take" in said
    assert "ReducedModel: 1 node" in said
    assert "SupportReport: supported, 9 nodes" in said
    assert "exit code 1" in said
    assert not list(course.glob("*.onnx")), "the notebook leaves its files behind"


def test_error_codes_are_provoked_explained_and_put_right(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = texts(execute(ROOT / "notebooks" / "05_error_codes.ipynb", course, monkeypatch))
    for identifier in (
        "name.INVALID_ARGUMENT",
        "parse.invalid_model",
        "parse.unsupported_node",
        "config.profile_missing",
        "runtime.shape_out_of_profile",
        "build.out_of_memory",
        "runtime.cuda_illegal_access",
        "api.removed",
        "build.calibration",
    ):
        assert catalog()[identifier].title.en in said, identifier
    assert catalog()["cuda.700"].title.zh in said
    assert "TensorRT does not compute determinants" in said
    assert "[4096,1,8,8]" in said
    assert said.count("BuildReport: Engine of") >= 3, "what was put right builds"
    assert "the same determinants" in said
    assert "max_workspace_size" in said
