"""Which TensorRT is chosen, and what is said where none can build. Broken installations are stub packages on a child's path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import models
from trtlab._engine_results import Installation
from trtlab._errors import InputError, MissingError
from trtlab._results import from_dict
from trtlab.build.session import BuildSession
from trtlab.worker import Worker

DESCRIBE = "trtlab.engine.actions:describe_installation"
LOGGER = """
class ILogger:
    class Severity:
        __members__ = {}
"""
ABSENT = "raise ModuleNotFoundError('No module of that name', name={name!r})"
STUBS = {
    "its libraries are missing": (
        "raise ImportError('libnvinfer.so.10: cannot open shared object file')",
        "its libraries do not load: libnvinfer.so.10: cannot open shared object file",
    ),
    "its package is broken": ("raise RuntimeError('no CUDA')", "its libraries do not load: no CUDA"),
    "its code is damaged": ("def (", "its libraries do not load: invalid syntax"),
    "it needs another module": ("import module_that_is_absent", "importing it fails: No module named"),
    "it is a runtime only": ("class Runtime: pass", "it has no builder"),
    "its builder is null": (LOGGER + "def Builder(logger): return None", "it needs an NVIDIA GPU and driver"),
    "its builder raises": (
        LOGGER + "def Builder(logger): raise TypeError('pybind11::init(): factory function returned nullptr')",
        "factory function returned nullptr",
    ),
}


@pytest.fixture
def stubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that comes first on the path of the workers that are started now."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def stub(folder: Path, name: str, code: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(code, encoding="utf-8")


@pytest.fixture
def worker() -> Iterator[Worker]:
    started = Worker().start()
    yield started
    started.close()


def describe(worker: Worker, **values: Any) -> Installation:
    return from_dict(Installation, worker.call(DESCRIBE, values))


def test_without_a_wish_what_can_build_here_is_taken(stubs: Path, worker: Worker) -> None:
    stub(stubs, "tensorrt", ABSENT.format(name="tensorrt"))
    found = describe(worker)
    assert found.flavour == "tensorrt_rtx"
    assert found.chosen_because == "Not taken: TensorRT: it is not installed."
    assert found.title.startswith("TensorRT-RTX 1.")


@pytest.mark.parametrize("spelling", ["tensorrt_rtx", "TensorRT-RTX", " tensorrt-rtx "])
def test_the_argument_decides(spelling: str, worker: Worker) -> None:
    found = describe(worker, flavour=spelling)
    assert (found.flavour, found.chosen_because) == ("tensorrt_rtx", "It was asked for.")


def test_the_variable_decides_where_there_is_no_argument(monkeypatch: pytest.MonkeyPatch, stubs: Path) -> None:
    monkeypatch.setenv("TRTLAB_TENSORRT", "tensorrt")
    stub(stubs, "tensorrt", ABSENT.format(name="tensorrt"))
    worker = Worker().start()
    try:
        with pytest.raises(
            MissingError, match=r"TensorRT cannot build here: it is not installed\. Install: pip install"
        ):
            describe(worker)
        assert describe(worker, flavour="tensorrt_rtx").flavour == "tensorrt_rtx", "the argument is stronger"
    finally:
        worker.close()


def test_an_unknown_flavour_is_an_error_of_the_caller(worker: Worker) -> None:
    with pytest.raises(InputError, match=r"There is no TensorRT flavour 'tensort'\. Known are: tensorrt, tensorrt_rtx"):
        describe(worker, flavour="tensort")


@pytest.mark.parametrize("kind", STUBS)
def test_a_broken_tensorrt_is_passed_over_with_the_reason(kind: str, stubs: Path, worker: Worker) -> None:
    code, reason = STUBS[kind]
    stub(stubs, "tensorrt", code)
    found = describe(worker)
    assert found.flavour == "tensorrt_rtx"
    assert reason in found.chosen_because
    with pytest.raises(MissingError) as caught:
        describe(worker, flavour="tensorrt")
    assert reason in str(caught.value)
    assert "pip install 'trtlab[tensorrt]'" in str(caught.value)


def test_where_nothing_can_build_it_is_said_what_to_install(stubs: Path, worker: Worker) -> None:
    stub(stubs, "tensorrt", STUBS["its builder is null"][0])
    stub(stubs, "tensorrt_rtx", ABSENT.format(name="tensorrt_rtx"))
    with pytest.raises(MissingError) as caught:
        describe(worker)
    text = str(caught.value)
    assert "- TensorRT: its builder does not start" in text
    assert "- TensorRT-RTX: it is not installed." in text
    assert "pip install tensorrt-rtx" in text
    assert caught.value.exit_code == 3


def test_a_build_without_any_tensorrt_fails_at_parse_and_says_so(stubs: Path) -> None:
    for name in ("tensorrt", "tensorrt_rtx"):
        stub(stubs, name, ABSENT.format(name=name))
    from trtlab.worker import WorkerPool

    pool = WorkerPool()
    try:
        with BuildSession(models.relu((1, 4)), pool=pool) as session:
            report = session.run_all()
    finally:
        pool.close()
    assert report.step("check").state == "done", "what needs no TensorRT works"
    assert report.step("parse").state == "failed"
    assert report.diagnoses[0].id == "env.library_missing"
    assert "pip install tensorrt-rtx" in report.diagnoses[0].why
