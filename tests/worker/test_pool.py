"""The pool: one worker stays warm and is handed on, and nobody gets what belongs to somebody else."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.processes import wait_until, wait_until_gone
from trtlab._errors import InputError, WorkerError
from trtlab.worker import ActionCancelled, Worker, WorkerLimits, WorkerPool, shared_pool

PING = "trtlab.worker.context:ping"
SURROUNDINGS = "trtlab.worker.testing:surroundings"


class RememberingPool(WorkerPool):
    """A pool that knows whom it handed out, so that a test can end them all."""

    def __init__(self, *, idle_seconds: float = 600) -> None:
        super().__init__(idle_seconds=idle_seconds)
        self.handed_out: list[Worker] = []

    def acquire(self, *, limits: WorkerLimits | None = None, cancelled: threading.Event | None = None) -> Worker:
        worker = super().acquire(limits=limits, cancelled=cancelled)
        self.handed_out.append(worker)
        return worker


@pytest.fixture
def pool() -> Iterator[RememberingPool]:
    """Return a pool of its own."""
    pool = RememberingPool()
    yield pool
    pool.close()
    for worker in pool.handed_out:
        worker.close()
        wait_until_gone(worker.pid, zombie_is_gone=False)


def test_a_worker_that_was_given_back_is_handed_on(pool: RememberingPool) -> None:
    first = pool.acquire()
    pool.release(first)
    assert pool.acquire() is first
    pool.release(first)


def test_a_prepared_worker_is_the_one_that_is_handed_out(pool: RememberingPool) -> None:
    begin = time.monotonic()
    pool.prepare()
    assert time.monotonic() - begin < 0.1
    pool.prepare()  # one is enough
    worker = pool.acquire()
    assert worker.call(PING, {"echo": 1}) == 1
    pool.release(worker)
    assert pool.acquire() is worker


def test_a_prepared_worker_that_nobody_wants_leaves_no_process(pool: RememberingPool) -> None:
    pool.prepare()
    worker = pool._idle
    assert worker is not None
    pool.close()
    assert not worker.alive
    assert not worker.starting
    wait_until_gone(worker.pid, zombie_is_gone=False)


def test_a_preparation_that_fails_is_told_to_who_needs_the_worker(
    pool: RememberingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/bin/python")
    pool.prepare()
    with pytest.raises(WorkerError, match="/nowhere/bin/python"):
        pool.acquire()
    monkeypatch.undo()
    assert pool.acquire().alive


def test_a_worker_in_use_is_never_handed_on(pool: RememberingPool) -> None:
    first, second = pool.acquire(), pool.acquire()
    assert first.pid != second.pid
    pool.release(first)
    pool.release(second)
    wait_until_gone(second.pid, zombie_is_gone=False)  # one warm worker is enough
    assert first.alive


def test_a_worker_forgets_before_it_is_handed_on(pool: RememberingPool) -> None:
    worker = pool.acquire()
    worker.call("trtlab.worker.testing:keep", {"value": 7})
    assert worker.call("trtlab.worker.testing:kept") == [7]
    pool.release(worker)
    assert pool.acquire().call("trtlab.worker.testing:kept") == []
    pool.release(worker)


def test_a_worker_that_cannot_forget_is_ended(pool: RememberingPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trtlab.worker.pool._RESET_SECONDS", 0.3)
    worker = pool.acquire()
    worker.call("trtlab.worker.testing:keep", {"value": "hangs when it is freed"})
    pool.release(worker)
    wait_until_gone(worker.pid, zombie_is_gone=False)
    assert pool.acquire() is not worker


@pytest.mark.parametrize("limits", [WorkerLimits(seconds=60), WorkerLimits(memory_bytes=2**31)])
def test_limits_are_not_shared(pool: RememberingPool, limits: WorkerLimits) -> None:
    warm = pool.acquire()
    pool.release(warm)
    limited = pool.acquire(limits=limits)
    assert limited is not warm
    assert limited.limits == limits
    pool.release(limited)
    wait_until_gone(limited.pid, zombie_is_gone=False)
    assert pool.acquire() is warm
    pool.release(warm)


def test_an_idle_worker_ends_after_its_time() -> None:
    pool = WorkerPool(idle_seconds=0.2)
    worker = pool.acquire()
    time.sleep(0.3)
    assert worker.alive  # only idle time counts
    pool.release(worker)
    assert wait_until(lambda: not worker.alive) >= 0.1
    wait_until_gone(worker.pid, zombie_is_gone=False)


def test_taking_a_worker_stops_its_idle_time() -> None:
    pool = WorkerPool(idle_seconds=0.2)
    worker = pool.acquire()
    pool.release(worker)
    assert pool.acquire() is worker
    time.sleep(0.3)
    assert worker.alive
    worker.close()


def test_a_worker_that_died_while_idle_is_replaced(pool: RememberingPool) -> None:
    worker = pool.acquire()
    pool.release(worker)
    os.kill(worker.pid, signal.SIGKILL)
    wait_until(lambda: not worker.alive)
    assert pool.acquire().call(PING, {"echo": 1}) == 1


def test_a_worker_that_died_in_use_is_not_kept(pool: RememberingPool) -> None:
    worker = pool.acquire()
    os.kill(worker.pid, signal.SIGKILL)
    pool.release(worker)
    second = pool.acquire()
    assert second is not worker
    pool.release(second)


def test_a_worker_is_not_kept_while_an_action_runs_in_it(pool: RememberingPool) -> None:
    worker = pool.acquire()
    results: list[BaseException] = []

    def call() -> None:
        try:
            worker.call("trtlab.worker.testing:hang")
        except Exception as error:  # noqa: BLE001 - looked at below
            results.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    wait_until(lambda: worker.busy)
    pool.release(worker)
    thread.join()
    assert len(results) == 1
    wait_until_gone(worker.pid, zombie_is_gone=False)


def test_what_decides_about_tensorrt_is_as_it_is_now(pool: RememberingPool, monkeypatch: pytest.MonkeyPatch) -> None:
    pool.release(pool.acquire())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("TRTLAB_TENSORRT", "tensorrt_rtx")
    worker = pool.acquire()
    assert worker.call(SURROUNDINGS, {"variable": "TRTLAB_TENSORRT"})[1] == "tensorrt_rtx"
    pool.release(worker)
    monkeypatch.setenv("SOMETHING_ELSE", "1")
    assert pool.acquire() is worker
    pool.release(worker)


def test_the_current_folder_is_as_it_is_now(
    pool: RememberingPool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pool.release(pool.acquire())
    monkeypatch.chdir(tmp_path)
    worker = pool.acquire()
    assert worker.call(SURROUNDINGS, {"variable": "HOME"})[0] == str(tmp_path)
    pool.release(worker)


def test_a_start_can_be_cancelled(pool: RememberingPool) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(ActionCancelled):
        pool.acquire(cancelled=cancelled)
    worker = pool.acquire()
    assert worker.alive
    pool.release(worker)


def test_many_threads_can_share_a_pool(pool: RememberingPool) -> None:
    used: list[Worker] = []

    def work() -> None:
        for number in range(3):
            worker = pool.acquire()
            used.append(worker)
            assert worker.call(PING, {"echo": number}) == number
            pool.release(worker)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(used) == 9
    assert len({worker.pid for worker in used if worker.alive}) == 1


def test_everybody_gets_the_same_shared_pool() -> None:
    assert shared_pool() is shared_pool()
    with pytest.raises(InputError):
        shared_pool().acquire(limits=WorkerLimits(seconds=-1))
