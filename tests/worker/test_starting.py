"""Starting: what is imported, and what is said when it does not work."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

import trtlab
from tests.worker.conftest import StartWorker
from tests.worker.processes import wait_until
from trtlab._errors import WorkerError
from trtlab.worker import ActionCancelled, Worker, WorkerDied, WorkerLimits

IMPORTED_FROM = "trtlab.worker.testing:imported_from"
SHADOWS = ("onnx", "json", "numpy", "queue", "tensorrt_rtx", "trtlab", "re", "ctypes", "site")


@pytest.fixture
def folder_with_shadows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder that has files with the names of modules, as folders with notebooks often do."""
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the current folder was imported')\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("python_path", [None, "", ".", ":", "{folder}", "{folder}:"])
def test_files_beside_a_notebook_are_not_taken_for_modules(
    start_worker: StartWorker, folder_with_shadows: Path, monkeypatch: pytest.MonkeyPatch, python_path: str | None
) -> None:
    if python_path is not None:  # "export PYTHONPATH=$PYTHONPATH:..." often names the current folder unasked
        monkeypatch.setenv("PYTHONPATH", python_path.format(folder=folder_with_shadows))
        (folder_with_shadows / "site.py").unlink()  # this one Python itself would take, before anything else
        for name in ("re", "ctypes"):
            (folder_with_shadows / f"{name}.py").unlink()
    worker = start_worker()
    for name in ("onnx", "json", "numpy", "queue", "trtlab"):
        file = worker.call(IMPORTED_FROM, {"module": name})
        assert file.endswith(".py")
        assert not file.startswith(str(folder_with_shadows))


def test_both_ends_are_the_same_trtlab(
    start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "trtlab").mkdir()
    (tmp_path / "trtlab" / "__init__.py").write_text("raise SystemExit('another trtlab was imported')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert start_worker().call(IMPORTED_FROM, {"module": "trtlab"}) == trtlab.__file__


def test_a_deleted_current_folder_does_not_matter(
    start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert start_worker().call("trtlab.worker.context:ping", {"echo": 1}) == 1
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("executable", "said"),
    [
        ("/nowhere/bin/python", "could not be started: /nowhere/bin/python: No such file or directory"),
        ("{folder}/not_executable", "could not be started: {folder}/not_executable: Permission denied"),
        ("{folder}/not_a_program", "could not be started: {folder}/not_a_program: Exec format error"),
        ("", "could not be started: this Python does not know its own program"),
    ],
)
def test_a_python_that_cannot_be_started_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, executable: str, said: str
) -> None:
    (tmp_path / "not_executable").write_text("")
    (tmp_path / "not_a_program").write_bytes(b"\x7fELF, but not really")
    (tmp_path / "not_a_program").chmod(0o755)
    monkeypatch.setattr(sys, "executable", executable.format(folder=tmp_path))
    with pytest.raises(WorkerError) as caught:
        Worker().start()
    assert said.format(folder=tmp_path) in str(caught.value)
    assert "sys.executable" in str(caught.value)
    assert not isinstance(caught.value, WorkerDied)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "The worker process did not start. The worker process ended by itself with exit code 3."),
        ("echo no module named trtlab >&2; exit 1", "The last it said was: no module named trtlab"),
        ("kill -SEGV $$", "a segmentation fault"),
        # A program that starts Python instead of becoming it: the worker's parent is then not the kernel.
        ('"$PYTHON" "$@"', "did not start this one"),
    ],
)
def test_a_python_that_ends_at_once_is_told_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, said: str
) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!{shutil.which('sh')}\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PYTHON", sys.executable)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(WorkerDied) as caught:
        Worker().start()
    assert str(caught.value).startswith("The worker process did not start.")
    assert said in str(caught.value)


def test_a_program_that_becomes_python_is_as_good_as_python(
    start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "python"
    program.write_text(f'#!{shutil.which("sh")}\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    assert start_worker().alive


def test_a_start_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = slow_python(tmp_path)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr("trtlab.worker.process._START_SECONDS", 0.3)
    worker = Worker()
    with pytest.raises(WorkerDied, match=r"did not start\. It did not answer within 300 ms\."):
        worker.start()
    assert not worker.alive
    assert worker.ending is not None
    assert worker.ending.kind == "time_limit"


def test_a_start_can_be_cancelled_within_a_second(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(slow_python(tmp_path)))
    cancelled = threading.Event()
    worker = Worker()
    threading.Timer(0.2, cancelled.set).start()
    begin = time.monotonic()
    with pytest.raises(ActionCancelled):
        worker.start(cancelled=cancelled)
    assert time.monotonic() - begin < 1.2


def test_a_start_can_be_closed_by_another_thread(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(slow_python(tmp_path)))
    worker = Worker()
    threading.Timer(0.2, worker.close).start()
    with pytest.raises(WorkerDied, match="was closed"):
        worker.start()


def test_a_memory_limit_too_small_for_python_is_named() -> None:
    with pytest.raises(WorkerDied) as caught:
        Worker(limits=WorkerLimits(memory_bytes=2**20)).start()
    assert caught.value.ending.kind == "memory_limit"
    assert "memory limit of 1.00 MiB" in str(caught.value)


def test_a_worker_leaves_no_descriptor_open(start_worker: StartWorker) -> None:
    start_worker().close()
    before = open_descriptors()
    for _ in range(3):
        start_worker().close()
    wait_until(lambda: open_descriptors() <= before)


def open_descriptors() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def slow_python(folder: Path) -> Path:
    """Return a program that never begins to be Python."""
    program = folder / "python"
    program.write_text(f"#!{shutil.which('sh')}\nexec sleep 60\n")
    program.chmod(0o755)
    return program
