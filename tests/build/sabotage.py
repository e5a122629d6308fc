"""Do something to the worker of a build while a chosen step runs in it, and look at what is left afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from tests import models
from tests.worker.processes import PATIENCE_SECONDS, wait_until, wait_until_gone
from trtlab.build.progress import Progress
from trtlab.build.report import BuildReport
from trtlab.build.session import BuildSession
from trtlab.build.steps import StepName, StepRecord
from trtlab.worker import LogRecord, Worker, WorkerLimits, WorkerPool

OLD_ENGINE = b"ftrt" + bytes(range(256)) * 40
OLD_NOTE = b'{"schema": "trtlab.engine/1", "of": "the old engine"}'
LONG_AGO = (1_600_000_000, 1_600_000_000)


def convolutions(length: int, *, channels: int = 16) -> onnx.ModelProto:
    """Return a chain of convolutions with weights of their own: a hundred take about half a second to build."""
    generator = np.random.default_rng(0)
    nodes, weights = [], []
    for index in range(length):
        values = (generator.standard_normal((channels, channels, 3, 3)) * 0.05).astype(np.float32)
        weights.append(numpy_helper.from_array(values, f"w{index}"))
        nodes.append(
            models.node("Conv", [f"t{index}", f"w{index}"], [f"t{index + 1}"], f"conv{index}", pads=[1, 1, 1, 1])
        )
    shape = (1, channels, 32, 32)
    return models.model(nodes, [models.value("t0", shape)], [models.value(f"t{length}", shape)], weights)


def large_weights(megabytes: int) -> onnx.ModelProto:
    """Return one matrix product whose weights, and so whose engine, have that size."""
    rows = 1024
    values = np.linspace(-1, 1, megabytes * 2**18, dtype=np.float32).reshape(rows, -1)
    return models.model(
        [models.node("MatMul", ["x", "w"], ["y"], "product")],
        [models.value("x", (1, rows))],
        [models.value("y", (1, values.shape[1]))],
        [numpy_helper.from_array(values, "w")],
    )


class WatchedPool(WorkerPool):
    """A pool of its own that knows its workers.

    Attributes:
        latest: The worker that it started or handed on last; it exists before the first step needs it.
        process_ids: Of all its workers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.process_ids: list[int] = []
        self.warm_up()

    def warm_up(self) -> None:
        """Have a worker ready, and not busy with forgetting what it did last."""
        worker = self.acquire()
        self.release(worker)
        if worker in self._cleaning:
            self._cleaning[worker].join()

    def acquire(self, *, limits: WorkerLimits | None = None, cancelled: threading.Event | None = None) -> Worker:
        """Hand out a worker and remember it."""
        self.latest: Worker = super().acquire(limits=limits, cancelled=cancelled)
        self.process_ids.append(self.latest.pid)
        return self.latest


Deed = Callable[[Worker], object]


class Saboteur:
    """A listener that does a deed when a step begins, once.

    Args:
        pool: Where the session's worker comes from.
        step: The step.
        before: Done to the idle worker, just before the step calls it.
        during: Done to the busy worker. It is stopped by then and has not done anything for the step yet.
    """

    def __init__(
        self, pool: WatchedPool, step: StepName, *, before: Deed | None = None, during: Deed | None = None
    ) -> None:
        self.pool, self.step, self.before, self.during = pool, step, before, during
        self.victim: Worker | None = None
        self.thread: threading.Thread | None = None

    def step_changed(self, record: StepRecord) -> None:
        """Strike when the step begins for the first time."""
        if self.victim is not None or (record.name, record.state) != (self.step, "running"):
            return
        self.victim = self.pool.latest
        if self.before is not None:
            self.before(self.victim)
        if self.during is not None:
            os.kill(self.victim.pid, signal.SIGSTOP)
            self.thread = threading.Thread(target=self._strike, args=(self.victim, self.during))
            self.thread.start()

    def logged(self, step: StepName, record: LogRecord) -> None:
        """Not of interest."""

    def progressed(self, progress: Progress) -> None:
        """Not of interest."""

    def _strike(self, worker: Worker, during: Deed) -> None:
        wait_until(lambda: worker.busy or not worker.alive)
        time.sleep(0.01)  # the call has been written meanwhile
        during(worker)


def creep(process: int, until: Callable[[], object]) -> None:
    """Let a stopped process run a millisecond at a time until something is true; it is stopped then."""
    latest = time.monotonic() + PATIENCE_SECONDS
    while not until():
        assert time.monotonic() < latest, "it never came to that"
        os.kill(process, signal.SIGCONT)
        time.sleep(0.001)
        os.kill(process, signal.SIGSTOP)


# Stops its worker when a step begins in it, and prints the worker's process id.
KERNEL = """
import os, signal, sys
from pathlib import Path
import trtlab
from trtlab.build.cache import EngineCache
from trtlab.worker.pool import _all_workers

model, output, cache, step = sys.argv[1:]

class Listener:
    def step_changed(self, record):
        if (record.name, record.state) == (step, "running"):
            (worker,) = _all_workers
            os.kill(worker.pid, signal.SIGSTOP)
            print(worker.pid, flush=True)
    def logged(self, step, record): pass
    def progressed(self, progress): pass

trtlab.build(model, output=output or None, cache=EngineCache(Path(cache)), listener=Listener())
"""


@contextlib.contextmanager
def kernel_to_kill(model: Path, output: Path | None, cache: Path, step: StepName) -> Iterator[int]:
    """Give the worker of another kernel, stopped at the beginning of a step; in the end the kernel is killed and the worker gone."""
    arguments = [sys.executable, "-c", KERNEL, str(model), str(output or ""), str(cache), step]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as kernel:
        assert kernel.stdout is not None
        worker = int(kernel.stdout.readline())
        try:
            yield worker
        finally:
            kernel.kill()
            kernel.wait()
            wait_until_gone(worker, seconds=2)


class Scene:
    """A folder with an older engine, a cache, and a session that is to replace the one and fill the other."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.output = folder / "model.engine"
        self.note = folder / "model.engine.json"
        self.cache = cache
        self.output.write_bytes(OLD_ENGINE)
        self.note.write_bytes(OLD_NOTE)
        os.utime(self.output, LONG_AGO)
        os.utime(self.note, LONG_AGO)

    def assert_untouched(self) -> None:
        """Fail if the older engine or its note is not as it was, or if there is anything else."""
        assert self.output.read_bytes() == OLD_ENGINE
        assert self.note.read_bytes() == OLD_NOTE
        assert self.output.stat().st_mtime == LONG_AGO[1]
        self.assert_clean()
        assert entries_of(self.cache) == []

    def assert_clean(self) -> None:
        """Fail if there is a file that is neither an engine, nor a note, nor a whole entry of the cache."""
        assert sorted(path.name for path in self.output.parent.iterdir()) == [self.output.name, self.note.name]
        assert_whole(self.cache)

    def assert_built(self, report: BuildReport) -> None:
        """Fail if the new engine is not whole, or not everywhere it should be."""
        assert report.ok
        assert report.engine is not None
        content = self.output.read_bytes()
        assert content != OLD_ENGINE
        assert hashlib.sha256(content).hexdigest() == report.engine.sha256
        assert json.loads(self.note.read_bytes())["engine"]["sha256"] == report.engine.sha256
        self.assert_clean()
        assert len(entries_of(self.cache)) == 1


def entries_of(cache: Path) -> list[str]:
    """Return the names of everything in a cache folder."""
    return sorted(path.name for path in cache.iterdir()) if cache.exists() else []


def assert_whole(cache: Path) -> None:
    """Fail if something in a cache is not a whole entry."""
    for name in entries_of(cache):
        entry = cache / name
        assert sorted(path.name for path in entry.iterdir()) == ["engine", "report.json"], name
        report = json.loads((entry / "report.json").read_text())
        assert hashlib.sha256((entry / "engine").read_bytes()).hexdigest() == report["engine"]["sha256"]


def assert_processes_gone(pool: WatchedPool) -> None:
    """Fail if a worker of a closed pool is left, even as a zombie."""
    for process in pool.process_ids:
        wait_until_gone(process, seconds=2, zombie_is_gone=False)


def in_thread(session: BuildSession) -> threading.Thread:
    """Run all steps of a session in another thread."""
    thread = threading.Thread(target=session.run_all)
    thread.start()
    return thread
