"""Whatever befalls the worker, in whichever step: nothing is lost, nothing half-written, and the next run just works."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from tests import models
from tests.build.sabotage import (
    OLD_ENGINE,
    Deed,
    Saboteur,
    Scene,
    WatchedPool,
    assert_processes_gone,
    convolutions,
    creep,
    in_thread,
    kernel_to_kill,
    large_weights,
)
from tests.worker.processes import wait_until, wait_until_gone
from trtlab.build.cache import EngineCache
from trtlab.build.session import BuildSession
from trtlab.build.steps import STEP_NAMES, StepName, StepRecord
from trtlab.worker import LogRecord, Worker, WorkerLimits

STARVE = "trtlab.worker.testing:starve"
BEFORE_SAVING = STEP_NAMES[: STEP_NAMES.index("save") + 1]


@pytest.fixture(scope="module")
def common_pool() -> Iterator[WatchedPool]:
    """Return the pool of all tests; in the end none of its processes may be left."""
    pool = WatchedPool()
    yield pool
    pool.close()
    assert_processes_gone(pool)


@pytest.fixture
def pool(common_pool: WatchedPool) -> WatchedPool:
    """Return a pool with a warm worker."""
    common_pool.warm_up()
    return common_pool


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Return an output folder with an older engine, and an empty cache."""
    (tmp_path / "output").mkdir()
    return Scene(tmp_path / "output", tmp_path / "cache")


@pytest.fixture(scope="module")
def small_model() -> onnx.ModelProto:
    """Return a model that builds in a tenth of a second."""
    return models.relu((1, 4))


def session_of(
    model: onnx.ModelProto, scene: Scene, pool: WatchedPool, listener: Saboteur | None = None
) -> BuildSession:
    """Return a session that replaces the older engine of a scene."""
    return BuildSession(model, output=scene.output, cache=EngineCache(scene.cache), pool=pool, listener=listener)


def kill(worker: Worker) -> None:
    """End a worker as the out-of-memory killer does."""
    os.kill(worker.pid, signal.SIGKILL)


def crash(worker: Worker) -> None:
    """End a worker as a wild pointer does."""
    os.kill(worker.pid, signal.SIGSEGV)
    os.kill(worker.pid, signal.SIGCONT)


def starve(worker: Worker) -> None:
    """Leave a worker without memory, as a limit does that is too small."""
    worker.call(STARVE)
    worker.limits = WorkerLimits(memory_bytes=2**30)


def limit_time(worker: Worker) -> None:
    """Give the next action little time."""
    worker.limits = WorkerLimits(seconds=0.2)


def nothing(_: Worker) -> None:
    """Leave a worker stopped: it hangs."""


# name: before the step, during it, ids of the diagnoses that are true, what the text says
DEEDS: dict[str, tuple[Deed | None, Deed | None, set[str], str]] = {
    "killed": (None, kill, {"worker.killed"}, "killed from outside (SIGKILL)"),
    "crashed": (None, crash, {"worker.crash"}, "a segmentation fault"),
    # Code that does not look whether it got its memory (protobuf) crashes, all other says what it missed.
    "starved": (
        starve,
        None,
        {"build.out_of_memory", "worker.crash"},
        "memory limit of 1.00 GiB",
    ),
    "hanging": (
        limit_time,
        nothing,
        {"worker.time_limit"},
        "did not finish within its time limit of 200 ms",
    ),
}


@pytest.mark.parametrize("step", STEP_NAMES)
@pytest.mark.parametrize("deed", DEEDS)
def test_a_lost_worker_costs_its_step_and_nothing_else(
    small_model: onnx.ModelProto, scene: Scene, pool: WatchedPool, deed: str, step: StepName
) -> None:
    before, during, identifiers, text = DEEDS[deed]
    saboteur = Saboteur(pool, step, before=before, during=during)
    with session_of(small_model, scene, pool, saboteur) as session:
        session.run_all()
        record = session.step(step)
        assert record.state == "failed"
        assert record.seconds is not None
        assert len(record.diagnoses) == 1
        assert record.diagnoses[0].id in identifiers
        assert text in record.diagnoses[0].why
        assert record.diagnoses[0].place.step == step
        assert all(earlier.state == "done" for earlier in session.steps[: STEP_NAMES.index(step)])
        assert all(later.state == "waiting" for later in session.steps[STEP_NAMES.index(step) + 1 :])
        assert saboteur.victim is not None
        wait_until_gone(saboteur.victim.pid, zombie_is_gone=False)
        if step in BEFORE_SAVING:
            scene.assert_untouched()
        else:
            scene.assert_built(session.report())
        scene.assert_built(session.run_all())
        assert [record.state for record in session.steps] == ["done"] * 7


@pytest.mark.parametrize("step", STEP_NAMES)
def test_a_cancel_takes_less_than_a_second_in_every_step(
    small_model: onnx.ModelProto, scene: Scene, pool: WatchedPool, step: StepName
) -> None:
    asked: list[float] = []

    def cancel(_: Worker) -> None:
        asked.append(time.monotonic())
        session.cancel()

    saboteur = Saboteur(pool, step, during=cancel)  # the worker is stopped: it cannot hear that it should stop
    with session_of(small_model, scene, pool, saboteur) as session:
        session.run_all()
        assert time.monotonic() - asked[0] < 1
        assert session.step(step).state == "cancelled"
        assert session.step(step).diagnoses == ()
        if step in BEFORE_SAVING:
            scene.assert_untouched()
        scene.assert_built(session.run_all())


@pytest.mark.parametrize("state", ["running", "done"])
@pytest.mark.parametrize("step", STEP_NAMES[:-1])
def test_a_cancel_between_two_calls_is_not_lost(
    small_model: onnx.ModelProto, scene: Scene, pool: WatchedPool, step: StepName, state: str
) -> None:
    class Canceller(Saboteur):
        def step_changed(self, record: StepRecord) -> None:
            if (record.name, record.state) == (step, state):
                session.cancel()

    with session_of(small_model, scene, pool, Canceller(pool, step)) as session:
        session.run_all()
        cancelled = [record.name for record in session.steps if record.state == "cancelled"]
        position = STEP_NAMES.index(step)
        assert cancelled == [step if state == "running" else STEP_NAMES[position + 1]]


class AtFirstEvent(Saboteur):
    """Strikes when TensorRT says its first word of a step: in the middle of native code."""

    def step_changed(self, record: StepRecord) -> None:
        """Not yet."""

    def logged(self, step: StepName, record: LogRecord) -> None:
        """Strike in another thread, as a user does; this one is the worker's watcher."""
        if step == self.step and record.source == "tensorrt" and self.victim is None and self.during is not None:
            self.victim = self.pool.latest
            self.thread = threading.Thread(target=self.during, args=(self.victim,))
            self.thread.start()


@pytest.mark.parametrize(("step", "length"), [("parse", 400), ("build", 150)])
def test_tensorrt_at_work_can_be_cancelled_within_a_second(
    scene: Scene, pool: WatchedPool, step: StepName, length: int
) -> None:
    asked: list[float] = []

    def cancel(_: Worker) -> None:
        asked.append(time.monotonic())
        session.cancel()

    with session_of(convolutions(length), scene, pool, AtFirstEvent(pool, step, during=cancel)) as session:
        session.run_all()
        assert time.monotonic() - asked[0] < 1
        # The parser does not ask whether to stop: if it is ready before its time is up, the next step is cancelled.
        following = STEP_NAMES[STEP_NAMES.index(step) + 1]
        assert "cancelled" in {session.step(step).state, session.step(following).state}
        scene.assert_untouched()


# The kernel hears of an event within a twentieth of a second; a warm parser is ready with 400 convolutions by then.
@pytest.mark.parametrize(("step", "length"), [("parse", 3000), ("build", 60)])
@pytest.mark.parametrize("deed", [kill, crash])
def test_tensorrt_at_work_can_be_killed(
    scene: Scene, pool: WatchedPool, step: StepName, length: int, deed: Deed
) -> None:
    with session_of(convolutions(length), scene, pool, AtFirstEvent(pool, step, during=deed)) as session:
        session.run_to(step)
        record = session.step(step)
        assert record.diagnoses[0].id == ("worker.killed" if deed is kill else "worker.crash")
        assert record.diagnoses[0].causes[0].evidence == next(
            line.message for line in reversed(record.log) if line.source == "tensorrt"
        )
        scene.assert_untouched()
        if step == "build":
            scene.assert_built(session.run_all())
        else:  # building so many would take half a minute
            assert session.run_to(step).state == "done"


def test_a_worker_killed_at_any_moment_leaves_nothing_behind(scene: Scene, pool: WatchedPool) -> None:
    seed = random.randrange(10**9)
    moments = random.Random(seed)
    model = convolutions(20)
    with session_of(model, scene, pool) as session:
        session.run_all()
        seconds = session.report().seconds
    for _ in range(3):
        moment = moments.uniform(0, 1.2 * seconds)
        EngineCache(scene.cache).clear()
        with session_of(model, scene, pool) as session:
            thread = in_thread(session)
            time.sleep(moment)
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                kill(pool.latest)
            thread.join()
            scene.assert_clean()
            states = [record.state for record in session.steps]
            assert states.count("failed") <= 1, (seed, moment, states)
            assert "running" not in states
            scene.assert_built(session.run_all())


@pytest.mark.parametrize("end", ["kill", "cancel"])
def test_an_engine_that_is_being_written_is_never_seen(scene: Scene, pool: WatchedPool, end: str) -> None:
    begun: list[float] = []

    def stop_half_way(worker: Worker) -> None:
        creep(worker.pid, lambda: any(part.stat().st_size for part in parts_of(scene)))
        (part,) = parts_of(scene)
        assert part.stat().st_size < 48 * 2**20
        assert scene.output.read_bytes() == OLD_ENGINE
        begun.append(time.monotonic())
        (session.cancel if end == "cancel" else lambda: kill(worker))()

    saboteur = Saboteur(pool, "save", during=stop_half_way)
    with session_of(large_weights(48), scene, pool, saboteur) as session:
        session.run_all()
        assert time.monotonic() - begun[0] < 1
        assert session.step("save").state == ("cancelled" if end == "cancel" else "failed")
        scene.assert_untouched()
        scene.assert_built(session.run_all())


def parts_of(scene: Scene) -> list[Path]:
    """Return the temporary files beside an output."""
    return list(scene.output.parent.glob(".model.engine.*.part"))


def test_a_memory_limit_ends_the_build_with_its_name(scene: Scene, pool: WatchedPool) -> None:
    limits = WorkerLimits(memory_bytes=300 * 2**20)
    with BuildSession(
        large_weights(48), output=scene.output, cache=EngineCache(scene.cache), limits=limits, pool=pool
    ) as session:
        report = session.run_all()
        assert not report.ok
        (diagnosis,) = report.diagnoses
        assert diagnosis.place.step == "build"
        assert diagnosis.id in {"build.out_of_memory", "build.myelin_internal"}  # what TensorRT calls it varies
        assert "memory limit of 300 MiB" in " ".join([diagnosis.why, *(cause.text for cause in diagnosis.causes)])
        assert "Raise the limit of the worker's memory." in [remedy.text for remedy in diagnosis.remedies]
        scene.assert_untouched()


def test_an_interrupt_of_the_kernel_ends_the_step_too(scene: Scene, pool: WatchedPool) -> None:
    def interrupt(_: Worker) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with session_of(convolutions(150), scene, pool, AtFirstEvent(pool, "build", during=interrupt)) as session:
        with pytest.raises(KeyboardInterrupt):
            session.run_all()
        assert session.step("build").state == "cancelled"
        assert session.step("build").line == "interrupted"
        assert not session.busy
        scene.assert_untouched()


def test_a_session_that_nobody_closed_leaves_no_process(small_model: onnx.ModelProto, pool: WatchedPool) -> None:
    session = BuildSession(small_model, pool=pool)
    session.run_to("parse")
    process = pool.latest.pid
    del session
    gc.collect()
    wait_until_gone(process, seconds=2, zombie_is_gone=False)


def test_a_model_that_changed_after_it_was_loaded_is_not_built(scene: Scene, pool: WatchedPool, tmp_path: Path) -> None:
    path = models.save(models.relu((1, 4)), tmp_path / "model.onnx")
    with BuildSession(path, output=scene.output, cache=EngineCache(scene.cache), pool=pool) as session:
        session.run_to("parse")
        models.save(models.relu((1, 8)), path)
        kill(pool.latest)
        wait_until(lambda: not pool.latest.alive)
        session.run_all()
        assert session.step("configure").state == "failed"
        assert "changed after it was loaded" in session.step("configure").line
        scene.assert_untouched()
        scene.assert_built(session.rerun("load"))


@pytest.mark.parametrize("moment", ["building", "writing", "written"])
def test_a_killed_kernel_leaves_no_worker_and_no_half_file(
    scene: Scene, pool: WatchedPool, tmp_path: Path, moment: str
) -> None:
    step: StepName = "build" if moment == "building" else "save"
    path = models.save(convolutions(150) if moment == "building" else large_weights(48), tmp_path / "model.onnx")
    with kernel_to_kill(path, scene.output, scene.cache, step) as worker:
        if moment == "writing":
            creep(worker, lambda: any(part.stat().st_size for part in parts_of(scene)))
        else:
            os.kill(worker, signal.SIGCONT)
        if moment == "building":
            time.sleep(0.2)
        elif moment == "written":
            wait_until(lambda: scene.output.stat().st_size > 40 * 2**20)
    assert bool(parts_of(scene)) == (moment == "writing")
    if moment == "written":
        assert scene.output.stat().st_size > 40 * 2**20
    else:
        assert scene.output.read_bytes() == OLD_ENGINE
    with session_of(models.relu((1, 4)), scene, pool) as session:
        session.set_output(scene.output, overwrite=True)
        assert session.run_all().ok
    scene.assert_clean()  # what the killed kernel left is gone
