"""Real workers for the tests of `trtlab.worker`, and a look at whether their processes are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.worker.processes import wait_until_gone
from trtlab.worker import Worker, WorkerLimits

StartWorker = Callable[..., Worker]


@pytest.fixture
def start_worker() -> Iterator[StartWorker]:
    """Return a function that starts workers; after the test every one of their processes must be gone, zombies included."""
    workers: list[Worker] = []

    def start(limits: WorkerLimits | None = None) -> Worker:
        workers.append(Worker(limits=limits))
        return workers[-1].start()

    yield start
    for worker in workers:
        worker.close()
    for worker in workers:
        wait_until_gone(worker.pid, zombie_is_gone=False)


@pytest.fixture
def worker(start_worker: StartWorker) -> Worker:
    """Return a worker without limits."""
    return start_worker()


@pytest.fixture(scope="module")
def shared_worker() -> Iterator[Worker]:
    """Return a worker for tests that leave it as it was."""
    worker = Worker().start()
    yield worker
    worker.close()
